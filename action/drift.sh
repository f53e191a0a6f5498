#!/usr/bin/env bash
# Looks for what was changed outside leoctl, in every stack, and reports it.
#
#   LEOCTL_STACKS   the stack files [stacks/*.toml]
#   LEOCTL_ISSUE    `true` keeps one issue on GitHub about it: opened, brought up to date, and closed when all is well
#   LEOCTL_OUT      the folder for comment.md [leoctl-out]
#
# Exits with 1 when a stack cannot be read, else with 2 when there is drift and no issue to say so, else with 0.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/stacks.sh
. "$here/stacks.sh"
out=${LEOCTL_OUT:-leoctl-out}
report=$out/comment.md
stacks=("${all[@]}")
[ ${#stacks[@]} -gt 0 ] || fail "there is no stack file ${patterns[*]}: what is LEOCTL_STACKS?"
code=0
mkdir -p "$out"
leoctl drift --markdown --no-color -- "${stacks[@]}" > "$report" || code=$?
[ -s "$report" ] || fail "leoctl has reported nothing"
found=false
[ $code -eq 0 ] || found=true
drift=false
[ $code -ne 2 ] || drift=true

tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}" < "$report"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\nchanges=%s\ncomment-file=%s\n' "$code" "$drift" "$report" >> "$GITHUB_OUTPUT"
fi
if [ "${LEOCTL_ISSUE:-}" = true ]; then
  bash "$here/github.sh" issue "$report" "$found"
  [ "$code" -ne 2 ] || code=0
fi
exit $code
