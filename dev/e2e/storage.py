#!/usr/bin/env python3
"""Where artifacts lie: a real S3 server that is stopped and started under load, and a disk that is full.

Needs `weed` (SeaweedFS) beside the Python that runs this, and `unshare`. Every acknowledged upload must be there with its
content, every other one as a whole or not at all; clients get an answer after which they may try again.
"""

import hashlib
import http.client
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

from harness import Failed, Folder, Server, check, main

SECONDS = float(os.environ.get("STORAGE_SECONDS", "12"))
CLIENTS = 4
MARK = b"a sentence that must not lie in any bucket or on any disk. "


def free_ports(count):
    """Ports whose +10000 is free too: weed takes that for gRPC."""
    found = []
    while len(found) < count:
        port = random.randrange(20000, 50000)
        if port in found:
            continue
        try:
            for one in (port, port + 10000):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", one))
        except OSError:
            continue
        found.append(port)
    return found


class Weed:
    """An S3 server on loopback, with a bucket."""

    def __init__(self, folder):
        self.folder = Path(folder) / "weed"
        self.folder.mkdir()
        self.program = Path(sys.executable).parent / "weed"
        if not self.program.exists():
            sys.exit(f"error: {self.program} is missing\nhint: run dev/test/venv.sh, and this with its Python")
        self.master, self.volume, self.filer, self.s3 = free_ports(4)
        config = {"identities": [{"name": "test", "credentials": [{"accessKey": "testkey", "secretKey": "testsecret"}],
                                  "actions": ["Admin", "Read", "List", "Tagging", "Write"]}]}
        (self.folder / "s3.json").write_text(json.dumps(config))
        self.process = None

    def environment(self):
        return {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret", "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.s3}", "AWS_EC2_METADATA_DISABLED": "true"}

    def start(self):
        (self.folder / "data").mkdir(exist_ok=True)
        command = [self.program, "server", f"-dir={self.folder}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                   "-filer", "-s3", f"-s3.port={self.s3}", f"-s3.config={self.folder}/s3.json", "-volume.max=100",
                   "-master.volumeSizeLimitMB=64", f"-master.port={self.master}", f"-volume.port={self.volume}",
                   f"-filer.port={self.filer}", "-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            start_new_session=True)
        end = time.monotonic() + 90
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                raise Failed("the S3 server did not start:\n" + (self.folder / "log").read_text(errors="replace")[-2000:])
            try:
                self.ask("PUT", "/buckets/models/probe", b"x")
                urllib.request.urlopen(f"http://127.0.0.1:{self.s3}/", timeout=5)
            except urllib.error.HTTPError as error:
                if error.code == 403:  # it wants a signature: it serves
                    return self
            except OSError:
                pass
            time.sleep(0.2)

    def ask(self, method, path, body=b""):
        request = urllib.request.Request(f"http://127.0.0.1:{self.filer}{path}", data=body, method=method,
                                         headers={"Content-Type": "application/octet-stream"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def content(seed, size):
    return MARK + random.Random(seed).randbytes(size)


def place(server):
    """The root of a new run's artifacts."""
    client = server.client()
    experiment = client.mlflow("POST", "experiments/create", name=f"e{random.random()}")["experiment_id"]
    run = client.mlflow("POST", "runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
    return f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts"


class Uploader(threading.Thread):
    """Uploads files, one after the other, of all sizes that are stored in different ways."""

    def __init__(self, server, root, number, stop):
        super().__init__(daemon=True)
        self.server, self.root, self.number, self.stop = server, root, number, stop
        self.acknowledged, self.open, self.refused, self.error = {}, {}, 0, None

    def run(self):
        client = self.server.client()
        source = random.Random(self.number)
        try:
            while not self.stop.is_set():
                name = f"{self.root}/{self.number}-{len(self.acknowledged) + len(self.open)}"
                size = source.choice([10, 70_000, 300_000, 9 << 20])
                body = content(name, size)
                answer = client.ask("PUT", name, body=body)
                if answer.status == 200:
                    self.acknowledged[name] = hashlib.sha256(body).hexdigest()
                    continue
                self.open[name] = hashlib.sha256(body).hexdigest()
                code = answer.json().get("error_code")
                if (answer.status, code) != (503, "TEMPORARILY_UNAVAILABLE") or "Retry-After" not in answer.headers:
                    raise Failed(f"{name}: {answer}")
                self.refused += 1
                time.sleep(0.2)
        except (OSError, http.client.HTTPException, Failed) as error:
            self.error = error
        finally:
            client.close()


def verify(server, uploaders):
    client = server.client()
    whole = 0
    for uploader in uploaders:
        if uploader.error:
            raise Failed(f"uploader {uploader.number}: {uploader.error}")
        for name, digest in uploader.acknowledged.items():
            answer = client.ask("GET", name)
            check(f"{name}: what was acknowledged", (answer.status, hashlib.sha256(answer.body).hexdigest()), (200, digest))
        for name, digest in uploader.open.items():
            answer = client.ask("GET", name)
            if answer.status == 200:
                check(f"{name}: what was not acknowledged but is there", hashlib.sha256(answer.body).hexdigest(), digest)
                whole += 1
            else:
                check(f"{name}: what is not there", answer.status, 404)
    return whole


def plain_bytes_below(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink() and MARK in path.read_bytes()]


def service_that_comes_and_goes(folder):
    with Weed(folder) as weed:
        os.environ.update(weed.environment())
        weed.start()
        arguments = ["--artifacts", "s3://models/sealyard"]
        with Server(folder, "s3", arguments) as server:
            server.start()
            root = place(server)
            stop = threading.Event()
            uploaders = [Uploader(server, root, number, stop) for number in range(CLIENTS)]
            for uploader in uploaders:
                uploader.start()
            time.sleep(SECONDS / 3)
            weed.stop()
            time.sleep(SECONDS / 3)
            # The catalog answers while the storage does not.
            server.client().mlflow("GET", "experiments/search", max_results=1)
            client = server.client()
            name = next(iter(uploaders[0].acknowledged))
            answer = client.ask("GET", name)
            check("reading while the storage is away", (answer.status, answer.json()["error_code"]),
                  (503, "TEMPORARILY_UNAVAILABLE"))
            weed.start()
            before = sum(len(uploader.acknowledged) for uploader in uploaders)
            end = time.monotonic() + 120
            while sum(len(uploader.acknowledged) for uploader in uploaders) < before + 8 and time.monotonic() < end:
                time.sleep(0.2)
            stop.set()
            for uploader in uploaders:
                uploader.join(120)
            after = sum(len(uploader.acknowledged) for uploader in uploaders)
            refused = sum(uploader.refused for uploader in uploaders)
            if after < before + 8 or not refused:
                raise Failed(f"{after - before} uploads after the storage came back, {refused} refused while it was away")
            whole = verify(server, uploaders)
            said = json.loads(server.command("gc", "--dry-run", "--format", "json"))
            check("staged files that are left", len(list((server.data / "vault/pending").iterdir())), 0)
            server.kill()
            server.start()
            verify(server, uploaders)
            check("plain bytes", plain_bytes_below(server.data) + plain_bytes_below(weed.folder / "data"), [])
            # The service is away when the server starts: that is said, and nothing is made.
            server.stop()
            weed.stop()
            server.launch()
            check("exit code without the storage", server.process.wait(120), 2)
            if "artifact storage" not in server.tail():
                raise Failed(f"the server does not say what is wrong:\n{server.tail()}")
        print(f"ok: S3 stopped and started under load: {after} uploads acknowledged and there, {refused} refused with 503, "
              f"{whole} of them there as a whole, {said['unused']} objects without a row")
    for name in list(os.environ):
        if name.startswith("AWS_"):
            del os.environ[name]


class OnSmallDisk(Server):
    """A server whose data directory is a file system of its own, with little room."""

    def launch(self, listen="127.0.0.1:0"):
        self.data.mkdir(exist_ok=True)
        wrapper = self.folder / "small-disk.sh"
        wrapper.write_text(f"#!/bin/sh\nset -e\nmount -t tmpfs -o size=48m,mode=700 tmpfs {self.data}\n"
                           f"exec {os.environ['SEALYARD_REAL']} \"$@\"\n")
        wrapper.chmod(0o700)
        outer = self.folder / "sealyard-on-small-disk"
        outer.write_text(f"#!/bin/sh\nexec unshare --user --map-root-user --mount {wrapper} \"$@\"\n")
        outer.chmod(0o700)
        os.environ["SEALYARD"] = str(outer)
        try:
            return super().launch(listen)
        finally:
            os.environ["SEALYARD"] = os.environ["SEALYARD_REAL"]

    def connect(self):
        # The certificate is on the small disk, which only the server's own processes see.
        (self.data / "keys").mkdir(exist_ok=True)
        shutil.copy(f"/proc/{self.process.pid}/root{self.data}/keys/tls.crt", self.data / "keys/tls.crt")
        return super().connect()


def full_disk(folder):
    os.environ["SEALYARD_REAL"] = str(Path(os.environ["SEALYARD"]).resolve())
    with OnSmallDisk(folder, "small") as server:
        server.start()
        root = place(server)
        client = server.client()
        kept = content("kept", 10 << 20)
        check("an upload that fits", client.ask("PUT", f"{root}/kept", body=kept).status, 200)
        for name in ("large", "large-again"):
            answer = client.ask("PUT", f"{root}/{name}", body=content(name, 60 << 20))
            check("an upload that does not fit", (answer.status, answer.json()["error_code"]),
                  (503, "TEMPORARILY_UNAVAILABLE"))
            if "full" not in answer.json()["message"]:
                raise Failed(f"it is not said that the storage is full: {answer}")
            check("what did not fit", client.ask("GET", f"{root}/{name}").status, 404)
        check("what fitted", client.ask("GET", f"{root}/kept").body, kept)
        check("an upload after that", client.ask("PUT", f"{root}/small", body=content("small", 20 << 20)).status, 200)
        said = json.loads(server.command("gc", "--dry-run", "--format", "json"))
        check("objects", (said["stored"], said["unused"]), (2, 0))
        server.stop()
    print("ok: a full disk: what does not fit is refused with 503 and leaves nothing, what is there stays readable")


def storage():
    if not shutil.which("unshare"):
        sys.exit("error: unshare is missing\nhint: it is in the package util-linux")
    with Folder() as folder:
        full_disk(folder)
        service_that_comes_and_goes(folder)


if __name__ == "__main__":
    main(storage)
