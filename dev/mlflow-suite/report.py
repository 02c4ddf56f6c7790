#!/usr/bin/env python3
"""Writes docs/src/mlflow-suite.md from the reports of runs: report.py NAME=REPORT.json … (SUITE_REPORT of run.sh)."""

import json
import pathlib
import sys
from collections import Counter

TARGET = pathlib.Path(__file__).resolve().parents[2] / "docs/src/mlflow-suite.md"
HEAD = """# MLflow's own tests

Written by `dev/mlflow-suite/report.py` from runs of `make mlflow-suite`, which points MLflow 3.12's integration tests
(`test_rest_tracking.py`, `test_model_registry.py`, `test_mlflow_artifacts.py`, `test_client_webhooks.py`) at a server in another
process: ours without TLS and authentication and with `--external-sources record`, and MLflow's own with its proxied artifacts. Each
test has an empty server. A checkout of MLflow is needed, since no package of it carries the tests; continuous integration runs
`dev/e2e/families.py` and `dev/e2e/client.py`, which ask the same endpoints with the released client.

A test is run if it asks a server and does nothing to the insides of one.
"""


def short(test):
    return test.split("::", 1)[1].replace("|", "\\|")


def main():
    runs = [(name, json.loads(pathlib.Path(path).read_text())) for name, path in (each.split("=", 1) for each in sys.argv[1:])]
    out = [HEAD, "| server | run | passed | failed | skipped by the test itself | left out |", "|---|---|---|---|---|---|"]
    for name, run in runs:
        counts = Counter(outcome for outcome, _ in run["outcomes"].values())
        failed = counts["failed"] + counts["error"]
        total = sum(counts.values())
        out.append(f"| {name} | {total} | {counts['passed']} | {failed} | {total - counts['passed'] - failed} | {len(run['left_out'])} |")
    for name, run in runs:
        failed = sorted(test for test, (outcome, _) in run["outcomes"].items() if outcome in ("failed", "error"))
        if failed:
            out += ["", f"## Failed on {name}", "", *(f"- `{short(test)}`" for test in failed)]
    name, run = runs[0]
    reasons = {}
    for test, reason in sorted(run["left_out"].items()):
        reasons.setdefault(reason, []).append(test)
    out += ["", f"## Left out on {name}", "", "| reason | tests |", "|---|---|"]
    for reason, tests in sorted(reasons.items(), key=lambda each: len(each[1])):
        shown = ", ".join(f"`{short(test)}`" for test in tests)
        out.append(f"| {reason} | {len(tests)}: {shown} |")
    TARGET.write_text("\n".join(out) + "\n")


main()
