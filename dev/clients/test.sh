#!/usr/bin/env bash
# Tests of clients/python with a late MLflow 2 and with MLflow 3: each in an environment of its own from a lock with hashes,
# with the package as a wheel. With SEALYARD naming the binary, against a server too.
set -euo pipefail
cd "$(dirname "$0")/../.."
PYTHON=${PYTHON:-python3}
: "${VENV:?names a folder; the environments are made beside it}"
pythons=()
for version in 2 3; do
  environment=$VENV-client$version
  lock=dev/clients/mlflow$version.txt
  if ! { [ -x "$environment/bin/python" ] && cmp -s "$lock" "$environment/.lock"; }; then
    if [ -e "$environment" ] && [ ! -e "$environment/pyvenv.cfg" ]; then
      echo "error: $environment is there and no virtual environment; it is left alone" >&2
      exit 2
    fi
    echo "making $environment from $lock ..."
    rm -rf -- "$environment"
    "$PYTHON" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
      --only-binary :all: -r "$lock"
    cp "$lock" "$environment/.lock"
  fi
  # Built from a copy, so that nothing is left in the tree; always anew, since the sources may have changed.
  copy=$(mktemp -d)
  trap 'rm -rf -- "$copy"' EXIT
  cp -R clients/python "$copy/"
  "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index \
    --force-reinstall "$copy/python"
  (cd "$copy/python" && "$environment/bin/python" -m pytest -q -p no:cacheprovider tests)
  if [ -x "$environment/bin/mypy" ]; then
    (cd "$copy/python" && "$environment/bin/mypy" --cache-dir "$copy/cache")
  fi
  rm -rf -- "$copy"
  pythons+=("$environment/bin/python")
done
if [ -n "${SEALYARD:-}" ]; then
  CLIENT_PYTHONS=$(IFS=:; echo "${pythons[*]}") "$PYTHON" dev/e2e/plugin.py
else
  echo "not run: against a server; set SEALYARD"
fi
