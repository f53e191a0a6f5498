#!/usr/bin/env bash
# Plans the stacks that a change is about: one comment on all of them, and a saved plan of each that would change.
#
#   LEOCTL_STACKS    the stack files [stacks/*.toml]
#   LEOCTL_BASE      the commit that the change is compared with; without it all stacks are planned
#   LEOCTL_COMMIT    the commit, as the comment says it
#   LEOCTL_COMMENT   `true` puts the comment on the pull request
#   LEOCTL_MARKER    tells the comment apart from those of other workflows [default]
#   LEOCTL_OUT       the folder for comment.md and plans/ [leoctl-out]
#
# Exits with 1 when a stack cannot be planned, after the comment has said so.
set -euo pipefail
shopt -s nullglob

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${LEOCTL_OUT:-leoctl-out}
marker=${LEOCTL_MARKER:-default}
base=${LEOCTL_BASE:-${CI_MERGE_REQUEST_DIFF_BASE_SHA:-}}
export LEOCTL_COMMIT=${LEOCTL_COMMIT:-${CI_COMMIT_SHA:-}}
[ -n "$LEOCTL_COMMIT" ] || unset LEOCTL_COMMIT
# Patterns, separated by spaces.
read -ra patterns <<< "${LEOCTL_STACKS:-stacks/*.toml}"
# shellcheck disable=SC2206
all=(${patterns[*]})
stacks=()
gone=()

say() { printf '%s\n' "$*" >&2; }

is_stack() {
  local stack
  for stack in "${all[@]}"; do [ "$stack" = "$1" ] && return 0; done
  return 1
}

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

# Whether a stack file is named in another, which may extend it.
is_extended() {
  local stack
  for stack in "${all[@]}"; do
    [ "$stack" = "$1" ] || ! grep -qF "${1##*/}\"" "$stack" || return 0
  done
  return 1
}

# Whether a file that is no stack may still be read by one: it is beside them or below, or has their defaults.
is_shared() {
  local stack folder
  case "$1" in *.defaults | .leoctl/*) return 0 ;; esac
  for stack in "${all[@]}"; do
    folder=$(dirname "$stack")
    case "$1" in "$folder"/*) return 0 ;; esac
    [ "$folder" != . ] || return 0
  done
  return 1
}

select_stacks() {
  local changed file everything=
  if [ -z "$base" ]; then
    stacks=("${all[@]}")
    return
  fi
  if ! changed=$(git -c core.quotePath=false diff --name-only --no-renames "$base" HEAD --); then
    say "Cannot compare with $base: planning all stacks."
    stacks=("${all[@]}")
    return
  fi
  while IFS= read -r file; do
    [ -n "$file" ] || continue
    if was_stack "$file"; then gone+=("$file"); fi
    if is_extended "$file"; then
      everything=yes
    elif is_stack "$file"; then
      stacks+=("$file")
    elif is_shared "$file" && ! was_stack "$file"; then
      everything=yes
    fi
  done <<< "$changed"
  [ -z "$everything" ] || stacks=("${all[@]}")
}

plan_stacks() {
  if [ ${#stacks[@]} -eq 0 ]; then
    printf '<!-- leoctl plan %s -->\n## leoctl plan\n\nNo stack is changed.\n' "$marker" > "$out/comment.md"
    return
  fi
  leoctl plan --markdown --detailed-exitcode --no-color --marker "$marker" --out-dir "$out/plans" "${stacks[@]}" \
    > "$out/comment.md" 2> "$out/said" || code=$?
  cat "$out/said" >&2
  if [ ! -s "$out/comment.md" ]; then
    { printf '<!-- leoctl plan %s -->\n## leoctl plan\n\nThere is no plan:\n\n' "$marker"; sed 's/^/    /' "$out/said"; } > "$out/comment.md"
  fi
  rm -f "$out/said"
}

rm -rf "$out/plans" "$out/comment.md"
mkdir -p "$out/plans"
select_stacks
if [ ${#all[@]} -eq 0 ] && [ ${#gone[@]} -eq 0 ]; then
  say "error: there is no stack file ${patterns[*]}: what is LEOCTL_STACKS?"
  exit 1
fi
code=0
plan_stacks
for file in "${gone[@]}"; do
  # shellcheck disable=SC2016
  printf '\n**`%s` is deleted**: what it made stays in AWS, and nothing manages it any more. Run `leoctl destroy` before its file goes.\n' "$file" >> "$out/comment.md"
done

saved=("$out"/plans/*.plan)
changes=false
[ ${#saved[@]} -eq 0 ] || changes=true
cat "$out/comment.md" | tee -a "${GITHUB_STEP_SUMMARY:-/dev/null}"
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  printf 'exit-code=%s\nchanges=%s\ncomment-file=%s\nplans=%s\n' "$code" "$changes" "$out/comment.md" "$out/plans" >> "$GITHUB_OUTPUT"
fi

if [ "${LEOCTL_COMMENT:-}" = true ]; then
  # That nothing is changed is worth a word only where something else was said before.
  how=create
  [ ${#stacks[@]} -gt 0 ] || [ ${#gone[@]} -gt 0 ] || how=update
  if [ "${GITLAB_CI:-}" = true ]; then
    bash "$here/gitlab.sh" comment "$out/comment.md" "$how"
  else
    bash "$here/github.sh" comment "$out/comment.md" "$how"
  fi
fi

case $code in 0 | 2) exit 0 ;; *) exit "$code" ;; esac
