#!/usr/bin/env bash
# Puts leoctl on the PATH, and prints the folder it is in.
#
#   LEOCTL_BINARY   one that is there already
#   LEOCTL_URL      a release: the binary, or a .tar.gz with it inside; over HTTPS only
#   LEOCTL_SHA256   what the file of LEOCTL_URL has to hash to
#   LEOCTL_GIT      a repository to build it from, with cargo
#   LEOCTL_REV      the commit of LEOCTL_GIT
#
# The first of them that is set counts. With none, leoctl has to be on the PATH.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

# A folder of this job alone: what another job has left anywhere is neither used nor put on the PATH.
folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/leoctl.XXXXXX")

download() {
  local file=$folder/download found
  say "Downloading $LEOCTL_URL"
  curl -fsSL --proto '=https' --retry 3 -o "$file" "$LEOCTL_URL"
  if [ -n "${LEOCTL_SHA256:-}" ]; then
    printf '%s  %s\n' "$LEOCTL_SHA256" "$file" | sha256sum --check --quiet >&2 || {
      say "error: the file is not the one that LEOCTL_SHA256 is of"
      exit 1
    }
  else
    say "LEOCTL_SHA256 is not set: the file is used as it came"
  fi
  case "$LEOCTL_URL" in
    *.tar.gz | *.tgz)
      mkdir -p "$folder/unpacked"
      tar -xzf "$file" -C "$folder/unpacked"
      found=$(find "$folder/unpacked" -type f -name leoctl)
      [ -n "$found" ] || { say "error: there is no leoctl in $LEOCTL_URL"; exit 1; }
      [ -f "$found" ] || { say "error: there is more than one leoctl in $LEOCTL_URL"; exit 1; }
      mv "$found" "$folder/leoctl"
      ;;
    *) mv "$file" "$folder/leoctl" ;;
  esac
  chmod 755 "$folder/leoctl"
}

if [ -n "${LEOCTL_BINARY:-}" ]; then
  [ -x "$LEOCTL_BINARY" ] || { say "error: LEOCTL_BINARY=$LEOCTL_BINARY is no program"; exit 1; }
  cp "$LEOCTL_BINARY" "$folder/leoctl"
elif [ -n "${LEOCTL_URL:-}" ]; then
  download
elif [ -n "${LEOCTL_GIT:-}" ]; then
  say "Building leoctl from $LEOCTL_GIT"
  # Not here: cargo does what the `.cargo/config.toml` and the `rust-toolchain.toml` of the folder it is run in say.
  cd "$folder"
  cargo install --locked --git "$LEOCTL_GIT" ${LEOCTL_REV:+--rev "$LEOCTL_REV"} --root "$folder" leoctl >&2
  cp "$folder/bin/leoctl" "$folder/leoctl"
elif found=$(command -v leoctl); then
  folder=$(cd "$(dirname "$found")" && pwd)
else
  say "error: where does leoctl come from? Set the variable LEOCTL_URL (with LEOCTL_SHA256), LEOCTL_GIT or LEOCTL_BINARY"
  exit 1
fi

"$folder/leoctl" --version >&2
if [ -n "${GITHUB_PATH:-}" ]; then
  printf '%s\n' "$folder" >> "$GITHUB_PATH"
fi
printf '%s\n' "$folder"
