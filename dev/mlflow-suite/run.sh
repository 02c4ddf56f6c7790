#!/usr/bin/env bash
# MLflow's own integration tests against our server.
#   run.sh [--stock] [pytest arguments, or files below the checkout]
# SEALYARD_MLFLOW_TESTS names a checkout of MLflow with its tests, SEALYARD the binary, SUITE_VENV the environment (which
# `make mlflow-suite` makes). DATABASE=postgresql://… has each test in a fresh database below that server. SUITE_REPORT=FILE gets all results
# as JSON. --stock asks MLflow's own server, for comparison.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
if [ ! -d "${SEALYARD_MLFLOW_TESTS:-}/tests/tracking" ]; then
  echo "error: SEALYARD_MLFLOW_TESTS names no checkout of MLflow with its tests (git clone --depth 1 https://github.com/mlflow/mlflow)" >&2
  exit 2
fi
server=sealyard
if [ "${1:-}" = --stock ]; then server=stock; shift; fi
if [ "$server" = sealyard ] && [ ! -x "${SEALYARD:-}" ]; then
  echo "error: SEALYARD names no binary" >&2
  exit 2
fi
if [ ! -x "${SUITE_VENV:-}/bin/python" ]; then
  echo 'error: SUITE_VENV names no environment; `make mlflow-suite` makes it' >&2
  exit 2
fi
named=no
for argument in "$@"; do
  case $argument in tests/*) named=yes ;; esac
done
if [ "$named" = no ]; then
  set -- "$@" tests/tracking/test_rest_tracking.py tests/tracking/test_model_registry.py \
    tests/tracking/test_mlflow_artifacts.py tests/tracking/test_client_webhooks.py \
    tests/store/model_registry/test_rest_store_webhooks.py tests/tracing/test_otel_logging.py tests/tracing/test_otel_loading.py \
    tests/server/auth/test_auth.py tests/server/auth/test_client.py tests/server/auth/test_client_rbac.py
fi
[ -z "${SEALYARD:-}" ] || SEALYARD=$(realpath -- "$SEALYARD")
[ -z "${SUITE_REPORT:-}" ] || SUITE_REPORT=$(realpath -m -- "$SUITE_REPORT")
python=$(cd "$SUITE_VENV" && pwd)/bin/python
export SEALYARD SUITE_REPORT SUITE_SERVER=$server SUITE_DATABASE=${DATABASE:-} PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1
export MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true
cd "$SEALYARD_MLFLOW_TESTS"
exec "$python" -m pytest -p plugin -p no:cacheprovider -q --timeout=120 --no-header -rfE --tb=short "$@"
