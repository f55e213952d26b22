# Two commands matter: `make run` and `make test`.
PYTHON ?= python3
PORT ?= 5000
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONUNBUFFERED = 1

.PHONY: run test test-slow setup ui experiments lint lock-requirements
.DEFAULT_GOAL := run

setup: .venv/.done

.venv/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if (3, 11) <= v[:2] < (3, 15) else "unpaired needs Python 3.11 to 3.14, this is %d.%d; try `make PYTHON=python3.12`" % v[:2])'
	@test -x .venv/bin/uv || { $(PYTHON) -m venv .venv && .venv/bin/pip install -q uv; }
	@echo "installing (torch is large: some minutes the first time)"
	@.venv/bin/uv pip install -q --python .venv/bin/python -r requirements.lock
	@.venv/bin/uv pip install -q --python .venv/bin/python --no-deps -e .
	@touch $@

run: setup
	@dvc repro
	@unpaired register
	@unpaired summary

test: setup
	@pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-slow: setup
	@pytest -m slow

# The address chooses the UI's side for model training; by itself it opens that for language models.
ui: setup
	@echo "http://127.0.0.1:$(PORT)/#/experiments/1/runs?workflowType=machine_learning (Ctrl-C ends it)"
	@MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false mlflow server \
		--backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port $(PORT) --workers 1

SETTINGS = domains|search\.|clean\.|split\.seed|train\.|evaluate\.
FIGURES = fid_..$$|kid_\w+_gap_closed|cycle_l1|colour_kept

# The chief figures, and of the parameters those that differ.
experiments: setup
	@dvc exp show --md --only-changed --hide-workspace \
		--drop '^(?!State|$(SETTINGS))' --keep '^(Experiment|$(FIGURES))'

lint: setup
	@ruff check -q && ruff format --check -q
	@mypy --no-error-summary
	@zizmor --offline -q .github
	@check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml

lock-requirements: setup
	@uv pip compile -q --universal --python-version 3.11 --no-annotate \
		--no-header --all-extras pyproject.toml -o requirements.lock
