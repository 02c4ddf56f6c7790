#!/usr/bin/env bash
# The tests' Python packages, from the lock, every hash checked. Made again when the lock changes.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
: "${VENV:?names the folder to make the environment in}"
lock=${LOCK:-dev/ci/requirements.txt}
stamp=$VENV/.lock
if [ -x "$VENV/bin/python" ] && cmp -s "$lock" "$stamp"; then
  echo "up to date: $VENV"
  exit 0
fi
if [ -e "$VENV" ] && [ ! -e "$VENV/pyvenv.cfg" ]; then
  echo "error: $VENV is there and no virtual environment; it is left alone" >&2
  exit 2
fi
echo "making $VENV from $lock (some hundred megabytes the first time) ..."
rm -rf -- "$VENV"
mkdir -p -- "$(dirname -- "$VENV")"
"$PYTHON" -m venv "$VENV"
"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock"
cp "$lock" "$stamp"
