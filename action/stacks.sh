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
# Sets `all` (the stack files), `options` (of leoctl), `variables` (those of them that every command takes) and `by_hand`.
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
variables=()
by_hand=

# A folder with the names that a repository without a checkout has is none here: its configuration would be obeyed, and name
# programs to run (git-config, safe.bareRepository; git 2.38).
git() {
  command git -c safe.bareRepository=explicit "$@"
}

# The names of the files, from the root of the repository on, in which two commits differ, each with a NUL after it.
differences() {
  git diff --name-only --no-renames --no-relative --ignore-submodules=none -z "$1" "$2" --
}

# The root of the repository: the project may be in a folder of it.
repository() {
  git rev-parse --show-toplevel
}

# Which version of each file is committed, for the ids of plans: env files that are in the repository are part of them.
committed() {
  git -C "$(repository)" ls-files --stage -z
}

# Fetches a branch. The token of a job on GitHub is not kept in the checkout, and not among the arguments, which other
# processes can see.
fetch() {
  local server=${GITHUB_SERVER_URL:-} set=0 header=
  if [ -n "$server" ] && [ -n "${GH_TOKEN:-}" ] && [ -z "$(git config --get-urlmatch http.extraheader "$server/")" ]; then
    set=1
    header="AUTHORIZATION: basic $(printf 'x-access-token:%s' "$GH_TOKEN" | base64 | tr -d '\n')"
  fi
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=$set GIT_CONFIG_KEY_0="http.$server/.extraheader" GIT_CONFIG_VALUE_0=$header \
    git fetch --quiet --no-tags --no-recurse-submodules origin "refs/heads/$1"
}

# Whether what a stack reads here is what the branch has at its head. A run may be of an old commit: it has waited, or was
# started again. What the branch has changed or taken back since is not planned, and not applied. Without an answer it is
# not current.
is_current() {
  local branch=${CI_COMMIT_BRANCH:-${GITHUB_REF_NAME:-}} head changed said=
  if [ -z "$branch" ] || ! fetch "$branch" || ! head=$(git rev-parse --verify --quiet 'FETCH_HEAD^{commit}'); then
    say "error: the head of the branch ${branch:-(none is named)} cannot be fetched: whether the plan of $1 is out of date is not known"
    return 1
  fi
  [ "$head" != "$(git rev-parse HEAD)" ] || return 0
  changed=$(mktemp)
  if differences HEAD "$head" > "$changed"; then
    said=$(leoctl validate --json "${variables[@]}" --changed "$changed" --repository "$(repository)" -- "$1") || said=
  fi
  rm -f "$changed"
  [ "$said" != '[]' ] || return 0
  say "error: the plan of $1 is out of date: the branch $branch is at $head, which changes what the stack reads"
  return 1
}

# Sets `ids` and `stacks`: the plans of a review that change something.
read_plans() {
  local text line
  text=$(leoctl review "$1") || return 1
  ids=()
  stacks=()
  while IFS= read -r line; do
    [ -z "$line" ] || { ids+=("${line%% *}"); stacks+=("${line#* }"); }
  done <<< "$text"
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
      variables+=("--var=$line")
    done <<< "${LEOCTL_VARIABLES:-}"
    options+=("${variables[@]}")
    ;;
esac
