#!/usr/bin/env python3
"""The same load on our server and on `mlflow server`, one after the other on this machine.

    dev/bench/load.py [--seconds 8] [--runs 10000] [--megabytes 100] [--clients 8] [--json FILE] [--picture FILE]

Each step is done by a few clients at once. What counts is the CPU time that the server's processes use for a request,
read from /proc: it hardly depends on what else the machine does. Also measured: memory when idle, and the time from
start to the first answer. Prints a table with ratios. SEALYARD names our binary; `mlflow` is the one beside this Python.
"""

import argparse
import http.client
import json
import os
import random
import socket
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path
from xml.sax.saxutils import escape

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import Failed, Folder, Server, environment, main  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PATIENCE = 120
# A server is at rest when it used no more than this share of a processor for so long.
CALM_SECONDS = 5
CALM_SHARE = 0.05
STEPS = {
    "create_run": "create a run",
    "log_batch": "log a batch of 100 metrics",
    "get_run": "get a run",
    "search_100": "search, the newest 100",
    "search_metric": "search, metric filter and order, 100",
    "search_1000": "search, the newest 1000",
    "upload": "upload",
    "download": "download",
}


def processes():
    """Of each process: its parent, its session, and the CPU seconds of itself and of its children that have ended."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(path.parent.name)] = (int(fields[1]), int(fields[3]), sum(map(int, fields[11:15])) / TICKS)
    return found


def family(pid):
    """A process, its descendants, and what else is in the session that it leads."""
    known = processes()
    found = {one for one, (_, session, _) in known.items() if one == pid or session == pid}
    while True:
        more = {one for one, (parent, _, _) in known.items() if parent in found} - found
        if not more:
            return found
        found |= more


def cpu(pid):
    """CPU seconds that a server used so far. What has ended, thread or process, is counted by its process or parent."""
    members, known = family(pid), processes()
    return sum(known[one][2] for one in members if one in known)


def until_calm(pid):
    """Waits until a server has done what it does at its start, so that no step pays for it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        before = cpu(pid)
        time.sleep(CALM_SECONDS)
        if cpu(pid) - before < CALM_SHARE * CALM_SECONDS:
            return
    raise Failed(f"process {pid} does not come to rest")


def resident(pids):
    total = 0
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total / 1024


class Target:
    """A server under load: where it is and which processes are its own."""

    def __init__(self, name, host, port, pid, tls=None, headers=None):
        self.name, self.host, self.port, self.pid, self.tls = name, host, port, pid, tls
        self.headers = headers or {}

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection(self.host, self.port, context=self.tls, timeout=PATIENCE)
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)

    def ask(self, connection, method, path, value=None, body=None):
        headers = dict(self.headers)
        if value is not None:
            body, headers["Content-Type"] = json.dumps(value).encode(), "application/json"
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise Failed(f"{self.name}: {method} {path}: {response.status} {answer[:300]!r}")
        return answer

    def mlflow(self, connection, path, **fields):
        return json.loads(self.ask(connection, "POST", f"/api/2.0/mlflow/{path}", fields))


