#!/usr/bin/env python3
"""One large file up and down: speed, CPU and memory of the server. SIZE_GB (10), ARTIFACTS (a URL for --artifacts).

With --with-stock the same with 100 MB beside `mlflow server`, from the tests' environment. Nothing is kept.
"""

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import Failed, Folder, Server, check, environment, main  # noqa: E402

BLOCK = 1 << 20
TICKS = os.sysconf("SC_CLK_TCK")


def blocks(size, seed):
    """Bytes that no compression and no deduplication makes less of, cheaply."""
    noise = hashlib.shake_256(seed).digest(BLOCK)
    for number in range((size + BLOCK - 1) // BLOCK):
        block = number.to_bytes(8, "big") + noise[8:]
        yield block[: min(BLOCK, size - number * BLOCK)]


def family(pid):
    """The process and what it started, all the way down."""
    found = [pid]
    for task in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(task.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if parent == pid:
            found += family(int(task.parent.name))
    return found


def cpu(pid):
    total = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory(pid):
    total = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) / 1024
    return total


class Watch(threading.Thread):
    """Looks at a server while something is done."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.done, self.peak = pid, threading.Event(), 0

    def __enter__(self):
        self.before, self.cpu, self.started = memory(self.pid), cpu(self.pid), time.monotonic()
        self.start()
        return self

    def run(self):
        while not self.done.wait(0.05):
            self.peak = max(self.peak, memory(self.pid))

    def __exit__(self, *_):
        self.seconds, self.cpu = time.monotonic() - self.started, cpu(self.pid) - self.cpu
        self.done.set()
        self.join()

    def say(self, what, size):
        print(f"{what:<22} {size / self.seconds / 1e6:7.0f} MB/s   {self.cpu / (size / 1e9):6.2f} CPU-s/GB   "
              f"memory {self.before:5.0f} -> {self.peak:5.0f} MB")
        return self.peak - self.before


def up(connection, path, headers, size, seed):
    digest = hashlib.sha256()

    def body():
        for block in blocks(size, seed):
            digest.update(block)
            yield block

    connection.request("PUT", path, body=body(), headers={**headers, "Content-Length": str(size)})
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise Failed(f"upload: {answer.status} {said[:300]!r}")
    return digest.hexdigest()


def down(connection, path, headers):
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    digest, length = hashlib.sha256(), 0
    while piece := answer.read(BLOCK):
        digest.update(piece)
        length += len(piece)
    return answer.status, length, digest.hexdigest()


def ours(folder, size):
    arguments = ["--artifacts", os.environ["ARTIFACTS"]] if os.environ.get("ARTIFACTS") else []
    with Server(folder, "large", arguments) as server:
        server.start()
        client = server.client()
        experiment = client.mlflow("POST", "experiments/create", name="large")["experiment_id"]
        run = client.mlflow("POST", "runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/large.bin"
        connection = http.client.HTTPSConnection(server.host, server.port, context=server.tls, timeout=3600)
        pid = server.process.pid
        with Watch(pid) as watch:
            digest = up(connection, path, client.headers, size, b"ours")
        grown = [watch.say("sealyard up", size)]
        with Watch(pid) as watch:
            found = down(connection, path, client.headers)
        check("what came back", found, (200, size, digest))
        grown.append(watch.say("sealyard down", size))
        return max(grown)


def stock(folder, size):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [Path(sys.executable).parent / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
               "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts"]
    with open(folder / "stock.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=environment(), start_new_session=True)
    try:
        end = time.monotonic() + 120
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
                connection.request("GET", "/health")
                connection.getresponse().read()
                break
            except OSError:
                if time.monotonic() > end:
                    raise Failed("mlflow server did not start") from None
                time.sleep(0.3)
        path = "/api/2.0/mlflow-artifacts/artifacts/0/large/artifacts/large.bin"
        for round_ in range(2):
            with Watch(process.pid) as watch:
                digest = up(connection, path, {}, size, b"stock")
            if round_:
                watch.say("mlflow server up", size)
        for round_ in range(2):
            with Watch(process.pid) as watch:
                found = down(connection, path, {})
            check("what came back", found, (200, size, digest))
            if round_:
                watch.say("mlflow server down", size)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def large():
    size = int(float(os.environ.get("SIZE_GB", "10")) * 1e9)
    with Folder() as folder:
        grown = ours(folder, size)
        if "--with-stock" in sys.argv:
            stock(folder, min(size, 100_000_000))
    print(f"memory grew by at most {grown:.0f} MB for {size / 1e9:g} GB")
    if grown >= 100:
        raise Failed("memory must not grow by 100 MB or more")


if __name__ == "__main__":
    main(large)
