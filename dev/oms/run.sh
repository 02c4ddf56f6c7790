#!/usr/bin/env bash
# Signatures in OMS format, both ways: model-signing verifies ours, and we verify those it made.
# SEALYARD is the binary, VENV the tests' virtual environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
: "${SEALYARD:?names the sealyard binary}" "${VENV:?names the virtual environment that dev/test/venv.sh makes}"
command -v openssl >/dev/null || { echo "error: openssl is missing; the test makes its keys with it. On Debian: apt-get install openssl" >&2; exit 2; }
# The script below works in a folder of its own, so what it gets must not depend on ours. Links stay: a virtual
# environment's python is one, and only works by its own name.
absolute() { printf '%s/%s' "$(cd "$(dirname "$1")" && pwd)" "$(basename "$1")"; }
SEALYARD=$(absolute "$SEALYARD") PYTHON=$(absolute "$VENV/bin/python") \
  timeout --kill-after=10 600 "$here/interop.sh"
