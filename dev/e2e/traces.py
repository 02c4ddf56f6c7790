#!/usr/bin/env python3
"""Runs traces_client.py, an unmodified MLflow client that traces, judges and evaluates, against a server of its own.

The client is a user with EDIT on one experiment and no right to another. After that: the ledger is whole and was not flooded,
and another start still has the traces.
"""

import subprocess
import sys
from pathlib import Path

from harness import Failed, Folder, Server, check, entries, environment, main

CLIENT_SECONDS = 300


def run_client(server, folder, part, token, **more):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    settings = environment(
        HOME=str(home), MLFLOW_TRACKING_URI=server.url, MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true",
        MLFLOW_TRACKING_SERVER_CERT_PATH=str(server.certificate), PYTHONWARNINGS="ignore", MLFLOW_TRACKING_TOKEN=token,
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="2", **more)
    script = Path(__file__).with_name("traces_client.py")
    try:
        done = subprocess.run([sys.executable, str(script), part], env=settings, cwd=home, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=CLIENT_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"the client took longer than {CLIENT_SECONDS} s:\n{late.stdout}\n{late.stderr}") from None
    if done.returncode != 0:
        raise Failed(f"the client ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n"
                     f"the server's log:\n{server.tail()}")
    return done.stdout


def script():
    with Folder() as folder, Server(folder) as server:
        server.start()
        admin = server.client()
        mine = admin.mlflow("POST", "experiments/create", name="traced")["experiment_id"]
        other = admin.mlflow("POST", "experiments/create", name="others")["experiment_id"]
        _, token = server.user("tracer", ("MANAGE", f"experiment:{mine}"), ("MANAGE", "registered-model:*"))
        before = len(entries(admin))
        print(run_client(server, folder, "write", token, E2E_EXPERIMENT=mine, E2E_OTHER=other), end="")
        # The server ends connections that nothing comes by for a while.
        admin.close()
        admin = server.client()
        acts = [entry["event"]["act"] for entry in entries(admin)[before:]]
        for act in ["traces-deleted", "evaluation-dataset-created", "evaluation-dataset-changed", "evaluation-dataset-deleted",
                    "scorer-registered", "access-denied"]:
            if act not in acts:
                raise Failed(f"the ledger has no {act}: {acts}")
        if len(acts) > 60:
            raise Failed(f"more than a hundred traces made {len(acts)} entries of the ledger")
        print(f"ok      the ledger has {len(acts)} entries for more than a hundred traces")
        admin.close()
        server.stop()
        server.verify_ledger()
        server.start()
        print(run_client(server, folder, "read", token, E2E_EXPERIMENT=mine, E2E_OTHER=other), end="")
        server.stop()


if __name__ == "__main__":
    main(script)
