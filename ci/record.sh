#!/usr/bin/env bash
# Commits what the run has made: dvc.lock and the metrics to $BRANCH, the pictures of the report to
# a branch of their own. The only script whose job may write to the repository.
set -euo pipefail
git config user.name "github-actions[bot]"
git config user.email "41898282+github-actions[bot]@users.noreply.github.com"

pictures() { # one commit a run, of nothing but its pictures
  local tree parent=() commit
  if git fetch -q origin retrain-pictures 2>/dev/null; then parent=(-p FETCH_HEAD); fi
  export GIT_INDEX_FILE="$RUNNER_TEMP/pictures.index"
  git --work-tree=report/pictures add -A .
  tree=$(git write-tree)
  unset GIT_INDEX_FILE
  commit=$(git commit-tree "$tree" "${parent[@]}" -m "Pictures of retraining $GITHUB_RUN_NUMBER [skip ci]")
  git push -q origin "$commit:refs/heads/retrain-pictures"
  echo "pictures=$commit" >>"$GITHUB_OUTPUT"
}

stages() { # a dvc.lock, each line after the name of its stage
  awk '/^  [a-z]+:/ {name = substr($1, 1, length($1) - 1)} name {print name, $0}'
}

expected='dvc\.lock|metrics/[a-z_]+\.json'
if [ "$BRANCH" != main ]; then expected="$expected|params\.yaml"; fi
unexpected=$(git status --porcelain --untracked-files=all -- . ':!report' | cut -c4- | grep -Evx "$expected" || true)
if [ -n "$unexpected" ]; then
  echo "error: not recorded, for more than results changed: ${unexpected//$'\n'/, }" >&2
  exit 1
fi
if [ -d report/pictures ]; then pictures; fi

git add -- dvc.lock metrics/*.json params.yaml
if git diff --cached --quiet; then
  echo "nothing changed, nothing to record" | tee -a "$GITHUB_STEP_SUMMARY"
  exit
fi
base=$(git rev-parse HEAD)
made=$(diff <(git show HEAD:dvc.lock 2>/dev/null | stages) <(stages <dvc.lock) | awk '/^[<>]/ && NF > 2 {print $2}' | uniq | awk '!seen[$0]++' | paste -sd' ' || true)
git commit -qm "Retrained: ${made:-metrics} [skip ci]" -m "By run $GITHUB_RUN_ID of the retrain workflow."
if [ "$BRANCH" != main ]; then
  git push -q --force origin "HEAD:refs/heads/$BRANCH" # this run's own branch
else
  for _ in 1 2 3; do
    git fetch -q origin main
    if ! git diff --quiet "$base" FETCH_HEAD -- $(git diff --name-only "$base" HEAD); then
      echo "error: not recorded, for main has other results meanwhile; the next run starts from them" >&2
      exit 1
    fi
    git rebase -q FETCH_HEAD
    base=$(git rev-parse FETCH_HEAD)
    git push -q origin HEAD:refs/heads/main && break
  done
fi
echo "Recorded on \`$BRANCH\`: ${made:-metrics}." | tee -a "$GITHUB_STEP_SUMMARY"
