#!/usr/bin/env python3
"""Kills the server with SIGKILL at random moments; nothing that it acknowledged may be lost.

CRASH_ROUNDS (12) times on one data directory: several clients write, the server is killed, and after a restart
  - every acknowledged write is there with its content, and one that was under way is there as a whole or not at all;
  - the ledger is whole, continues the checkpoint that was taken before the kill, and has each acknowledged act.
Every third round kills the server once more while it starts. CRASH_FIRST_STARTS (6) further times a server is killed
during its first start, after which a start gives an administrator's token that works.

CRASH_SEED repeats the choices of a run; the moments of the threads differ all the same.
"""

import hashlib
import http.client
import os
import random
import secrets
import shutil
import threading
import time

from facts import Facts
from harness import Failed, Folder, Server, check, entries, main

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "12"))
FIRST_STARTS = int(os.environ.get("CRASH_FIRST_STARTS", "6"))
SEED = os.environ.get("CRASH_SEED") or secrets.token_hex(4)
CLIENTS = 4
# What a request to a server that is being killed ends with.
BROKEN = (OSError, http.client.HTTPException)


class Writer(threading.Thread):
    """One client: writes until the server is gone. Only it writes what its facts are about."""

    def __init__(self, server, number, experiment, facts, random_source):
        super().__init__(daemon=True)
        self.client = server.client()
        self.number, self.experiment, self.facts, self.random = number, experiment, facts, random_source
        self.model_name = f"writer-{number}"
        self.count = 0
        self.error = None

    def run(self):
        try:
            while True:
                self.one_run()
        except BROKEN:
            pass
        except Exception as error:  # reported by the main thread
            self.error = error
        finally:
            self.client.close()

    def write(self, key, value, act, *expected):
        """A write that the fact `key` is about, and the entries that the ledger must have once it is acknowledged."""
        self.facts.begin(key, value)
        answer = act()
        self.facts.acknowledge(key, value, expected)
        return answer

    def one_run(self):
        run = self.client.mlflow("POST", "runs/create", experiment_id=self.experiment, start_time=1)["run"]["info"]["run_id"]
        self.facts.acknowledge(("run", run), "RUNNING", [{"act": "run-created", "id": run}])
        for _ in range(self.random.randrange(2, 6)):
            self.random.choice([self.batch, self.batch, self.artifact, self.artifact, self.replace, self.model])(run)
        self.write(("run", run), "FINISHED",
                   lambda: self.client.mlflow("POST", "runs/update", run_id=run, status="FINISHED", end_time=2),
                   {"act": "run-ended", "id": run, "status": "FINISHED"})

    def batch(self, run):
        self.count += 1
        name = f"b{self.count}"
        value = (tuple(self.random.random() for _ in range(20)), self.random.randbytes(20).hex())
        metrics = [{"key": name, "value": v, "timestamp": 1, "step": step} for step, v in enumerate(value[0])]
        self.write(("batch", run, name), value, lambda: self.client.mlflow(
            "POST", "runs/log-batch", run_id=run, metrics=metrics, params=[{"key": name, "value": value[1]}],
            tags=[{"key": name, "value": value[1]}]))

    def upload(self, run, name, content):
        digest = hashlib.sha256(content).hexdigest()
        path = f"/api/2.0/mlflow-artifacts/artifacts/{self.experiment}/{run}/artifacts/{name}"
        self.write(("artifact", path), digest, lambda: self.client.call("PUT", path, body=content),
                   {"act": "artifact-uploaded", "path": f"runs:/{run}/{name}", "digest": f"sha256:{digest}"})

    def content(self):
        """Of sizes around the vault's pieces. It begins like no pickle: what only looks like one may be refused."""
        size = self.random.choice([0, 1, 65_535, 65_536, 65_537, 300_000, 3_000_000])
        return (b"\0\0\0\0" + self.random.randbytes(size))[:size]

    def artifact(self, run):
        self.count += 1
        self.upload(run, f"deep/{self.count}.bin", self.content())

    def replace(self, run):
        for _ in range(2):
            self.upload(run, "latest.bin", self.content())

    def model(self, run):
        made = self.client.mlflow("POST", "logged-models", experiment_id=self.experiment, name="model", source_run_id=run)
        model = made["model"]["info"]["model_id"]
        self.facts.acknowledge(("model", model), "LOGGED_MODEL_PENDING")
        for name, content in [("MLmodel", b"flavors: {}\n"), ("numbers.json", b'{"seed": %d}\n' % self.random.randrange(10**9))]:
            path = f"/api/2.0/mlflow-artifacts/artifacts/{self.experiment}/models/{model}/artifacts/{name}"
            digest = hashlib.sha256(content).hexdigest()
            self.write(("artifact", path), digest, lambda p=path, c=content: self.client.call("PUT", p, body=c),
                       {"act": "artifact-uploaded", "path": f"models:/{model}/{name}", "digest": f"sha256:{digest}"})
        self.write(("model", model), "LOGGED_MODEL_READY",
                   lambda: self.client.mlflow("PATCH", f"logged-models/{model}", status="LOGGED_MODEL_READY"),
                   {"act": "model-finalised", "model_id": model})
        created = self.client.ask("POST", "/api/2.0/mlflow/registered-models/create", {"name": self.model_name})
        if created.status != 200 and created.json()["error_code"] != "RESOURCE_ALREADY_EXISTS":
            raise Failed(f"creating the registered model: {created}")
        source = f"models:/{model}"
        version = int(self.client.mlflow("POST", "model-versions/create", name=self.model_name, source=source)["model_version"]["version"])
        self.facts.acknowledge(("version", self.model_name, version), source,
                               [{"act": "version-created", "name": self.model_name, "version": version}])
        self.write(("alias", self.model_name), version, lambda: self.client.mlflow(
            "POST", "registered-models/alias", name=self.model_name, alias="newest", version=str(version)),
            {"act": "alias-set", "name": self.model_name, "alias": "newest", "version": version})


