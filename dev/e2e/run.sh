#!/usr/bin/env bash
# A stock MLflow client over TLS, with a token and with a password, against a server of its own.
# SEALYARD is the binary, VENV the tests' virtual environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
exec "${VENV:?names the virtual environment that dev/test/venv.sh makes}/bin/python" "$here/stock_client.py"