def drive(target, clients, seconds, act, total=None):
    """Lets clients act at once; gives CPU milliseconds of a request and requests a second."""
    counts, errors = [0] * clients, []
    left = threading.Semaphore(total) if total else None
    end = time.monotonic() + seconds

    def work(number):
        connection, chance = target.connection(), random.Random(number)
        try:
            while time.monotonic() < end and (left is None or left.acquire(blocking=False)):
                act(connection, chance)
                counts[number] += 1
        except Exception as error:  # the first one ends the measurement
            errors.append(error)
        finally:
            connection.close()

    before, begin = cpu(target.pid), time.monotonic()
    threads = [threading.Thread(target=work, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise Failed(f"{target.name}: {errors[0]!r}")
    done = sum(counts)
    return {"requests": done, "cpu_ms": 1000 * (cpu(target.pid) - before) / max(1, done),
            "per_second": done / (time.monotonic() - begin)}


def load(target, asked):
    until_calm(target.pid)
    results = {"idle_mb": resident(family(target.pid))}
    first = target.connection()
    experiment = target.mlflow(first, "experiments/create", name="load")["experiment_id"]
    runs = []

    def create(connection, chance):
        made = target.mlflow(connection, "runs/create", experiment_id=experiment, start_time=int(time.time() * 1000),
                             tags=[{"key": "mlflow.user", "value": "ada"}])["run"]["info"]
        runs.append((made["run_id"], made["artifact_uri"]))

    def log(connection, chance):
        now = int(time.time() * 1000)
        metrics = [{"key": f"m{number % 10}", "value": chance.random(), "timestamp": now, "step": chance.randrange(1 << 30)}
                   for number in range(100)]
        target.mlflow(connection, "runs/log-batch", run_id=chance.choice(runs)[0], metrics=metrics)

    def get(connection, chance):
        target.ask(connection, "GET", f"/api/2.0/mlflow/runs/get?run_id={chance.choice(runs)[0]}")

    def search(**query):
        return lambda connection, chance: target.mlflow(connection, "runs/search", experiment_ids=[experiment], **query)

    results["create_run"] = drive(target, asked.clients, asked.seconds, create)
    results["log_batch"] = drive(target, asked.clients, asked.seconds, log)
    results["get_run"] = drive(target, asked.clients, asked.seconds, get)
    missing = asked.runs - len(runs)
    if missing > 0:
        drive(target, asked.clients, asked.fill_seconds, create, total=missing)
    waiting = iter(list(runs))

    def accuracy(connection, chance):
        run = next(waiting, None)
        if run:
            target.mlflow(connection, "runs/log-batch", run_id=run[0],
                          metrics=[{"key": "acc", "value": chance.random(), "timestamp": 1, "step": 0}])

    # One client: an iterator is not to be shared.
    drive(target, 1, asked.fill_seconds, accuracy, total=len(runs))
    results["runs"] = len(runs)
    results["search_100"] = drive(target, 4, asked.seconds, search(max_results=100))
    results["search_metric"] = drive(
        target, 4, asked.seconds, search(max_results=100, filter="metrics.acc > 0.5", order_by=["metrics.acc DESC"]))
    results["search_1000"] = drive(target, 2, asked.seconds, search(max_results=1000))
    # The first connection had nothing to do for so long that a server may have ended it.
    first.close()
    first = target.connection()
    path = runs[0][1].removeprefix("mlflow-artifacts:").lstrip("/")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{path}/large.bin"
    content = os.urandom(asked.megabytes << 20)
    for step, method, body in (("upload", "PUT", content), ("download", "GET", None)):
        before, begin = cpu(target.pid), time.monotonic()
        answer = target.ask(first, method, path, body=body)
        results[step] = {"cpu_ms": 1000 * (cpu(target.pid) - before), "per_second": asked.megabytes / (time.monotonic() - begin)}
        if method == "GET" and answer != content:
            raise Failed(f"{target.name}: what came down is not what went up")
    first.close()
    results["loaded_mb"] = resident(family(target.pid))
    return results


def ours(asked):
    with Folder() as folder, Server(folder) as server:
        server.start()
        server.stop()  # the first start makes keys and the catalog
        started = server.launch()
        server.wait()
        start = time.monotonic() - started
        target = Target("sealyard", server.host, server.port, server.process.pid, server.tls,
                        {"Authorization": f"Bearer {server.token}"})
        results = load(target, asked)
        server.stop()
    return {**results, "start_ms": 1000 * start}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def stock(asked):
    with Folder() as folder:
        port = free_port()
        command = [str(Path(sys.executable).with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
                   "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts")]
        for last in (False, True):  # the first start makes the database
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
                                       env=environment(HOME=str(folder)), start_new_session=True)
            try:
                target = Target("mlflow server", "127.0.0.1", port, process.pid)
                until_healthy(target, process)
                start = time.monotonic() - started
                if last:
                    return {**load(target, asked), "start_ms": 1000 * start}
            finally:
                os.killpg(process.pid, 15)  # of the session that we started
                process.wait(60)


def until_healthy(target, process):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            connection = target.connection()
            target.ask(connection, "GET", "/health")
            connection.close()
            return
        except (OSError, http.client.HTTPException, Failed):
            time.sleep(0.05)
    raise Failed("mlflow server did not start")


def rows(us, them, megabytes):
    """What is compared: its name, both figures with their unit, and how many times more theirs is."""
    found = []
    for step, name in STEPS.items():
        size = f" of {megabytes} MB" if step in ("upload", "download") else ""
        found.append((name + size, us[step]["cpu_ms"], them[step]["cpu_ms"], "ms CPU"))
    found.append(("memory when idle", us["idle_mb"], them["idle_mb"], "MB"))
    found.append(("start", us["start_ms"], them["start_ms"], "ms"))
    return [(name, one, other, unit, other / one if one else 0.0) for name, one, other, unit in found]


def draw(compared, title):
    """The ratios as bars, on a logarithmic scale."""
    import math
    width, line, top, left, full = 940, 30, 64, 300, 420
    largest = max(10.0, *(ratio for *_, ratio in compared))
    height = top + line * len(compared) + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
             '<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#c9d1d9}.d{fill:#8b949e}.b{fill:#3fb950}</style>',
             f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>', f'<text x="20" y="34">{escape(title)}</text>']
    for number, (name, one, other, unit, ratio) in enumerate(compared):
        y = top + line * number
        bar = max(2.0, full * math.log10(max(1.0, ratio)) / math.log10(largest))
        parts.append(f'<text x="20" y="{y + 14}">{escape(name)}</text>')
        parts.append(f'<rect class="b" x="{left + 20}" y="{y + 2}" width="{bar:.0f}" height="14" rx="3"/>')
        parts.append(f'<text x="{left + 28 + bar:.0f}" y="{y + 14}">{ratio:.0f}×</text>')
        parts.append(f'<text class="d" x="{left + 84 + bar:.0f}" y="{y + 14}">{other:.3g} → {one:.3g} {unit}</text>')
    parts.append("</svg>\n")
    return "\n".join(parts)


def script():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--seconds", type=float, default=8)
    asked.add_argument("--fill-seconds", type=float, default=600)
    asked.add_argument("--runs", type=int, default=10_000)
    asked.add_argument("--megabytes", type=int, default=100)
    asked.add_argument("--clients", type=int, default=8)
    asked.add_argument("--json", type=Path)
    asked.add_argument("--picture", type=Path)
    asked = asked.parse_args()
    us = ours(asked)
    them = stock(asked)
    compared = rows(us, them, asked.megabytes)
    wide = max(len(name) for name, *_ in compared)
    print(f"{'':{wide}}  {'sealyard':>10}  {'mlflow':>10}  {'':7}  ratio")
    for name, one, other, unit, ratio in compared:
        print(f"{name:{wide}}  {one:10.2f}  {other:10.2f}  {unit:7}  {ratio:.0f}")
    if asked.json:
        asked.json.write_text(json.dumps({"sealyard": us, "mlflow": them}, indent=1) + "\n")
    if asked.picture:
        asked.picture.write_text(draw(compared, "mlflow server → sealyard: CPU of a request, memory and start, times less"))


if __name__ == "__main__":
    main(script)
