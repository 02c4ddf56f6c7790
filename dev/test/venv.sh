#!/usr/bin/env bash
# The tests' Python packages, from the lock, every hash checked. Made again when the lock changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
lock=dev/ci/requirements.txt
stamp=$VENV/.lock
if [ -x "$VENV/bin/python" ] && cmp -s "$lock" "$stamp"; then
  echo "up to date: $VENV"
  exit 0
fi
rm -rf "$VENV"
"${PYTHON:-python3}" -m venv "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock"
cp "$lock" "$stamp"
