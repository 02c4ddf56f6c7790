#!/usr/bin/env bash
# Installs the identity provider of dev/e2e/oidc.py, from a lock with hashes, into OIDC_PROVIDER.
set -euo pipefail
cd "$(dirname "$0")/../e2e/oidc"
: "${OIDC_PROVIDER:?names no folder}"
for program in node npm; do
  command -v "$program" >/dev/null || { echo "error: $program is missing. On Debian: apt-get install nodejs npm" >&2; exit 2; }
done
mkdir -p "$OIDC_PROVIDER"
if cmp -s package-lock.json "$OIDC_PROVIDER/package-lock.json" && [ -d "$OIDC_PROVIDER/node_modules/oidc-provider" ]; then
  exit 0
fi
cp package.json .npmrc "$OIDC_PROVIDER/"
# The lock comes last, so that half an installation is not taken for a whole one.
cp package-lock.json "$OIDC_PROVIDER/npm-shrinkwrap.json"
(cd "$OIDC_PROVIDER" && npm ci --no-progress --silent)
cp package-lock.json "$OIDC_PROVIDER/package-lock.json"
