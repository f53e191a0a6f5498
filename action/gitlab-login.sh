# Read by a job's shell (`. gitlab-login.sh`): leoctl then takes the role AWS_ROLE_ARN with the job's own token
# (STS, AssumeRoleWithWebIdentity). No key is stored anywhere, and none lasts longer than an hour.
#
# shellcheck shell=sh
if [ -z "${LEOCTL_ID_TOKEN:-}" ] || [ -z "${AWS_ROLE_ARN:-}" ]; then
  echo "error: the role or the token is missing: set the variables LEOCTL_PLAN_ROLE and LEOCTL_APPLY_ROLE to the ARNs of the roles" >&2
  exit 1
fi
AWS_WEB_IDENTITY_TOKEN_FILE=$(mktemp)
printf '%s' "$LEOCTL_ID_TOKEN" > "$AWS_WEB_IDENTITY_TOKEN_FILE"
AWS_ROLE_SESSION_NAME=leoctl-$CI_JOB_ID
export AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_SESSION_NAME
