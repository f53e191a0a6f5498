#!/usr/bin/env bash
# What the other scripts need of GitLab, with curl and python3. LEOCTL_GITLAB_TOKEN is a project access token with the
# scope `api`, since a job's own token may not comment.
#
#   gitlab.sh comment FILE create|update   puts the comment on the merge request: over the one with the same first line,
#                                          else as a new one, unless it is only to be updated
#   gitlab.sh reviewed FOLDER              gets the plans of the merge request that this commit was merged by
set -euo pipefail

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# A call of the project's API. The token is not among the arguments, which other processes can see; and as
# `Authorization` it is not sent on to where an answer redirects.
api() {
  local path=$1
  shift
  curl -fsSL --header @<(printf 'Authorization: Bearer %s\n' "$LEOCTL_GITLAB_TOKEN") "$CI_API_V4_URL/projects/$CI_PROJECT_ID/$path" "$@"
}

# What a Python expression says of the first `one` of a JSON list that a condition holds for. Without one: nothing when the
# page is full, since the next may have it, else `none`.
pick() {
  python3 -c '
import json, os, sys
rows = json.load(sys.stdin)
environment = os.environ
found = [eval(sys.argv[2]) for one in rows if eval(sys.argv[1])]
print(found[0] if found else ("" if len(rows) == 100 else "none"))' "$1" "$2"
}

comment() {
  local file=$1 how=$2 notes id= page=1
  [ -n "${CI_MERGE_REQUEST_IID:-}" ] || return 0
  if [ -z "${LEOCTL_GITLAB_TOKEN:-}" ]; then
    echo "LEOCTL_GITLAB_TOKEN is not set: the plan is above, and not on the merge request." >&2
    return 0
  fi
  notes="merge_requests/$CI_MERGE_REQUEST_IID/notes"
  MARKER=$(head -n 1 "$file")
  export MARKER
  while [ -z "$id" ]; do
    id=$(api "$notes?per_page=100&page=$page" | pick 'one["body"].startswith(environment["MARKER"])' 'one["id"]')
    page=$((page + 1))
  done
  if [ "$id" != none ]; then
    api "$notes/$id" --request PUT --data-urlencode "body@$file" > /dev/null
  elif [ "$how" = create ]; then
    api "$notes" --request POST --data-urlencode "body@$file" > /dev/null
  fi
}

reviewed() {
  local folder=$1 request pipeline job again unpacked
  # Run by hand, the plans are those of the job before.
  [ "${CI_PIPELINE_SOURCE:-}" != web ] || return 0
  again="Run a pipeline by hand on the main branch: it plans, and applies after a click."
  [ -n "${LEOCTL_GITLAB_TOKEN:-}" ] || fail "LEOCTL_GITLAB_TOKEN is not set: the reviewed plans cannot be found"
  request=$(api "repository/commits/$CI_COMMIT_SHA/merge_requests?per_page=100" |
    pick 'one["state"] == "merged" and environment["CI_COMMIT_SHA"] in (one.get("merge_commit_sha"), one.get("squash_commit_sha"), one.get("sha"))' 'one["iid"]')
  [ "$request" != none ] || fail "$CI_COMMIT_SHA was merged by no merge request, so nobody has reviewed a plan of it. $again"
  # The newest first; only one that ended well counts.
  pipeline=$(api "merge_requests/$request/pipelines?per_page=100" |
    pick 'one.get("source") == "merge_request_event"' 'one["id"] if one["status"] == "success" else "none"')
  [ "$pipeline" != none ] || fail "the last pipeline of merge request !$request made no plans. $again"
  job=$(api "pipelines/$pipeline/jobs?per_page=100" | pick 'one["name"] == "leoctl-plan" and one["status"] == "success"' 'one["id"]')
  [ "$job" != none ] || fail "there are no plans of merge request !$request. $again"
  unpacked=$(mktemp -d)
  api "jobs/$job/artifacts" --output "$unpacked/artifacts.zip"
  python3 -m zipfile -e "$unpacked/artifacts.zip" "$unpacked"
  rm -rf "$folder/plans"
  mkdir -p "$folder"
  cp -R "$unpacked/leoctl-out/." "$folder"
  rm -rf "$unpacked"
}

case ${1:-} in
  comment) comment "$2" "$3" ;;
  reviewed) reviewed "$2" ;;
  *) fail "comment or reviewed?" ;;
esac
