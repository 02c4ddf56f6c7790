#!/usr/bin/env bash
# All tests. Each part prints what it does; the last line is the sum.
set -uo pipefail
cd "$(dirname "$0")/../.."
CARGO=${CARGO:-cargo}
PYTHON=${PYTHON:-python3}
target=$(realpath -m -- "${CARGO_TARGET_DIR:-target}")
VENV=$(realpath -m -- "${VENV:-$target/venv}")
export PYTHON VENV
# No test script may take longer: a server that hangs is a failure, not a job that never ends.
MOST_SECONDS=${MOST_SECONDS:-900}
passed=0
failed=0
failures=()

say() { printf '\n== %s\n' "$*"; }

# Adds up what cargo's test runner prints.
count() {
  passed=$((passed + $(grep -oE '^test result: .* [0-9]+ passed' "$1" | grep -oE '[0-9]+ passed' | awk '{s+=$1} END {print s+0}')))
  failed=$((failed + $(grep -oE '[0-9]+ failed;' "$1" | awk '{s+=$1} END {print s+0}')))
}

# One script is one test.
script() {
  local name=$1
  shift
  say "$name"
  if timeout --kill-after=20 "$MOST_SECONDS" "$@"; then
    passed=$((passed + 1))
    echo "ok: $name"
  else
    failed=$((failed + 1))
    failures+=("$name")
    echo "FAILED: $name"
  fi
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

say "unit and integration tests (cargo test)"
"$CARGO" test --workspace --locked --no-fail-fast 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
before=$failed
count "$log"
if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
  failed=$((failed + 1))
  failures+=("cargo test did not run to its end")
fi

say "the catalog in PostgreSQL (needs its server: apt-get install postgresql)"
"$CARGO" test --locked -p sealyard-store-sql --features postgres-server --test integration -- postgres:: 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
before=$failed
count "$log"
if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
  failed=$((failed + 1))
  failures+=("the catalog in PostgreSQL")
fi

if [ -n "${SEALYARD_OMS_SAMPLES:-}" ]; then
  say "signatures made elsewhere (SEALYARD_OMS_SAMPLES)"
  "$CARGO" test --locked -p sealyard-evidence --features oms-samples samples 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  before=$failed
  count "$log"
  if [ "$status" -ne 0 ] && [ "$failed" -eq "$before" ]; then
    failed=$((failed + 1))
    failures+=("signatures made elsewhere")
  fi
else
  echo "not run: signatures made elsewhere; set SEALYARD_OMS_SAMPLES and run: cargo test -p sealyard-evidence --features oms-samples"
fi

say "building the release binary"
if "$CARGO" build --release --locked -p sealyard; then
  export SEALYARD=$target/release/sealyard
  script "Python environment from the hash-pinned lock" dev/test/venv.sh
  script "a stock MLflow client over TLS with a token" dev/e2e/run.sh
  script "each family of MLflow's endpoints with the stock client" "$VENV/bin/python" dev/e2e/families.py
  script "a stock MLflow client that traces, judges and evaluates" "$VENV/bin/python" dev/e2e/traces.py
  script "stock MLflow clients in workspaces" "$VENV/bin/python" dev/e2e/workspaces.py
  script "attacks from outside" "$VENV/bin/python" dev/e2e/hostile.py
  export OIDC_PROVIDER=${OIDC_PROVIDER:-$target/oidc-provider}
  script "the OpenID provider of the tests, from its lock" dev/test/oidc-provider.sh
  script "log-ins at an OpenID provider, machines, attacks" "$VENV/bin/python" dev/e2e/oidc.py
  script "MLflow's pages in Chromium, behind the log in" "$VENV/bin/python" dev/e2e/ui.py
  saml=${SAML_VENV:-$target/saml-venv}
  script "the SAML provider of the tests, from its lock" env LOCK=dev/saml/requirements.txt VENV="$saml" dev/test/venv.sh
  script "log-ins at a SAML provider, attacks" env IDP="$saml/bin/nanoidp" "$VENV/bin/python" dev/e2e/saml.py
  otlp=${OTLP_VENV:-$target/otlp-venv}
  script "the OpenTelemetry collector of the tests, from its lock" env LOCK=dev/otlp/requirements.txt VENV="$otlp" dev/test/venv.sh
  script "the ledger sent on to rsyslog, a collector, a webhook, a file" env ROTEL="$(echo "$otlp"/lib/python3*/site-packages/rotel/rotel-agent)" "$VENV/bin/python" dev/e2e/ledger_export.py
  script "people of a real OpenLDAP server sign in" "$VENV/bin/python" dev/e2e/ldap.py
  script "the Python package with MLflow 2 and 3" dev/clients/test.sh
  script "model-signing verifies ours and we verify its" dev/oms/run.sh
  script "killed at random moments, nothing acknowledged is lost" "$VENV/bin/python" dev/e2e/crash.py
  script "PostgreSQL killed and restarted while clients write" "$VENV/bin/python" dev/e2e/postgres.py
  script "the vault on a real S3 server" dev/test/s3.sh
  script "16 clients write at once, nothing is lost or doubled" "$VENV/bin/python" dev/bench/writers.py --clients 16 --seconds 10
  script "power cut at random moments, nothing acknowledged is lost" "$VENV/bin/python" dev/e2e/powercut.py
  script "the disk is full, and then is not" "$VENV/bin/python" dev/e2e/diskfull.py
  script "ten thousand malformed requests" "$VENV/bin/python" dev/e2e/malformed.py
  script "an MLflow store is imported, whatever kills the import meanwhile" "$VENV/bin/python" dev/e2e/migrate.py
  script "backed up under load, killed, lost, restored elsewhere" "$VENV/bin/python" dev/e2e/restore_drill.py
  script "nothing in plain in all that a server writes" "$VENV/bin/python" dev/e2e/plaintext.py
  script "less than 60 MB when idle, less than 100 ms of CPU for a start" "$VENV/bin/python" dev/e2e/footprint.py --no-start-bound
  script "the doctor: what it says and sees" "$VENV/bin/python" dev/e2e/doctor.py
  script "certificates from a real ACME directory" "$PYTHON" dev/e2e/acme.py
  script "stock MLflow clients that show a certificate" "$VENV/bin/python" dev/e2e/certificates.py
else
  failed=$((failed + 1))
  failures+=("release build")
fi

for name in "${failures[@]:-}"; do
  [ -n "$name" ] && echo "FAILED: $name"
done
echo
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
