#!/usr/bin/env python3
"""Many clients that write at once: nothing fails, nothing is lost or doubled.

    dev/bench/writers.py [--clients 64] [--seconds 60]

Each client makes runs and logs batches of metrics to them, every point with a value that tells it from all others, and notes
what was acknowledged. Afterwards the history of every metric is read page by page: it must hold just what was acknowledged.
Prints how many requests there were and how long the slowest of a hundred took. The ledger is verified at the end.
"""

import argparse
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))

from harness import Failed, Folder, Server, check, main  # noqa: E402

BATCHES_PER_RUN = 20
METRICS_PER_BATCH = 10


class Writer(threading.Thread):
    def __init__(self, server, experiment, number, until):
        super().__init__(daemon=True)
        self.client = server.client()
        self.experiment, self.number, self.until = experiment, number, until
        self.latencies, self.runs, self.error = [], {}, None

    def timed(self, method, path, **fields):
        begin = time.monotonic()
        answer = self.client.mlflow(method, path, **fields)
        self.latencies.append(time.monotonic() - begin)
        return answer

    def run(self):
        try:
            point = 0
            while time.monotonic() < self.until:
                made = self.timed("POST", "runs/create", experiment_id=self.experiment, start_time=1,
                                  tags=[{"key": "writer", "value": str(self.number)}])
                run = made["run"]["info"]["run_id"]
                logged = self.runs.setdefault(run, [])
                for _ in range(BATCHES_PER_RUN):
                    if time.monotonic() >= self.until:
                        break
                    points = [point + offset for offset in range(METRICS_PER_BATCH)]
                    self.timed("POST", "runs/log-batch", run_id=run, metrics=[
                        {"key": f"m{value % 3}", "value": value, "timestamp": 1, "step": value} for value in points])
                    point += METRICS_PER_BATCH
                    logged.extend(points)
        except Exception as error:  # whatever it is, it is what this looks for
            self.error = error
        finally:
            self.client.close()


def history(client, run, key):
    values, token = [], ""
    while True:
        query = f"run_id={run}&metric_key={key}&max_results=50" + (f"&page_token={token}" if token else "")
        page = client.call("GET", f"/api/2.0/mlflow/metrics/get-history?{query}")
        values += [int(metric["value"]) for metric in page.get("metrics", [])]
        token = page.get("next_page_token")
        if not token:
            return values


def found_runs(client, experiment):
    found, token = [], None
    while True:
        page = client.mlflow("POST", "runs/search", experiment_ids=[experiment], max_results=100,
                             **({"page_token": token} if token else {}))
        found += [run["info"]["run_id"] for run in page.get("runs", [])]
        token = page.get("next_page_token")
        if not token:
            return found


def measure(clients, seconds):
    with Folder() as folder:
        # All of them are one account, which asks more often than one may.
        settings = Path(folder, "sealyard.toml")
        settings.write_text("[limits]\naccount_rate = { per_second = 1000000, burst = 1000000 }\naddress_rate = { per_second = 1000000, burst = 1000000 }\n")
        with Server(folder, arguments=["--config", str(settings)]) as server:
            latencies, points = write(server, clients, seconds)
    share = lambda part: 1000 * latencies[min(len(latencies) - 1, int(part * len(latencies)))]
    print(f"{clients} clients for {seconds:g} s: {len(latencies):,} requests, {points:,} points, none lost or doubled, no error")
    print(f"latency: median {share(0.5):.1f} ms, p99 {share(0.99):.1f} ms, longest {share(1):.1f} ms")


def write(server, clients, seconds):
    """Writes and reads what was written; the sorted latencies and how many points there are."""
    server.start()
    client = server.client()
    experiment = client.mlflow("POST", "experiments/create", name="writers")["experiment_id"]
    until = time.monotonic() + seconds
    writers = [Writer(server, experiment, number, until) for number in range(clients)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(seconds + 120)
    errors = [writer.error for writer in writers if writer.error or writer.is_alive()]
    if errors:
        raise Failed(f"{len(errors)} of {clients} writers failed: {errors[0]!r}")
    wanted = {run: points for writer in writers for run, points in writer.runs.items()}
    # The first connection had nothing to do for a minute, after which a server ends it.
    client = server.client()
    check("runs", sorted(found_runs(client, experiment)), sorted(wanted))
    points = 0
    for run, logged in wanted.items():
        kept = [value for key in ("m0", "m1", "m2") for value in history(client, run, key)]
        check(f"points of run {run}", sorted(kept), sorted(logged))
        points += len(kept)
    client.close()
    server.stop()
    server.verify_ledger()
    return sorted(latency for writer in writers for latency in writer.latencies), points


def run():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--clients", type=int, default=64)
    asked.add_argument("--seconds", type=float, default=60)
    asked = asked.parse_args()
    measure(asked.clients, asked.seconds)


if __name__ == "__main__":
    main(run)
