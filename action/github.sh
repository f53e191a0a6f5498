#!/usr/bin/env bash
# What the other scripts need of GitHub, with `gh`, whose token is GH_TOKEN.
#
#   github.sh comment FILE create|update   puts the comment on the pull request: over the one with the same first line,
#                                          else as a new one, unless it is only to be updated
#   github.sh issue FILE true|false        the same with an issue, which `false` closes
#   github.sh reviewed FOLDER              gets the plans of the pull request that this commit was merged by
#   github.sh list FOLDER                  names them to the next job, as JSON
set -euo pipefail
shopt -s nullglob

repository=${GITHUB_REPOSITORY:?the owner/name of the repository}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# The first line of what a filter finds in the pages of an answer; REST API, `per_page` at most 100.
first() {
  local found
  found=$(gh api --paginate "$1" --jq "$2")
  printf '%s' "${found%%$'\n'*}"
}

# The first line of the file: a hidden comment that only ours begin with.
marker() { head -n 1 "$1"; }

comment() {
  local file=$1 how=$2 number id
  [[ ${GITHUB_REF:-} =~ ^refs/pull/([0-9]+)/ ]] || fail "there is no pull request to comment on: GITHUB_REF is ${GITHUB_REF:-not set}"
  number=${BASH_REMATCH[1]}
  id=$(first "repos/$repository/issues/$number/comments?per_page=100" ".[] | select((.body // \"\") | startswith(\"$(marker "$file")\")) | .id")
  if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/comments/$id" --field "body=@$file"
  elif [ "$how" = create ]; then
    gh api --silent --method POST "repos/$repository/issues/$number/comments" --field "body=@$file"
  fi
}

issue() {
  local file=$1 open=$2 number
  number=$(first "repos/$repository/issues?state=open&per_page=100" ".[] | select((.body // \"\") | startswith(\"$(marker "$file")\")) | .number")
  if [ "$open" = true ] && [ -n "$number" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/$number" --field "body=@$file"
  elif [ "$open" = true ]; then
    gh api --silent --method POST "repos/$repository/issues" --raw-field "title=leoctl: changed outside leoctl" --field "body=@$file"
  elif [ -n "$number" ]; then
    gh api --silent --method PATCH "repos/$repository/issues/$number" --raw-field state=closed --field "body=@$file"
  fi
}

reviewed() {
  local folder=$1 head run again
  again="Run this workflow by hand: it plans, waits for its approval, and applies what was approved."
  head=$(first "repos/$repository/commits/$GITHUB_SHA/pulls?per_page=100" \
    ".[] | select(.merged_at != null and .merge_commit_sha == \"$GITHUB_SHA\") | .head.sha")
  [ -n "$head" ] || fail "$GITHUB_SHA was merged by no pull request, so nobody has reviewed a plan of it. $again"
  # Runs of other repositories are not of those who may write to this one.
  run=$(first "repos/$repository/actions/workflows/${LEOCTL_WORKFLOW:-leoctl.yml}/runs?head_sha=$head&event=pull_request&status=success&per_page=100" \
    ".workflow_runs[] | select(.head_repository.full_name == \"$repository\") | .id")
  [ -n "$run" ] || fail "there are no plans of $head: its plan failed, or is too old. $again"
  rm -rf "$folder/plans"
  gh run download "$run" --repo "$repository" --name leoctl-plans --dir "$folder"
}

list() {
  local plan names=
  for plan in "$1"/plans/*.plan; do
    [[ ${plan##*/} =~ ^[A-Za-z0-9._-]+$ ]] || fail "$plan is not a plan of leoctl's"
    names+="${names:+,}\"${plan##*/}\""
  done
  printf 'plans=[%s]\n' "$names" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
}

case ${1:-} in
  comment) comment "$2" "$3" ;;
  issue) issue "$2" "$3" ;;
  reviewed) reviewed "$2" ;;
  list) list "$2" ;;
  *) fail "comment, issue, reviewed or list?" ;;
esac
