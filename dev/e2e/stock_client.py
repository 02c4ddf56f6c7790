#!/usr/bin/env python3
"""Runs client.py, an unmodified MLflow client, against a server, then looks at what the server left on disk.

The client is a user with MANAGE on experiments and registered models, who is no administrator: once with a token, once
with name and password. After that: no plaintext of what was uploaded anywhere on disk, nothing that others may read, a
ledger that is whole, and a second start that still has it all.
"""

import os
import secrets
from pathlib import Path

from harness import Failed, Folder, Server, check, entries, main, run_client

# Beside our own random text: what the client's artifacts hold and nothing else on disk would.
PLAINTEXTS = [b"loader_module: mlflow.sklearn", b"sklearn.linear_model._ridge", b"__sklearn_version__"]


def upload_known_text(server, token, text):
    client = server.client(token)
    experiment = client.mlflow("POST", "experiments/create", name="known text")["experiment_id"]
    run = client.mlflow("POST", "runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/known.txt"
    client.call("PUT", path, body=text)
    check("the known text, from the server", client.ask("GET", path).body, text)
    client.close()
    return path


def files_below(folder):
    for root, _, names in os.walk(folder):
        for name in names:
            yield Path(root, name)


def no_plaintext(server, plaintexts):
    seen = 0
    for path in files_below(server.data):
        content = path.read_bytes()
        seen += len(content)
        for text in plaintexts:
            if text in content:
                raise Failed(f"{path.relative_to(server.folder)} holds plaintext of an artifact: {text!r}")
    if seen < 10_000:
        raise Failed(f"only {seen} bytes were looked at for plaintext; the data is elsewhere")


# Made to be shown. They lie in a directory that nobody else may enter all the same.
PUBLIC = {"gate.pub", "scanner.pub", "ledger.pub", "ledger.origin", "tls.crt"}


def nothing_for_others(server):
    """Neither the data directory and what is in it, nor the files with credentials, may be used by anybody else."""
    paths = [server.data, server.token_file, server.ready]
    paths += [Path(root, name) for root, folders, files in os.walk(server.data) for name in [*folders, *files]]
    for path in paths:
        mode = path.lstat().st_mode & 0o777
        allowed = 0o644 if path.name in PUBLIC and path.parent == server.data / "keys" else 0o700
        if mode & ~allowed:
            raise Failed(f"{path.relative_to(server.folder)} has mode {mode:o}")


def acts(client):
    return [entry["bytes"] for entry in entries(client)]


def script():
    with Folder() as folder, Server(folder) as server:
        server.start()
        password, token = server.user("ann", ("MANAGE", "experiment:*"), ("MANAGE", "registered-model:*"))
        known = secrets.token_hex(32).encode()
        path = upload_known_text(server, token, known)
        # Nobody learns which runs there are that they may not see.
        unknown = {"E2E_UNKNOWN_RUN_CODE": "PERMISSION_DENIED"}
        run_client(server, "client.py", MLFLOW_TRACKING_TOKEN=token, **unknown)
        print("ok      the client, with a token")
        run_client(server, "client.py", MLFLOW_TRACKING_USERNAME="ann", MLFLOW_TRACKING_PASSWORD=password, **unknown)
        print("ok      the client, with a password")
        for what, kind in [("no", {}), ("a wrong", {"token": "sy_" + "0" * 40})]:
            client = server.client(**kind) if kind else server.client(basic=("ann", "not the password"))
            check(f"status with {what} credential", client.ask("GET", "/api/2.0/mlflow/experiments/search?max_results=1").status, 401)
            client.close()
        secret_texts = [known, *PLAINTEXTS]
        no_plaintext(server, [*secret_texts, token.encode(), password.encode(), server.token.encode()])
        nothing_for_others(server)
        print("ok      no plaintext, no credential and nothing for others to read while it runs")
        admin = server.client()
        before = acts(admin)
        admin.close()
        server.stop()
        no_plaintext(server, [*secret_texts, token.encode(), password.encode(), server.token.encode()])
        nothing_for_others(server)
        log = server.log.read_bytes()
        for name, value in [("artifact", known), ("token", token.encode()), ("admin's token", server.token.encode()),
                            ("password", password.encode())]:
            if value in log:
                raise Failed(f"the server's log holds the {name}")
        size = server.verify_ledger()
        if size < len(before):
            raise Failed(f"the ledger has {size} entries; the server showed {len(before)}")
        print(f"ok      the ledger is whole: {size} entries")
        server.start()
        again = server.client(token)
        check("the known text, after a restart", again.ask("GET", path).body, known)
        again.close()
        admin = server.client()
        check("the ledger's first entries, after a restart", acts(admin)[:len(before)], before)
        admin.close()
        server.stop()
        print("ok      a second start has it all")


if __name__ == "__main__":
    main(script)
