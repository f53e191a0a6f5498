#!/usr/bin/env bash
# Carries out reviewed plans, one after the other. leoctl makes each again and refuses it unless it has the id that was
# reviewed. Nothing is done for a stack that has changed at the head of the branch since.
#
#   LEOCTL_STACKS    the stack files, and more: see stacks.sh
#   LEOCTL_STACK     the stack file
#   LEOCTL_PLAN_ID   the id of its plan
#   LEOCTL_OUT       without LEOCTL_STACK, the folder whose review.json says both, of any number of stacks [leoctl-out]
#   GH_TOKEN         on GitHub, the token to fetch the branch with
#   AWS_ROLE_ARN     the role to take, in a job on GitHub that may have a token (id-token: write)
#
# Exits with 1 when a plan was not carried out wholly, after the others have been; with 130 when it was interrupted.
set -uo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/stacks.sh
. "$here/stacks.sh"
if [ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] && [ -n "${AWS_ROLE_ARN:-}" ]; then
  # shellcheck source=action/github-login.sh
  . "$here/github-login.sh"
fi

stacks=()
ids=()
if [ -n "${LEOCTL_STACK:-}" ]; then
  stacks=("$LEOCTL_STACK")
  ids=("${LEOCTL_PLAN_ID:-}")
else
  read_plans "${LEOCTL_OUT:-leoctl-out}/review.json" || exit 1
fi
[ ${#stacks[@]} -gt 0 ] || echo "No plan changes anything: there is nothing to apply."

if ! versions=$(mktemp) || ! root=$(repository) || ! committed > "$versions"; then
  fail "cannot list which files are committed"
fi

pid=
interrupted=
failed=()

# A cancelled job: leoctl finishes what it is at, saves the state, and begins nothing more.
interrupt() {
  interrupted=yes
  [ -z "$pid" ] || kill -TERM "$pid" 2> /dev/null
}
trap interrupt INT TERM

carry_out() {
  leoctl apply --no-color --yes "${options[@]}" --committed "$versions" --repository "$root" --plan-id="$2" -- "$1" &
  pid=$!
  wait "$pid"
  code=$?
  # A signal ends the waiting, not leoctl.
  while kill -0 "$pid" 2> /dev/null; do
    wait "$pid"
    code=$?
  done
  pid=
}

for at in "${!stacks[@]}"; do
  [ -z "$interrupted" ] || { failed+=("${stacks[at]}"); continue; }
  code=0
  if ! is_stack "${stacks[at]}"; then
    say "error: ${stacks[at]} is none of the stack files ${patterns[*]}"
    code=1
  elif ! is_current "${stacks[at]}"; then
    code=1
  else
    carry_out "${stacks[at]}" "${ids[at]}"
  fi
  [ "$code" -eq 0 ] || failed+=("${stacks[at]}")
done
rm -f "$versions"

result=0
if [ ${#failed[@]} -gt 0 ]; then
  result=1
  say "Not carried out: ${failed[*]}"
  say "A plan that is stale has to be made and looked at again: run this workflow by hand on the main branch."
  say "It plans, waits for its approval, and applies what was approved."
fi
[ -z "$interrupted" ] || result=130
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\n' "$result" >> "$GITHUB_OUTPUT"
fi
exit $result
