# Read by a script (`. github-login.sh`): leoctl then takes the role AWS_ROLE_ARN with the job's own token (STS,
# AssumeRoleWithWebIdentity). A role's credentials end after an hour, and a token after some minutes: a new one is put into
# the file every few minutes, and leoctl reads it whenever its credentials end. So an apply may take as long as the job.
#
# shellcheck shell=bash

login=$(mktemp -d)

# Puts a new token into the file, whole.
renew() {
  curl -fsSL --retry 3 --header @<(printf 'Authorization: Bearer %s\n' "$ACTIONS_ID_TOKEN_REQUEST_TOKEN") \
    "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=sts.amazonaws.com" |
    python3 -I -c 'import json, sys; print(json.load(sys.stdin)["value"], end="")' > "$login/new" &&
    mv "$login/new" "$login/token"
}

umask 077
renew || fail "GitHub gives the job no token: it needs \`permissions: id-token: write\`"
while sleep "${LEOCTL_RENEW:-240}"; do renew; done > /dev/null 2>&1 &
renewing=$!
trap 'kill "$renewing" 2> /dev/null; rm -rf "$login"; printf "::%s::\n" "${resume:-}"' EXIT
export AWS_WEB_IDENTITY_TOKEN_FILE=$login/token AWS_ROLE_ARN
export AWS_ROLE_SESSION_NAME=leoctl-${GITHUB_RUN_ID:-0}
