#!/bin/sh
# Runs as root while the container's image is built. VERSION and _REMOTE_USER come from the tool that builds it.
set -eu

state=/var/lib/porthole
user="${_REMOTE_USER:-root}"

# The volume that is mounted here takes owner and mode from the image. Keys are in it, so nobody else may read it.
mkdir -p "$state"
chown "$user" "$state"
chmod 700 "$state"

if [ "${VERSION:-latest}" = none ]; then
  exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
  echo "Porthole's command line needs Node 20.18 or later. Add the feature ghcr.io/devcontainers/features/node, or set \"version\": \"none\"." >&2
  exit 1
fi
npm install --global "porthole@${VERSION:-latest}"
