#!/usr/bin/env python3
"""Writes docs/src/mlflow-suite.md from the reports of runs: report.py DATE NAME=REPORT.json … (SUITE_REPORT of run.sh).

Ours come first, MLflow's own servers last. A report may have a "note" on how it came about.
"""

import json
import pathlib
import sys
from collections import Counter

TARGET = pathlib.Path(__file__).resolve().parents[2] / "docs/src/mlflow-suite.md"
HEAD = """# MLflow's own tests

`make mlflow-suite` points MLflow 3.12's integration tests at a server in another process: those of tracking, registry, artifacts,
webhooks and OpenTelemetry (`tests/tracking/test_rest_tracking.py`, `test_model_registry.py`, `test_mlflow_artifacts.py`,
`test_client_webhooks.py`, `tests/store/model_registry/test_rest_store_webhooks.py`, `tests/tracing/test_otel_logging.py`,
`test_otel_loading.py`) at ours without TLS and authentication and with `--external-sources record`, those of users and rights
(`tests/server/auth/test_auth.py`, `test_client.py`, `test_client_rbac.py`) at ours with authentication. Each test has an empty server.
`SEALYARD_MLFLOW_TESTS` names a checkout of MLflow, since no package of it carries the tests; `DATABASE=postgresql://…` has each test in a
fresh database below that server; `SUITE_FLAGS=--stock` asks MLflow's own server in the same way. `SUITE_REPORT=FILE` gets every
outcome as JSON, of which `dev/mlflow-suite/report.py` writes this page anew. Continuous integration runs `dev/e2e/families.py`
and `dev/e2e/client.py`, which ask the same endpoints with the released client.

A test is run if it asks a server and does nothing to the insides of one. Each user of the tests of rights gets by grants what MLflow's
default permission gives everybody, since there is none here ([access](access.md)).
"""


def short(test):
    file, name = test.split("::", 1)
    return f"{file.rsplit('/', 1)[-1]}::{name}".replace("|", "\\|")


def tests_of(names):
    """Their functions, each with how often it is there."""
    counts = Counter(name.split("::", 1)[1].split("[", 1)[0] for name in names)
    return ", ".join(f"`{name}`" + (f" ({count})" if count > 1 else "") for name, count in sorted(counts.items()))


def main():
    date, *given = sys.argv[1:]
    runs = [(name, json.loads(pathlib.Path(path).read_text())) for name, path in (each.split("=", 1) for each in given)]
    out = [HEAD, f"## Measured on {date}", "", "| server | run | passed | failed | skipped, or expected to fail, by the test itself |",
           "|---|---|---|---|---|"]
    for name, run in runs:
        counts = Counter(outcome for outcome, _ in run["outcomes"].values())
        failed = counts["failed"] + counts["error"]
        total = sum(counts.values())
        out.append(f"| {name} | {total} | {counts['passed']} | {failed} | {total - counts['passed'] - failed} |")
    for name, run in runs:
        if note := run.get("note"):
            out += ["", f"{name}: {note}"]
    stock = next((run for _, run in runs if run["server"] == "stock"), None)
    for name, run in runs:
        failed = sorted(test for test, (outcome, _) in run["outcomes"].items() if outcome in ("failed", "error"))
        if failed:
            out += ["", f"## Failed on {name}", "", *(f"- `{short(test)}`" for test in failed)]
        if stock and run["server"] != "stock":
            passes = {test for test, (outcome, _) in stock["outcomes"].items() if outcome == "passed"}
            ours = {test for test, (outcome, _) in run["outcomes"].items() if outcome == "passed"}
            missing = sorted(passes - ours - set(failed) - set(run["left_out"]))
            if missing and len(missing) <= 10:
                shown = ", ".join(f"`{short(test)}`" for test in missing)
                out += ["", f"Passed by MLflow's own server and not run on {name}, or expected to fail by the test: {shown}."]
            elif missing:
                out += ["", f"{len(missing)} tests that MLflow's own server passes were not run on {name}."]
    name, run = runs[0]
    everywhere = stock["left_out"] if stock else {}
    for title, wanted in [("Left out for ours only, on purpose", lambda test: test not in everywhere),
                          ("Left out for any server", lambda test: test in everywhere)]:
        reasons = {}
        for test, reason in sorted(run["left_out"].items()):
            if wanted(test):
                reasons.setdefault(reason, []).append(test)
        if reasons:
            out += ["", f"## {title}", "", "| reason | number | tests |", "|---|---|---|"]
            for reason, tests in sorted(reasons.items(), key=lambda each: len(each[1])):
                shown = tests_of(tests) if len(tests) <= 60 else "those parametrised with `[file…]`"
                out.append(f"| {reason} | {len(tests)} | {shown} |")
    TARGET.write_text("\n".join(out) + "\n")


main()
