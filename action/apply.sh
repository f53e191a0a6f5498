#!/usr/bin/env bash
# Carries out saved plans, one after the other. leoctl refuses one that is stale: nothing but what was reviewed is done.
#
#   LEOCTL_PLANS   the folder with them [leoctl-out/plans]
#   LEOCTL_PLAN    only this one of them
#
# Exits with 1 when a plan was not carried out wholly, after the others have been; with 130 when it was interrupted.
set -uo pipefail
shopt -s nullglob

folder=${LEOCTL_PLANS:-leoctl-out/plans}
summary=${GITHUB_STEP_SUMMARY:-/dev/null}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkfifo "$scratch/pipe"

if [ -n "${LEOCTL_PLAN:-}" ]; then
  plans=("$folder/$LEOCTL_PLAN")
else
  plans=("$folder"/*.plan)
fi
[ ${#plans[@]} -gt 0 ] || echo "No plan changes anything: there is nothing to apply." | tee -a "$summary"

pid=
interrupted=
failed=()
changes=false

# A cancelled job: leoctl finishes what it is at, saves the state, and begins nothing more.
interrupt() {
  interrupted=yes
  [ -z "$pid" ] || kill -TERM "$pid" 2> /dev/null
}
trap interrupt INT TERM

# Carries out a plan; what it says is shown, and kept for the summary.
carry_out() {
  local shown
  tee "$scratch/log" < "$scratch/pipe" &
  shown=$!
  leoctl apply --no-color --yes --plan "$1" > "$scratch/pipe" 2>&1 &
  pid=$!
  wait "$pid"
  code=$?
  # A signal ends the waiting, not leoctl.
  while kill -0 "$pid" 2> /dev/null; do
    wait "$pid"
    code=$?
  done
  pid=
  wait "$shown"
}

for plan in "${plans[@]}"; do
  [ -z "$interrupted" ] || { failed+=("${plan##*/}"); continue; }
  code=0
  carry_out "$plan"
  changes=true
  title=Applied
  [ "$code" -eq 0 ] || { title="Not applied"; failed+=("${plan##*/}"); }
  { printf '### %s: %s\n\n' "$title" "${plan##*/}"; tail -n 200 "$scratch/log" | sed 's/^/    /'; printf '\n'; } >> "$summary"
done

result=0
if [ ${#failed[@]} -gt 0 ]; then
  result=1
  {
    printf 'Not carried out: %s\n' "${failed[*]}"
    echo "A plan that is stale has to be made and looked at again: run this workflow by hand on the main branch."
    echo "It plans, waits for its approval, and applies what was approved."
  } | tee -a "$summary" >&2
fi
[ -z "$interrupted" ] || result=130
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\nchanges=%s\n' "$result" "$changes" >> "$GITHUB_OUTPUT"
fi
exit $result
