#!/usr/bin/env bash
# What the other scripts need of GitLab, with curl and python3. LEOCTL_COMMENT_TOKEN is a project access token with the
# scope `api`, since a job's own token may not comment. The code of every merge request can read it and use it: set it only
# where everybody who can open one is trusted. It is never the token of the main branch, LEOCTL_GITLAB_TOKEN.
#
#   gitlab.sh comment FILE create|update   puts the comment on the merge request: over ours with the same first line, else
#                                          as a new one, unless it is only to be updated
set -euo pipefail

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# A call of the API. The token is not among the arguments, which other processes can see; and as `Authorization` it is
# not sent on to where an answer redirects.
api() {
  local path=$1
  shift
  curl -fsSL --header @<(printf 'Authorization: Bearer %s\n' "$LEOCTL_COMMENT_TOKEN") "$CI_API_V4_URL/$path" "$@"
}

# The id of the first comment in a page that is ours: we wrote it, and it has our first line. Without one: nothing when
# the page is full, since the next may have it, else `none`.
ours() {
  python3 -I -c '
import json, os, sys
notes = json.load(sys.stdin)
account, marker = int(os.environ["ACCOUNT"]), os.environ["MARKER"]
found = [note["id"] for note in notes if note["author"]["id"] == account and note["body"].startswith(marker)]
print(found[0] if found else ("" if len(notes) == 100 else "none"))'
}

comment() {
  local file=$1 how=$2 notes id= page=1
  [ -n "${CI_MERGE_REQUEST_IID:-}" ] || return 0
  if [ -z "${LEOCTL_COMMENT_TOKEN:-}" ]; then
    echo "LEOCTL_COMMENT_TOKEN is not set: the plan is above and an artifact, and no comment." >&2
    return 0
  fi
  notes="projects/$CI_PROJECT_ID/merge_requests/$CI_MERGE_REQUEST_IID/notes"
  MARKER=$(head -n 1 "$file")
  ACCOUNT=$(api user | python3 -I -c 'import json, sys; print(int(json.load(sys.stdin)["id"]))')
  export MARKER ACCOUNT
  while [ -z "$id" ]; do
    id=$(api "$notes?per_page=100&page=$page" | ours)
    page=$((page + 1))
  done
  if [ "$id" != none ]; then
    api "$notes/$id" --request PUT --data-urlencode "body@$file" > /dev/null
  elif [ "$how" = create ]; then
    api "$notes" --request POST --data-urlencode "body@$file" > /dev/null
  fi
}

case ${1:-} in
  comment) comment "$2" "$3" ;;
  *) fail "comment?" ;;
esac
