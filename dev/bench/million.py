#!/usr/bin/env python3
"""Searches among many runs: CPU time of a first and a deep page by metric range, parameter, tag and start time.

    dev/bench/million.py [--runs 1000000] [--points 100] [--folder DIR] [--keep] [--json FILE]

Fills a catalog of its own (about 10 GB and a quarter of an hour at full size) by `cargo run --release --example million`,
prints a table, and fails when a page takes more than MILLION_MS (50) of CPU time. --points is metric values of each run.
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
LIMIT_MS = float(os.environ.get("MILLION_MS", "50"))


def table(rows):
    wide = max(len(row["search"]) for row in rows)
    print(f"{'search':{wide}}  first page  deep page  behind")
    for row in rows:
        print(f"{row['search']:{wide}}  {row['first_ms']:7.2f} ms {row['deep_ms']:7.2f} ms  {row['passed']:,}")


def main():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--runs", type=int, default=1_000_000)
    asked.add_argument("--points", type=int, default=100)
    asked.add_argument("--folder", type=Path, help="where the catalog is made, or is from an earlier time")
    asked.add_argument("--keep", action="store_true", help="leave the catalog there")
    asked.add_argument("--json", type=Path)
    asked.add_argument("--debug", action="store_true", help="an unoptimised build, to try this script")
    asked = asked.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="sealyard-million-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        profile = [] if asked.debug else ["--release"]
        command = ["cargo", "run", "-q", *profile, "--locked", "-p", "sealyard-store-sql", "--example", "million", "--",
                   str(folder), str(asked.runs), str(asked.points)]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"error: the searches ended with {done.returncode}")
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        size = sum(path.stat().st_size for path in folder.glob("catalog.db*"))
    finally:
        if not asked.keep and not asked.folder:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{asked.runs:,} runs, {asked.runs * asked.points:,} metric values, {size / 1e9:.1f} GB; CPU time of a page of 100")
    table(rows)
    if asked.json:
        asked.json.write_text(json.dumps({"runs": asked.runs, "points": asked.points, "searches": rows}, indent=1) + "\n")
    slow = [row["search"] for row in rows if max(row["first_ms"], row["deep_ms"]) > LIMIT_MS]
    if slow and not asked.debug:
        sys.exit(f"error: above {LIMIT_MS:g} ms: {', '.join(slow)}")


if __name__ == "__main__":
    main()
