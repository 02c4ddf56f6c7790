#!/usr/bin/env python3
"""How fast a server starts, after the first start, and how much memory it needs when idle.

  start   from exec to the first answer 200 of /health over TLS; median of FOOTPRINT_STARTS (7) starts. What else runs on
          the machine only ever adds to it, so of up to three such medians the first within the bound counts
  CPU     what the processor did for a start, of all threads that are there at the first answer; median of all starts
  memory  resident memory of the process (VmRSS) after some requests and two idle seconds

Fails above FOOTPRINT_START_MS (100), of time and of CPU (with --no-start-bound the time is only told, since a busy machine
proves nothing of it), and FOOTPRINT_MEMORY_MB (60). The bounds are for a release binary on a machine that
does nothing else; a debug binary is told so. With --with-stock the same is measured of `mlflow server`, to compare.
"""

import argparse
import os
import socket
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from harness import Failed, Folder, Server, binary, environment, main

STARTS = int(os.environ.get("FOOTPRINT_STARTS", "7"))
START_MS = float(os.environ.get("FOOTPRINT_START_MS", "100"))
MEMORY_MB = float(os.environ.get("FOOTPRINT_MEMORY_MB", "60"))
REQUESTS = 200
IDLE_SECONDS = 2
ATTEMPTS = 3
PATIENCE = 60
HEALTH = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def resident_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise Failed(f"process {pid} has no resident memory")


def cpu_ms(pid):
    """CPU time of the threads that there are."""
    nanoseconds = 0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            nanoseconds += int(path.read_text().split()[0])
        except OSError:  # the thread has ended meanwhile
            continue
    return nanoseconds / 1e6


def healthy(port, tls):
    """One try; a port on which nobody listens yet answers at once that it is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain:
        # Else the request waits for the acknowledgement of the handshake's last message: 40 ms of our own making.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with tls.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
            connection.sendall(HEALTH)
            return connection.recv(64).startswith(b"HTTP/1.1 200")


def one_start(server, port, tls):
    started = server.launch(f"127.0.0.1:{port}")
    while time.monotonic() - started < PATIENCE:
        try:
            if healthy(port, tls):
                return (time.monotonic() - started) * 1000, cpu_ms(server.process.pid)
        except (ConnectionError, TimeoutError, ssl.SSLError):
            pass
        if server.process.poll() is not None:
            raise Failed(f"the server ended with {server.process.returncode}:\n{server.tail()}")
        time.sleep(0.001)
    raise Failed(f"no answer of /health within {PATIENCE} s")


def use(client):
    """What a client does, so that the memory is that of a server which has worked."""
    experiment = client.mlflow("POST", "experiments/create", name="footprint")["experiment_id"]
    run = client.mlflow("POST", "runs/create", experiment_id=experiment, start_time=1)["run"]["info"]["run_id"]
    for number in range(REQUESTS // 2):
        client.mlflow("POST", "runs/log-metric", run_id=run, key="m", value=number, timestamp=1, step=number)
        client.call("GET", f"/api/2.0/mlflow/runs/get?run_id={run}")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/large.bin"
    content = os.urandom(8 << 20)
    client.call("PUT", path, body=content)
    if client.ask("GET", path).body != content:
        raise Failed("the artifact came back different")


def some_starts(server):
    times = []
    for _ in range(STARTS):
        times.append(one_start(server, free_port(), server.tls))
        server.wait()
        time.sleep(0.1)  # a moment to begin to listen for signals, too
        server.stop()
    return times


def ours():
    with Folder() as folder, Server(folder) as server:
        server.start()
        client = server.client()
        use(client)
        client.close()
        server.stop()
        work = []
        for attempt in range(ATTEMPTS):
            starts = some_starts(server)
            times = [time for time, _ in starts]
            work += [cpu for _, cpu in starts]
            print(f"start   {', '.join(f'{time:.0f} ms ({cpu:.0f} of CPU)' for time, cpu in starts)}", flush=True)
            if statistics.median(times) < START_MS:
                break
            time.sleep(5 if attempt < ATTEMPTS - 1 else 0)
        server.start()
        client = server.client()
        for _ in range(REQUESTS):
            client.call("GET", "/api/2.0/mlflow/experiments/search?max_results=10")
        client.close()
        time.sleep(IDLE_SECONDS)
        memory = resident_mb(server.process.pid)
        server.stop()
    return statistics.median(times), statistics.median(work), memory


def children(pid):
    found = [pid]
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, ValueError):
            continue
        if parent == pid:
            found += children(int(path.parent.name))
    return found


def stock():
    with Folder() as folder:
        port = free_port()
        command = [str(Path(sys.executable).with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port), "--backend-store-uri",
                   f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"), "--workers", "2"]
        times = []
        for number in range(2):  # the first one makes the data base
            started = time.monotonic()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
                                       env=environment(HOME=str(folder)), start_new_session=True)
            try:
                while True:
                    try:
                        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                            if answer.status == 200:
                                break
                    except OSError:
                        time.sleep(0.01)
                    if time.monotonic() - started > PATIENCE or process.poll() is not None:
                        raise Failed("mlflow server did not start")
                times.append((time.monotonic() - started) * 1000)
                time.sleep(IDLE_SECONDS)
                memory = sum(resident_mb(pid) for pid in children(process.pid))
            finally:
                os.killpg(process.pid, 15)  # of the session that we started
                process.wait(30)
        return times[-1], memory


def script():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--with-stock", action="store_true", help="measure mlflow server too (takes a minute)")
    parser.add_argument("--no-start-bound", action="store_true", help="tell the time of a start, and judge the memory only")
    arguments = parser.parse_args()
    median, work, memory = ours()
    print(f"start   median {median:.0f} ms, {work:.0f} ms of CPU; bound {START_MS:.0f} ms")
    print(f"memory  {memory:.1f} MB when idle; bound {MEMORY_MB:.0f} MB")
    if arguments.with_stock:
        start, size = stock()
        print(f"mlflow server: start {start:.0f} ms, memory {size:.0f} MB")
    too_slow = work >= START_MS or median >= START_MS and not arguments.no_start_bound
    if too_slow or memory >= MEMORY_MB:
        hint = "\nhint: this looks like a debug build; the bounds are for cargo build --release" if "debug" in binary() else ""
        raise Failed(f"start {median:.0f} ms ({work:.0f} of CPU), memory {memory:.1f} MB: above the bound{hint}")


if __name__ == "__main__":
    main(script)
