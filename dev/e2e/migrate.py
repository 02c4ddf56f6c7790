#!/usr/bin/env python3
"""A store as MLflow makes it, imported with `sealyard migrate`, killed and gone on with, and read back by an MLflow client.

The store is made by the installed MLflow itself: experiments (one in the bin), runs with parameters, tags, metric histories with
NaN and infinities, data sets, nested runs, one deleted run; logged models of scikit-learn and one that is unsafe; a registry with
gaps in its numbers, aliases, stages, tags; artifacts with odd names, a link out of the folder among them.
"""

import json
import math
import os
import random
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, environment, main

SEED = os.environ.get("MIGRATE_SEED") or secrets.token_hex(4)
KILLS = int(os.environ.get("MIGRATE_KILLS", "4"))
MAKE = Path(__file__).with_name("migrate_source.py")


def make_source(folder):
    """The store, made by another process: MLflow's client keeps much in mind."""
    done = subprocess.run([sys.executable, str(MAKE), str(folder)], capture_output=True, text=True, timeout=600,
                          env=environment(HOME=str(folder)), cwd=folder)
    if done.returncode:
        raise Failed(f"the source could not be made:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")
    return json.loads((folder / "facts.json").read_text())


def migrate(source, target, *more, wait=True):
    users = ["--auth-db", str(source / "basic_auth.db")] if (source / "basic_auth.db").exists() else []
    command = [binary(), "migrate", "--from", str(source / "mlflow.db"), "--to", str(target), "--format", "json", *users, *more]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               cwd=source, env=environment(HOME=str(source)), start_new_session=True)
    if not wait:
        return process
    out, error = process.communicate(timeout=600)
    return process.returncode, json.loads(out) if out.startswith("{") else None, error


def verified(report):
    """Every table of every experiment is the same on both sides."""
    check("finished", report["finished"], True)
    tables = {(experiment, table): found for experiment, tables in report["experiments"].items() for table, found in tables.items()}
    differing = {key: found for key, found in tables.items() if not found["same"]}
    check("tables that differ", differing, {})
    return tables


def read_back(server, facts):
    """What an MLflow client sees on the new server is what it saw of the old store."""
    os.environ.update(MLFLOW_TRACKING_URI=server.url, MLFLOW_TRACKING_TOKEN=server.token,
                      MLFLOW_TRACKING_SERVER_CERT_PATH=str(server.certificate), NO_PROXY="127.0.0.1,localhost")
    import mlflow
    from migrate_source import describe
    found = describe(mlflow, server.url, facts)
    for key, wanted in facts["described"].items():
        check(f"what a client sees of {key}", found.get(key), wanted)
    model = mlflow.pyfunc.load_model(facts["model_uri"])
    check("prediction of an imported model", [float(x) for x in model.predict([[1.0], [2.0]])], facts["prediction"])


