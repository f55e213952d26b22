#!/usr/bin/env bash
# The environment on PATH, then the DVC remote and MLflow, checked before any work.
set -euo pipefail
make setup
echo "$PWD/.venv/bin" >>"$GITHUB_PATH" # for the next steps
PATH="$PWD/.venv/bin:$PATH" ci/prepare.py
