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
drift=false

mkdir -p "$out"
printf '<!-- leoctl drift -->\n## Changed outside leoctl\n' > "$report"
for stack in "${stacks[@]}"; do
  one=0
  leoctl drift --no-color "$stack" > "$out/found" 2> "$out/said" || one=$?
  cat "$out/said" >&2
  case $one in
    0) continue ;;
    2) drift=true file=$out/found ;;
    *) code=1 file=$out/said ;;
  esac
  # Indented text is shown as it is, whatever is in it; and an issue takes 65,536 characters.
  # shellcheck disable=SC2016
  { printf '\n### `%s`\n\n' "$stack"; head -n 200 "$file" | cut -c 1-200 | sed 's/^/    /'; } >> "$report"
done
rm -f "$out/found" "$out/said"

found=false
[ "$drift" = false ] && [ $code -eq 0 ] || found=true
if [ "$found" = true ]; then
  printf '\n`leoctl apply` brings back what the stack files say; or write into them what is to stay.\n' >> "$report"
else
  printf '\nNothing, in %s stacks.\n' "${#stacks[@]}" >> "$report"
fi
if [ "$(wc -c < "$report")" -gt 60000 ]; then
  head -n 250 "$report" > "$report.short"
  printf '\nThere is more: `leoctl drift` shows it.\n' >> "$report.short"
  mv "$report.short" "$report"
fi

cat "$report" | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
[ "$code" -ne 0 ] || [ "$drift" = false ] || code=2
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\nchanges=%s\ncomment-file=%s\n' "$code" "$drift" "$report" >> "$GITHUB_OUTPUT"
fi
if [ "${LEOCTL_ISSUE:-}" = true ]; then
  bash "$here/github.sh" issue "$report" "$found"
  [ "$code" -ne 2 ] || code=0
fi
exit $code