def ledger_has(client, facts):
    """Each acknowledged act has its entry; no entry is there twice."""
    found = [entry["event"] for entry in entries(client)]
    by_kind = {}
    for event in found:
        by_kind.setdefault(event["act"], []).append(event)
    index = {}
    for kind, wanted in facts.expected_by_kind().items():
        for event in by_kind.get(kind, []):
            for keys in {tuple(sorted(expected)) for expected in wanted}:
                index[(keys, tuple(event.get(key) for key in keys))] = True
        for expected in wanted:
            keys = tuple(sorted(expected))
            if (keys, tuple(expected[key] for key in keys)) not in index:
                raise Failed(f"the ledger lacks the acknowledged act {expected}")
    versions = [(event["name"], event["version"]) for event in by_kind.get("version-created", [])]
    check("versions that the ledger has twice", len(versions), len(set(versions)))
    return len(found)


def kill_while_starting(server, random_source):
    server.launch()
    time.sleep(random_source.uniform(0, 0.3))
    server.kill()


def one_round(server, number, experiment, facts, random_source):
    checkpoint = server.folder / "checkpoint"
    checkpoint.write_text(server.command("ledger", "checkpoint"))
    writers = [Writer(server, n, experiment, facts, random.Random(f"{SEED}/{number}/{n}")) for n in range(CLIENTS)]
    for writer in writers:
        writer.start()
    time.sleep(random_source.uniform(0.05, 1.5))
    server.kill()
    for writer in writers:
        writer.join(60)
        if writer.is_alive():
            raise Failed("a client did not notice that the server is gone")
        if writer.error:
            raise Failed(f"a client saw: {writer.error!r}\n{server.tail()}")
    server.verify_ledger(checkpoint)
    if number % 3 == 2:
        kill_while_starting(server, random_source)
    server.start()
    server.verify_ledger(checkpoint)
    client = server.client()
    facts.verify(client)
    size = ledger_has(client, facts)
    client.close()
    print(f"ok      round {number + 1}: {facts.acknowledged} acknowledged writes, {size} entries", flush=True)


def rollback_is_seen():
    """That the checkpoints above would show it: a server that is set back as a whole to what it was is found out."""
    with Folder() as folder, Server(folder) as server:
        server.start()
        server.stop()
        old = folder / "old"
        shutil.copytree(server.data, old)
        server.start()
        client = server.client()
        client.mlflow("POST", "experiments/create", name="forgotten")
        client.close()
        checkpoint = folder / "checkpoint"
        checkpoint.write_text(server.command("ledger", "checkpoint"))
        server.kill()
        server.verify_ledger(checkpoint)
        shutil.rmtree(server.data)
        old.rename(server.data)
        server.verify_ledger()
        server.command("ledger", "verify", "--data-dir", str(server.data), "--checkpoint", str(checkpoint), code=1, remote=False)
    print("ok      a rollback is seen")


def first_starts(random_source):
    for number in range(FIRST_STARTS):
        with Folder() as folder, Server(folder) as server:
            server.launch()
            moment = random_source.uniform(0, 0.6)
            time.sleep(moment)
            server.kill()
            server.start()
            client = server.client()
            try:
                said = client.call("GET", "/api/sealyard/v1/whoami")
            finally:
                client.close()
            check("administrator after a first start that was killed", said["admin"], True)
            server.stop()
            server.verify_ledger()
    print(f"ok      {FIRST_STARTS} first starts killed", flush=True)


def script():
    print(f"CRASH_SEED={SEED}", flush=True)
    random_source = random.Random(SEED)
    with Folder() as folder, Server(folder) as server:
        server.start()
        client = server.client()
        experiment = client.mlflow("POST", "experiments/create", name="crash")["experiment_id"]
        client.close()
        facts = Facts()
        for number in range(ROUNDS):
            one_round(server, number, experiment, facts, random_source)
        client = server.client()
        facts.verify(client, everything=True)
        client.close()
        server.stop()
        server.verify_ledger()
        pending = [path for path in (server.data / "vault" / "pending").rglob("*") if path.is_file()]
        check("half-written objects that are left", pending, [])
    if facts.acknowledged < ROUNDS:
        raise Failed(f"only {facts.acknowledged} writes were acknowledged in {ROUNDS} rounds: too few to mean anything")
    rollback_is_seen()
    first_starts(random_source)


if __name__ == "__main__":
    main(script)
