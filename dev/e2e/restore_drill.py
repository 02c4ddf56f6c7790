#!/usr/bin/env python3
"""The restore drill: a server is filled, backed up under load, killed, its directory lost; elsewhere everything is there again.

On SQLite and on PostgreSQL (DRILL_DATABASES, "sqlite postgresql"):
  - a backup is made while clients write, delete and upload equal files; a second one copies what is new alone;
  - what was killed in the middle of a backup looks like none, and does not disturb the next;
  - `restore --verify-only` writes nothing; a changed byte, a missing object, another manifest, another recovery key and an older
    backup are refused by name, and nothing is restored;
  - after SIGKILL and the loss of the directory: restored, started, `ledger verify` continues the checkpoint that was kept, and every
    artifact that was there before the backup has its digest;
  - a backup of each database restores to the other one.
DRILL_FIXTURE makes the backup that later releases must restore.
"""

import hashlib
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, environment, main
from postgres import Database

DATABASES = os.environ.get("DRILL_DATABASES", "sqlite postgresql").split()
WORKSPACE = "X-MLFLOW-WORKSPACE"
FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "backup-1"


def run(*arguments, code=0, cwd, **more):
    done = subprocess.run([binary(), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300,
                          cwd=cwd, env=environment(HOME=str(cwd), **more))
    if code is not None and done.returncode != code:
        raise Failed(f"sealyard {' '.join(map(str, arguments))}: exit code {done.returncode}, expected {code}\n"
                     f"{done.stdout}{done.stderr}")
    return done


class Load(threading.Thread):
    """Writes, overwrites and deletes for as long as it is let."""

    def __init__(self, server, number, keep):
        super().__init__(daemon=True)
        self.client, self.number, self.keep = server.client(), number, keep
        self.stop, self.count, self.error = threading.Event(), 0, None
        self.random = random.Random(number)
        self.experiment = self.client.mlflow("POST", "experiments/create", name=f"load-{number}")["experiment_id"]
        self.run_id = self.client.mlflow("POST", "runs/create", experiment_id=self.experiment)["run"]["info"]["run_id"]

    def path(self, name):
        return f"/api/2.0/mlflow-artifacts/artifacts/{self.experiment}/{self.run_id}/artifacts/{name}"

    def run(self):
        equal = b"equal bytes" * 7000
        try:
            while not self.stop.is_set():
                self.count += 1
                name = f"{self.count % 7}.bin"
                # Equal content is shared later, and overwriting and deleting gives bytes up.
                body = equal if self.count % 3 == 0 else self.random.randbytes(self.random.randrange(120_000))
                check("upload", self.client.ask("PUT", self.path(name), body=body).status, 200)
                if self.count % 5 == 0:
                    self.client.ask("DELETE", self.path(name))
                self.client.mlflow("POST", "runs/log-metric", run_id=self.run_id, key="m", value=self.count, timestamp=self.count)
        except (OSError, Exception) as error:
            if not self.stop.is_set():
                self.error = error
        finally:
            self.client.close()


def fill(server, sizes=(0, 1, 65_536, 65_537, 300_000, 2_000_000)):
    """What is compared at the end: files by their digests, a model, rows."""
    client = server.client()
    files, source = {}, random.Random(5)
    experiment = client.mlflow("POST", "experiments/create", name="drill")["experiment_id"]
    run_id = client.mlflow("POST", "runs/create", experiment_id=experiment)["run"]["info"]["run_id"]
    for number, size in enumerate([*sizes, *[source.randrange(5000) for _ in range(20)]]):
        path = f"{experiment}/{run_id}/artifacts/folder/file-{number}.bin"
        content = source.randbytes(size)
        check("upload", client.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", body=content).status, 200)
        files[path] = hashlib.sha256(content).hexdigest()
    # Another workspace has a key of its own, which the catalog has.
    check("a workspace", client.ask("POST", "/api/3.0/mlflow/workspaces", {"name": "team-a"}).status, 201)
    client.headers[WORKSPACE] = "team-a"
    other = client.mlflow("POST", "experiments/create", name="inside")["experiment_id"]
    other_run = client.mlflow("POST", "runs/create", experiment_id=other)["run"]["info"]["run_id"]
    path = f"{other}/{other_run}/artifacts/inside.bin"
    check("upload", client.ask("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{path}", body=b"inside").status, 200)
    files[path] = hashlib.sha256(b"inside").hexdigest()
    del client.headers[WORKSPACE]
    client.mlflow("POST", "registered-models/create", name="fraud")
    client.mlflow("POST", "runs/log-parameter", run_id=run_id, key="näme", value="wert \u2713 'quoted' \"twice\"")
    client.mlflow("POST", "runs/log-metric", run_id=run_id, key="nan", value="NaN", timestamp=1)
    client.mlflow("POST", "webhooks", name="hook", url="https://hooks.example.org/services/T0", secret="hush-hush",
                  events=[{"entity": "REGISTERED_MODEL", "action": "CREATED"}])
    client.close()
    return files, run_id


def compare(server, files, run_id, token=None):
    client = server.client(token)
    for path, digest in files.items():
        where = {WORKSPACE: "team-a"} if path.endswith("inside.bin") else {}
        answer = client.ask("GET", f"/api/2.0/mlflow-artifacts/artifacts/{path}", headers=where)
        check(f"status of {path}", answer.status, 200)
        check(f"digest of {path}", hashlib.sha256(answer.body).hexdigest(), digest)
    data = client.ask("GET", f"/api/2.0/mlflow/runs/get?run_id={run_id}").json()["run"]["data"]
    check("parameter", data["params"], [{"key": "näme", "value": "wert \u2713 'quoted' \"twice\""}])
    check("models", client.ask("GET", "/api/2.0/mlflow/registered-models/get?name=fraud").status, 200)
    hooks = client.ask("GET", "/api/2.0/mlflow/webhooks").json()["webhooks"]
    check("webhooks", [hook["url"] for hook in hooks], ["https://hooks.example.org/services/T0"])
    # Numbers go on where they were.
    made = client.mlflow("POST", "experiments/create", name=f"after-{time.time()}")["experiment_id"]
    client.close()
    return int(made)


def of(done):
    return json.loads(done.stdout)


def snapshot(path):
    return sorted((str(one.relative_to(path)), one.stat().st_size, one.stat().st_mtime_ns) for one in path.rglob("*") if one.is_file())


def refused(folder, backups, rule, *more, where="restore"):
    """Restoring ends with the rule's name, and leaves nothing."""
    target = folder / "refused"
    done = run("restore", backups, "--recovery-key", folder / "office.recovery", "--data-dir", target, "--format", "json", *more,
               code=1, cwd=folder)
    if rule not in done.stdout + done.stderr:
        raise Failed(f"{where}: expected {rule}:\n{done.stdout}{done.stderr}")
    check(f"{where}: the target", target.exists(), False)


def tampering(folder, backups, newest, older):
    """Each on a copy of its own."""
    def copy():
        shutil.rmtree(folder / "copy", ignore_errors=True)
        return Path(shutil.copytree(backups, folder / "copy"))

    def flip(path, at):
        content = bytearray(path.read_bytes())
        content[at] ^= 1
        path.write_bytes(content)

    largest = max((path for path in (backups / "objects").glob("*/*")), key=lambda path: path.stat().st_size)
    relative = largest.relative_to(backups)
    there = copy()
    flip(there / relative, 100_000)
    refused(folder, there, "backup.object", where="a changed byte of an object")
    there = copy()
    (there / relative).unlink()
    refused(folder, there, "backup.missing", where="a missing object")
    for part in ("catalog", "objects", "keys"):
        there = copy()
        flip(there / "backups" / newest / part, 200)
        refused(folder, there, "backup.part", where=f"a changed byte of the {part}")
    there = copy()
    manifest = there / "backups" / newest / "manifest"
    manifest.write_text(manifest.read_text().replace('"missing":0', '"missing":1'))
    refused(folder, there, "backup.manifest", where="a changed manifest")
    there = copy()
    shutil.rmtree(there / "backups" / newest)
    shutil.copytree(there / "backups" / older, there / "backups" / newest)
    refused(folder, there, "backup.manifest", where="an older backup under a younger one's name")
    refused(folder, backups, "ledger.rollback", "--backup", older, where="an older backup")
    run("keys", "recovery", "other", cwd=folder)
    done = run("restore", backups, "--recovery-key", "other.recovery", "--verify-only", code=2, cwd=folder)
    if "is not for this recovery key" not in done.stderr:
        raise Failed(f"another recovery key: {done.stderr}")
    print("  changed, missing, exchanged and older: each refused by name")


def interrupted(folder, server, backup):
    """Killed in the middle, at several moments."""
    place = folder / "interrupted"
    for number, pause in enumerate([0.05, 0.3, 0.7, 1.2]):
        process = subprocess.Popen([binary(), *backup(place)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, cwd=folder,
                                   env=environment(HOME=str(folder), **server.environment))
        time.sleep(pause)
        process.kill()
        process.wait()
        whole = [path for path in (place / "backups").glob("*") if not path.name.startswith(".")] if place.exists() else []
        for path in whole:
            run("restore", place, "--recovery-key", folder / "office.recovery", "--backup", path.name, "--verify-only", "--force-older",
                cwd=folder)
    made = of(run(*backup(place), "--format", "json", cwd=folder, **server.environment))
    check("what interrupted backups left", [path.name for below in ("backups", "objects") for path in (place / below).glob(".*")], [])
    run("restore", place, "--recovery-key", folder / "office.recovery", "--verify-only", cwd=folder)
    print(f"  killed {number + 1} times in the middle: nothing looks like a backup that is none; {made['objects']} objects in the next")


def drill(kind, folder, database, spare):
    server = Server(folder, "data", ["--workspaces"], database=database)
    server.start()
    run("keys", "recovery", "office", cwd=folder)
    files, run_id = fill(server)
    backups = folder / "backups"

    def backup(place):
        return ["backup", place, "--data-dir", server.data, "--recipient", folder / "office.recovery.pub"]

    check("a backup that nobody could read", run("backup", folder / "none", "--data-dir", server.data, code=2, cwd=folder,
                                                 **server.environment).stderr.count("recovery key") > 0, True)
    load = [Load(server, number, files) for number in range(3)]
    for one in load:
        one.start()
    time.sleep(1)
    first = of(run(*backup(backups), "--format", "json", cwd=folder, **server.environment))
    check("missing of the first", first["missing"], [])
    interrupted(folder, server, backup)
    started = time.monotonic()
    second = of(run(*backup(backups), "--format", "json", cwd=folder, **server.environment))
    seconds = time.monotonic() - started
    check("missing of the second", second["missing"], [])
    if second["new_objects"] >= second["objects"]:
        raise Failed(f"the second backup copied everything again: {second}")
    for one in load:
        one.stop.set()
    for one in load:
        one.join()
        if one.error:
            raise Failed(f"a client under load: {one.error!r}")
    print(f"  under load ({sum(one.count for one in load)} uploads): {first['objects']} objects; then {second['new_objects']} new of "
          f"{second['objects']} in {seconds:.1f} s")
    acts = server.command("ledger", "verify", "--data-dir", str(server.data), "--format", "json", remote=False)
    check("the ledger", json.loads(acts)["ok"], True)
    kept = folder / "kept.checkpoint"
    last = of(run(*backup(backups), "--format", "json", cwd=folder, **server.environment))
    # A checkpoint of before the backup: the restored ledger must continue it.
    names = sorted(path.name for path in (backups / "backups").iterdir())
    manifest = json.loads((backups / "backups" / names[0] / "manifest").read_text().split("\n")[1])
    kept.write_text(manifest["ledger"]["checkpoint"])
    verifier = folder / "ledger.pub"
    shutil.copy(server.data / "keys/ledger.pub", verifier)
    server.kill()
    shutil.rmtree(server.data)

    before = snapshot(backups)
    scratch = folder / "tmp"
    scratch.mkdir()
    looked = of(run("restore", backups, "--recovery-key", "office.recovery", "--verify-only", "--checkpoint", kept, "--verifier-key", verifier,
                    "--format", "json", cwd=folder, TMPDIR=str(scratch)))
    check("looked at", (looked["ok"], looked["problems"], looked["compared"]), (True, [], looked["objects"]))
    check("what verifying wrote", (snapshot(backups), list(scratch.rglob("*"))), (before, []))
    tampering(folder, backups, names[-1], names[0])

    targets = [("elsewhere", {"SEALYARD_DATABASE": spare[0]} if kind == "postgresql" else {})]
    if spare[1] is not None:
        targets.append(("the other database", {} if kind == "postgresql" else {"SEALYARD_DATABASE": spare[1]}))
    for name, variables in targets:
        restored = Server(folder, "restored-" + name.replace(" ", "-"), ["--workspaces"])
        restored.environment = variables
        started = time.monotonic()
        done = of(run("restore", backups, "--recovery-key", "office.recovery", "--data-dir", restored.data, "--checkpoint", kept,
                      "--verifier-key", verifier, "--format", "json", cwd=folder, **variables))
        seconds = time.monotonic() - started
        check("restored", done["ok"], True)
        again = run("restore", backups, "--recovery-key", "office.recovery", "--data-dir", restored.data, code=2, cwd=folder, **variables)
        if "not empty" not in again.stderr:
            raise Failed(f"a second restore to the same place: {again.stderr}")
        size = restored.verify_ledger(kept)
        restored.token_file = server.token_file
        restored.start()
        restored.token = server.token
        made = compare(restored, files, run_id, server.token)
        restored.stop()
        if restored.verify_ledger(kept) <= size:
            raise Failed("the restored server's ledger did not go on")
        print(f"  restored {name} in {seconds:.1f} s: {len(files)} artifacts the same, the ledger goes on at {size}, "
              f"the next experiment is {made}")
    if kind == "sqlite":
        forced = Server(folder, "forced")
        of(run("restore", backups, "--recovery-key", "office.recovery", "--data-dir", forced.data, "--backup", names[0], "--force-older",
               "--format", "json", cwd=folder))
        forced.token_file = server.token_file
        forced.start()
        found = [entry for entry in forced_entries(forced, server.token) if "backup-restored" in json.dumps(entry)]
        check("what a forced restore leaves in the ledger", '"forced": true' in json.dumps(found), True)
        forced.stop()
        print("  an older one, forced: the ledger says so")
        without = folder / "without"
        run("restore", backups, "--recovery-key", "office.recovery", "--data-dir", without, "--without-workspace", "nobody", code=2, cwd=folder)
        of(run("restore", backups, "--recovery-key", "office.recovery", "--data-dir", without, "--without-workspace", "team-a",
               "--format", "json", cwd=folder))
        kept = [sqlite3.connect(place / "catalog.sqlite").execute("SELECT count(*) FROM workspace_keys").fetchone()[0]
                for place in (forced.data, without)]
        check("keys of workspaces with and without --without-workspace", kept, [1, 0])
        of(run("ledger", "verify", "--data-dir", without, "--format", "json", cwd=folder))
        print("  without a workspace: neither it nor its key came back")
    check("the last backup", last["missing"], [])


def forced_entries(server, token):
    from harness import entries
    return entries(server.client(token))


def fixture():
    """The backup that the first release with this format made must be restored by this one."""
    said = json.loads((FIXTURE / "content.json").read_text())
    with Folder() as folder:
        shutil.copy(FIXTURE / "fixture.recovery", folder / "fixture.recovery")
        (folder / "fixture.recovery").chmod(0o600)
        restored = Server(folder, "restored")
        done = of(run("restore", FIXTURE / "backups", "--recovery-key", "fixture.recovery", "--data-dir", restored.data,
                      "--format", "json", cwd=folder))
        check("the fixture", (done["ok"], done["objects"], done["compared"], done["ledger"]),
              (True, said["objects"], said["objects"], said["ledger"]))
        restored.verify_ledger()
    print(f"  the backup of an earlier release restores: {said['objects']} objects, each with its digest")


def make_fixture(place):
    with Folder() as folder:
        server = Server(folder, "data", ["--workspaces"])
        server.start()
        run("keys", "recovery", "fixture", cwd=folder)
        fill(server, (0, 1, 65_537))
        made = of(run("backup", folder / "backups", "--data-dir", server.data, "--recipient", "fixture.recovery.pub", "--format", "json",
                      cwd=folder))
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        shutil.copytree(folder / "backups", place / "backups", ignore=shutil.ignore_patterns("lock"))
        shutil.copy(folder / "fixture.recovery", place / "fixture.recovery")
        (place / "content.json").write_text(json.dumps({"objects": made["objects"], "ledger": made["ledger"]}) + "\n")
    print(f"made {place}")


def test():
    if os.environ.get("DRILL_FIXTURE"):
        return make_fixture(Path(os.environ["DRILL_FIXTURE"]))
    print("the drill:")
    if "postgresql" not in DATABASES:
        with Folder() as folder:
            drill("sqlite", folder, None, (None, None))
    else:
        with Database() as first, Database() as second:
            if "sqlite" in DATABASES:
                print(" sqlite")
                with Folder() as folder:
                    drill("sqlite", folder, None, (None, second.url))
            with Database() as third:
                print(" postgresql")
                with Folder() as folder:
                    drill("postgresql", folder, first.url, (third.url, ""))
    fixture()
    print("restore drill: all as it should be")


if __name__ == "__main__":
    main(test)
