#!/usr/bin/env python3
"""Searches among many ledger entries: pages of 100, by actor, subject, act, rule, time and both ends of all.

    dev/bench/ledger.py [--entries 10000000] [--folder DIR] [--keep] [--profile release]

Fills a catalog of its own (about 5 GB at full size) by `cargo run --example ledger_search`, which writes as the server does,
and prints its lines: median and worst of nine pages each, of which the first is read from the disk. Fails when the worst page
takes more than LEDGER_MS (100) of processor time, or half of them take longer than that by the clock.
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


def forget(folder):
    """Puts the catalog out of the system's cache, so that it is read from the disk once more."""
    for path in folder.glob("catalog.db*"):
        with path.open("rb+") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=10_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the catalog there")
    parser.add_argument("--profile", default="release", help="of cargo")
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="sealyard-ledger-"))
    folder.mkdir(parents=True, exist_ok=True)
    example = ["cargo", "run", "--profile", options.profile, "--locked", "-q", "-p", "sealyard-store-sql", "--example", "ledger_search"]

    def lines(task):
        command = [*example, "--", task, str(folder), str(options.entries)]
        run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line) for line in run.stdout.splitlines()]

    try:
        for line in lines("fill"):
            line["bytes"] = sum(file.stat().st_size for file in folder.glob("catalog.db*"))
            print(json.dumps(line), flush=True)
        forget(folder)
        measured = lines("search")
        for line in measured:
            print(json.dumps(line))
        slow = [line for line in measured if max(line["cpu_worst_ms"], line["wall_ms"]) > LIMIT_MS]
        for line in slow:
            print(f"too slow: {line.get('search', 'a proof')}", file=sys.stderr)
        return 1 if slow or not measured else 0
    except subprocess.CalledProcessError as error:
        return error.returncode
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
