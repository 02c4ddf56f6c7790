#!/usr/bin/env bash
# The vault's tests with a real S3 server, which this starts on loopback and stops: cargo test --features s3.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${VENV:?names the environment that has weed; dev/test/venv.sh makes it}"
export VENV
exec "$VENV/bin/python" - <<'PYTHON'
import os, subprocess, sys
sys.path.insert(0, "dev/e2e")
from harness import Folder
from storage import Weed

with Folder() as folder, Weed(folder) as weed:
    weed.start()
    environment = {**os.environ, **weed.environment(), "SEALYARD_TEST_S3": "s3://models/test"}
    sys.exit(subprocess.run([os.environ.get("CARGO", "cargo"), "test", "--locked", "-p", "sealyard-vault", "--features", "s3",
                             "--test", "integration", "a_real_s3_server"], env=environment).returncode)
PYTHON