def script():
    print(f"MIGRATE_SEED={SEED}", flush=True)
    random_source = random.Random(SEED)
    with Folder() as folder:
        source = folder / "mlflow"
        source.mkdir()
        facts = make_source(source)
        before = sorted((str(path), path.stat().st_mtime_ns) for path in source.rglob("*") if path.is_file() and path.name != "facts.json")

        code, report, error = migrate(source, folder / "dry", "--dry-run")
        check("exit code of a dry run", (code, report["dry_run"], report["would_import"]["runs"]), (0, True, facts["runs"]))

        for attempt in range(6):
            target = folder / "data"
            shutil.rmtree(target, ignore_errors=True)
            kills, finished = 0, None
            for _ in range(KILLS):
                process = migrate(source, target, wait=False)
                time.sleep(random_source.uniform(0.02, 0.4 / 2**attempt))
                if process.poll() is not None:
                    out, error = process.communicate()
                    finished = process.returncode, json.loads(out) if out.startswith("{") else None, error
                    break
                process.kill()
                kills += 1
                process.communicate()
            code, report, error = finished or migrate(source, target)
            if kills:
                break
        if not kills:
            raise Failed("the import was never killed: it was faster than every chance to do so")
        if report is None:
            raise Failed(f"migrate: {code} {error[-3000:]}")
        refused = {found["what"]: found["rule"] for found in report["refused"]}
        tables = verified(report)
        check("exit code with refusals", code, 1)
        check("what is refused", sorted(refused), sorted(facts["refused"]))
        if not any(rule.startswith("scan:") for rule in refused.values()):
            raise Failed(f"no scan refused the unsafe file: {refused}")
        check("runs", sum(found["target"] for (_, table), found in tables.items() if table == "runs"), facts["runs"])
        check("metrics", sum(found["target"] for (_, table), found in tables.items() if table == "metrics"), facts["metrics"])
        if not sum(found["target"] for (_, table), found in tables.items() if table == "artifacts"):
            raise Failed("no artifact was imported")
        print(f"ok      imported after {kills} kills: {facts['runs']} runs, {facts['metrics']} metrics; refused {len(refused)}", flush=True)

        code, again, _ = migrate(source, target)
        check("a second time", (code, again["already"], again["refused"]), (1, True, report["refused"]))
        check("what was compared is still told", (again["experiments"], again["verified_at"]), (report["experiments"], report["verified_at"]))
        after = sorted((str(path), path.stat().st_mtime_ns) for path in source.rglob("*") if path.is_file() and path.name != "facts.json")
        check("files of the source", [f for f in after if not f[0].endswith(("-wal", "-shm"))], [f for f in before if not f[0].endswith(("-wal", "-shm"))])

        with Server(folder) as server:
            server.start()
            server.verify_ledger()
            read_back(server, facts)
            client = server.client()
            [held] = client.call("GET", "/api/2.0/mlflow/users/get?username=grace")["user"]["experiment_permissions"]
            check("the right of an imported user", (held["experiment_id"], held["permission"]), (facts["experiments"][0], "EDIT"))
            made = client.mlflow("POST", "experiments/create", name="after the migration")["experiment_id"]
            if int(made) <= max(int(id) for id in facts["experiments"]):
                raise Failed(f"a new experiment got the old id {made}")
            client.close()
            server.stop()
            print("ok      an MLflow client sees on the new server what it saw of the old store", flush=True)

        conflicts(folder, source, target)
        unknown_sources(folder, source)


def conflicts(folder, source, target):
    """Nothing is mixed: not with what somebody made, and not with another store."""
    with Server(folder, name="used") as server:
        server.start()
        client = server.client()
        client.mlflow("POST", "experiments/create", name="somebody's")
        client.close()
        code, _, error = migrate(source, server.data)
        check("into a directory that a server has open", (code, "in use" in error), (2, True))
        server.stop()
        code, _, error = migrate(source, server.data)
        check("into a used directory", (code, "holds experiments" in error), (2, True))
    other = folder / "other"
    other.mkdir()
    shutil.copy(source / "mlflow.db", other / "mlflow.db")
    (other / "mlruns").mkdir()
    with sqlite3.connect(other / "mlflow.db") as database:
        database.execute("UPDATE experiments SET creation_time = creation_time + 1")
    code, _, error = migrate(other, target)
    check("another store into the same directory", (code, "another store" in error), (2, True))
    print("ok      targets that hold other things are refused", flush=True)


def unknown_sources(folder, source):
    other = folder / "unknown"
    other.mkdir()
    (other / "mlruns").mkdir()
    shutil.copy(source / "mlflow.db", other / "mlflow.db")
    with sqlite3.connect(other / "mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    code, _, error = migrate(other, folder / "never")
    check("an unknown revision", (code, "mlflow db upgrade" in error), (2, True))
    for content in [b"", b"no database", b"SQLite format 3\0" + bytes(4000)]:
        (other / "mlflow.db").write_bytes(content)
        code, _, error = migrate(other, folder / "never")
        check(f"no database of MLflow's: {content[:20]!r}", (code, "panicked" in error), (2, False))
    check("nothing was made for them", (folder / "never").exists(), False)
    print("ok      sources that are not known are refused", flush=True)


if __name__ == "__main__":
    main(script)
