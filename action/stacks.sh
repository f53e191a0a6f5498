# Read by the other scripts (`. stacks.sh`): which stack files there are, and with what they are planned.
#
#   LEOCTL_STACKS      the stack files, as patterns separated by spaces [stacks/*.toml]
#
# Of a run by hand, and of no other:
#
#   LEOCTL_ONLY        only these of them
#   LEOCTL_DESTROY     `true` plans to delete everything
#   LEOCTL_TARGETS     only these addresses and what they depend on
#   LEOCTL_REPLACE     these addresses are replaced
#   LEOCTL_VARIABLES   values of variables, as NAME=VALUE, one a line
#
# Sets `all` (the stack files), `options` (of leoctl) and `by_hand`.
#
# shellcheck shell=bash
# shellcheck disable=SC2034

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "error: $*"
  exit 1
}

# GitHub takes a line of the log that begins with `::` for a command. What leoctl shows was written by others: no line of
# it is one until the script ends.
if [ "${GITHUB_ACTIONS:-}" = true ]; then
  resume=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '::stop-commands::%s\n' "$resume"
  trap 'printf "::%s::\n" "$resume"' EXIT
fi

read -ra patterns <<< "${LEOCTL_STACKS:-stacks/*.toml}"
shopt -s nullglob
# shellcheck disable=SC2206
all=(${patterns[*]})
options=()
by_hand=

# The names of the files, from the root of the repository on, in which two commits differ, each with a NUL after it.
differences() {
  git diff --name-only --no-renames --no-relative --ignore-submodules=none -z "$1" "$2" --
}

# The root of the repository: the project may be in a folder of it.
repository() {
  git rev-parse --show-toplevel
}

is_stack() {
  local stack
  for stack in "${all[@]}"; do [ "$stack" = "$1" ] && return 0; done
  return 1
}

# Words, whatever white space is between them; no pattern is expanded.
words() {
  local text=${1//$'\n'/ }
  read -ra found <<< "$text"
}

case ${GITHUB_EVENT_NAME:-${CI_PIPELINE_SOURCE:-}} in
  workflow_dispatch | web)
    by_hand=yes
    words "${LEOCTL_ONLY:-}"
    for stack in "${found[@]}"; do
      is_stack "$stack" || fail "$stack is none of the stack files ${patterns[*]}"
    done
    [ ${#found[@]} -eq 0 ] || all=("${found[@]}")
    [ "${LEOCTL_DESTROY:-}" != true ] || options+=(--destroy)
    words "${LEOCTL_TARGETS:-}"
    for address in "${found[@]}"; do options+=("--target=$address"); done
    words "${LEOCTL_REPLACE:-}"
    for address in "${found[@]}"; do options+=("--replace=$address"); done
    while IFS= read -r line; do
      [ -n "$line" ] || continue
      [[ $line =~ ^[A-Za-z_][A-Za-z0-9_]*= ]] || fail "a variable is given as NAME=VALUE, one a line"
      options+=("--var=$line")
    done <<< "${LEOCTL_VARIABLES:-}"
    ;;
esac
