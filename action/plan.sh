#!/usr/bin/env bash
# Plans the stacks that a change is about: one comment on all of them, and the ids of the plans.
#
#   LEOCTL_STACKS    the stack files, and more: see stacks.sh
#   LEOCTL_BASE      the commit that the change is compared with; without it all stacks are planned
#   LEOCTL_COMMIT    the commit, as the comment says it
#   LEOCTL_COMMENT   `true` puts the comment on the request here and now, with a token that the code of the request can
#                    use: without it, comment.md is what others put there
#   LEOCTL_MARKER    tells the comment apart from those of other workflows [default]
#   LEOCTL_OUT       the folder for comment.md and review.json [leoctl-out]
#
# Exits with 1 when a stack cannot be planned, after the comment has said so.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=action/stacks.sh
. "$here/stacks.sh"
out=${LEOCTL_OUT:-leoctl-out}
marker=${LEOCTL_MARKER:-default}
base=${LEOCTL_BASE:-${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}}
export LEOCTL_COMMIT=${LEOCTL_COMMIT:-${CI_COMMIT_SHA:-}}
[ -n "$LEOCTL_COMMIT" ] || unset LEOCTL_COMMIT
selection=()
deleted=()

# Whether a file that is not there any more was a stack.
was_stack() {
  local pattern
  [ ! -e "$1" ] || return 1
  for pattern in "${patterns[@]}"; do
    # shellcheck disable=SC2053
    [ "$(dirname "$1")" != "$(dirname "$pattern")" ] || [[ ${1##*/} != ${pattern##*/} ]] || return 0
  done
  return 1
}

# Which of the stacks read what is changed, leoctl knows.
select_stacks() {
  local file inside outside
  [ -n "$base" ] || return 0
  if ! differences "$base" HEAD > "$out/changed"; then
    say "Cannot compare with $base: planning all stacks."
    return
  fi
  inside=$(git rev-parse --show-prefix)
  outside=$(git rev-parse --show-cdup)
  selection=(--changed "$out/changed")
  while IFS= read -r -d '' file; do
    # As the patterns name it, from this folder on.
    case $file in "$inside"*) file=${file#"$inside"} ;; *) file=$outside$file ;; esac
    ! was_stack "$file" || deleted+=("--deleted=$file")
  done < "$out/changed"
}

rm -rf "$out"
mkdir -p "$out"
root=$(repository)
committed > "$out/committed"
select_stacks
if [ ${#all[@]} -eq 0 ] && [ ${#deleted[@]} -eq 0 ]; then
  fail "there is no stack file ${patterns[*]}: what is LEOCTL_STACKS?"
fi
code=0
leoctl plan --markdown --detailed-exitcode --no-color --marker "$marker" --review "$out/review.json" \
  --committed "$out/committed" --repository "$root" "${selection[@]}" "${deleted[@]}" "${options[@]}" -- "${all[@]}" > "$out/comment.md" || code=$?
if [ ! -s "$out/comment.md" ]; then
  echo "There is no plan: the log of the job says why." | leoctl comment --marker "plan $marker" --title "leoctl plan" > "$out/comment.md"
fi

tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}" < "$out/comment.md"
changes=false
[ ! -f "$out/review.json" ] || [ -z "$(leoctl review "$out/review.json")" ] || changes=true
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\nchanges=%s\ncomment-file=%s\nreview=%s\n' "$code" "$changes" "$out/comment.md" "$out/review.json" >> "$GITHUB_OUTPUT"
fi

if [ "${LEOCTL_COMMENT:-}" = true ]; then
  # That nothing is changed is worth a word only where something else was said before.
  how=create
  ! grep -qx 'No stack is changed.' "$out/comment.md" || how=update
  if [ "${GITLAB_CI:-}" = true ]; then
    bash "$here/gitlab.sh" comment "$out/comment.md" "$how"
  else
    bash "$here/github.sh" comment "$out/comment.md" "$how"
  fi
fi

case $code in 0 | 2) exit 0 ;; *) exit "$code" ;; esac
