#!/usr/bin/env python3
"""Searches among many ledger entries: CPU time of a page of 100, by actor, subject, act, rule, time and both ends of all.

    dev/bench/ledger.py [--entries 10000000] [--folder DIR] [--keep]

Fills a catalog of its own (about 5 GB at full size) by `cargo run --release --example ledger_search`, prints its lines, and
fails when a page takes more than LEDGER_MS (100) of CPU time.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_MS = float(os.environ.get("LEDGER_MS", "100"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the catalog there")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="sealyard-ledger-"))
    folder.mkdir(parents=True, exist_ok=True)
    command = ["cargo", "run", "--release", "-q", "-p", "sealyard-store-sql", "--example", "ledger_search", "--"]
    try:
        run = subprocess.run([*command, str(folder), str(options.entries)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if run.returncode:
            return run.returncode
        slow = 0
        for line in run.stdout.splitlines():
            print(line)
            slow += json.loads(line).get("cpu_ms", 0) > LIMIT_MS
        return 1 if slow else 0
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
