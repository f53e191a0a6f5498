#!/usr/bin/env bash
# What the other scripts need of GitHub, with `gh`, whose token is GH_TOKEN.
#
#   github.sh comment FILE create|update   puts the comment on the pull request: over ours with the same first line, else
#                                          as a new one, unless it is only to be updated
#   github.sh issue FILE true|false        the same with an issue, which `false` closes
#
#   LEOCTL_ACCOUNT        who we are, where that cannot be asked [github-actions[bot]]
#   LEOCTL_PULL_REQUEST   the number of the pull request [that of GITHUB_REF]
set -euo pipefail

repository=${GITHUB_REPOSITORY:?the owner/name of the repository}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# A job's own token may not ask who it is.
ACCOUNT=${LEOCTL_ACCOUNT:-}
[ -n "$ACCOUNT" ] || ACCOUNT=$(gh api user --jq .login 2> /dev/null) || ACCOUNT='github-actions[bot]'
# The first line of the file: a hidden comment that ours begin with. What somebody else begins with it is not ours.
MARKER=$(head -n 1 "$2")
export ACCOUNT MARKER
ours='.[] | select(.user.login == $ENV.ACCOUNT and ((.body // "") | startswith($ENV.MARKER)))'

# The first line of what a filter finds in the pages of an answer; REST API, `per_page` at most 100.
first() {
  local found
  found=$(gh api --paginate "$1" --jq "$2")
  printf '%s' "${found%%$'\n'*}"
}

comment() {
  local file=$1 how=$2 number=${LEOCTL_PULL_REQUEST:-} id
  if [ -z "$number" ]; then
    [[ ${GITHUB_REF:-} =~ ^refs/pull/([0-9]+)/ ]] || fail "there is no pull request to comment on: GITHUB_REF is ${GITHUB_REF:-not set}"
    number=${BASH_REMATCH[1]}
  fi
  id=$(first "repos/$repository/issues/$number/comments?per_page=100" "$ours | .id")
  if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/comments/$id" --field "body=@$file"
  elif [ "$how" = create ]; then
    gh api --silent --method POST "repos/$repository/issues/$number/comments" --field "body=@$file"
  fi
}

issue() {
  local file=$1 open=$2 number
  number=$(first "repos/$repository/issues?state=open&per_page=100" "$ours | .number")
  if [ "$open" = true ] && [ -n "$number" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/$number" --field "body=@$file"
  elif [ "$open" = true ]; then
    gh api --silent --method POST "repos/$repository/issues" --raw-field "title=leoctl: changed outside leoctl" --field "body=@$file"
  elif [ -n "$number" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/$number" --raw-field state=closed --field "body=@$file"
  fi
}

case ${1:-} in
  comment) comment "$2" "$3" ;;
  issue) issue "$2" "$3" ;;
  *) fail "comment or issue?" ;;
esac
