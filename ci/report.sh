#!/usr/bin/env bash
# The report as this run's summary, and as a comment on the pull request that the change came from.
set -euo pipefail
place="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/blob/$PICTURES"
sed -E "s#\]\(pictures/([^)]*)\)#](${place}/\1?raw=true)#g" report/report.md >comment.md
cat comment.md >>"$GITHUB_STEP_SUMMARY"
if [ "$GITHUB_EVENT_NAME" != push ]; then exit; fi
numbers=$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[].number')
for number in $numbers; do
  gh pr comment "$number" --repo "$GITHUB_REPOSITORY" --body-file comment.md --edit-last --create-if-none
done
