#!/usr/bin/env python3
"""Runs traces_client.py, an unmodified MLflow client that traces, judges and evaluates, against a server of its own.

The client is a user with EDIT on one experiment and no right to another. After that: the ledger is whole and was not flooded,
and another start still has the traces.
"""

from harness import Failed, Folder, Server, entries, main, run_client


def script():
    with Folder() as folder, Server(folder) as server:
        server.start()
        admin = server.client()
        mine = admin.mlflow("POST", "experiments/create", name="traced")["experiment_id"]
        other = admin.mlflow("POST", "experiments/create", name="others")["experiment_id"]
        _, token = server.user("tracer", ("MANAGE", f"experiment:{mine}"), ("MANAGE", "registered-model:*"))
        settings = {"MLFLOW_TRACKING_TOKEN": token, "E2E_EXPERIMENT": mine, "E2E_OTHER": other}
        before = len(entries(admin))
        print(run_client(server, "traces_client.py", "write", **settings), end="")
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
        print(run_client(server, "traces_client.py", "read", **settings), end="")
        server.stop()


if __name__ == "__main__":
    main(script)
