#!/usr/bin/env bash
# On the main branch, before anything is applied: plans with the scripts and the stacks of that branch, and fails when a
# stack would change and its plan is none that was reviewed, or is out of date. A run by hand has no review before it: there the plan is
# shown now, and approved before it is applied.
#
#   LEOCTL_STACKS   the stack files, and more: see stacks.sh
#   LEOCTL_BEFORE   what the branch was at before the push
#   LEOCTL_OUT      the folder for comment.md and review.json [leoctl-out]
#
# Writes `plans` to GITHUB_OUTPUT: the stack files that change and the ids of their plans, as JSON.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/stacks.sh
. "$here/stacks.sh"
out=${LEOCTL_OUT:-leoctl-out}
before=${LEOCTL_BEFORE:-${CI_COMMIT_BEFORE_SHA:-}}
[ -z "$by_hand" ] || before=

LEOCTL_BASE=$before LEOCTL_COMMENT='' bash "$here/plan.sh"
claims=()
if [ -z "$by_hand" ] && [ -n "$(leoctl review "$out/review.json")" ]; then
  folder=$(mktemp -d)
  LEOCTL_BEFORE=$before python3 "$here/claims.py" "$folder"
  claims=(--claims "$folder" --repository "$(repository)")
fi
if ! plans=$(leoctl review --json "$out/review.json" "${claims[@]}"); then
  printf '\n**Nobody has reviewed this plan.** Look at it, then run this workflow by hand on the main branch: it plans, waits for its approval, and applies.\n' >> "${GITHUB_STEP_SUMMARY:-/dev/null}"
  exit 1
fi
read_plans "$out/review.json"
current=true
for stack in "${stacks[@]}"; do is_current "$stack" || current=false; done
[ "$current" = true ] || fail "this run is of an old commit: the run of the branch's head plans what is there now"
printf 'plans=%s\n' "$plans" >> "${GITHUB_OUTPUT:-/dev/null}"
