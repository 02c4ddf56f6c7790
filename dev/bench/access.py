#!/usr/bin/env python3
"""What it costs the server to know who asks: CPU time of a request with a token, and with a password, beside one that is open.

    dev/bench/access.py [--requests 5000] [--rounds 5] [--most 30]

The same request (an experiment) goes to a server with --no-auth and to one that authenticates, on connections that are kept, in
turns. The CPU time is that of the whole process, all threads, from /proc. The password is verified with Argon2 once, before it is
counted; from then on it is remembered, as for every MLflow client. Ends with an error where either costs more than --most µs above open.
"""

import argparse
import base64
import os
import socket
import ssl
import statistics
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
from harness import Failed, Folder, Server, main  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PATH = "/api/2.0/mlflow/experiments/get?experiment_id=0"
PASSWORD = "Marl-Siskin-Threnody-73"


def cpu(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Open(Server):
    """Has no administrator, and so no token."""

    def connect(self):
        self.token_file.touch()
        super().connect()


class Asker:
    """The same request again and again on one connection; written by hand, so that it takes the client little."""

    def __init__(self, name, server, authorization=None):
        self.name, self.server, self.costs = name, server, []
        line = f"Authorization: {authorization}\r\n" if authorization else ""
        self.socket = None
        self.request = f"GET {PATH} HTTP/1.1\r\nHost: {server.host}:{server.port}\r\n{line}\r\n".encode()

    def connect(self):
        """A connection of its own for each round: the server ends those that wait for long."""
        server = self.server
        plain = socket.create_connection((server.host, server.port), timeout=60)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        over_tls = isinstance(server.tls, ssl.SSLContext)
        self.socket = server.tls.wrap_socket(plain, server_hostname=server.host) if over_tls else plain
        for _ in range(100):
            self.ask()

    def receive(self, most=65536):
        piece = self.socket.recv(most)
        if not piece:
            raise Failed(f"{self.name}: the server ended the connection")
        return piece

    def ask(self):
        self.socket.sendall(self.request)
        answer = self.receive()
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, body = answer.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200"):
            raise Failed(f"{self.name}: {answer[:300]!r}")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        missing = int(fields[b"content-length"]) - len(body)
        while missing > 0:
            missing -= len(self.receive(missing))

    def round(self, requests):
        self.connect()
        before = cpu(self.server.process.pid)
        for _ in range(requests):
            self.ask()
        self.costs.append((cpu(self.server.process.pid) - before) / requests * 1e6)
        self.socket.close()


def bench():
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=float, default=30)
    options = parser.parse_args()
    with Folder() as folder:
        settings = folder / "settings.toml"
        settings.write_text("[limits]\naccount_rate = { per_second = 1000000, burst = 1000000 }\n"
                            "address_rate = { per_second = 1000000, burst = 1000000 }\n")
        compare(options, folder, ["--config", str(settings)])


def compare(options, folder, limits):
    with Open(folder, "open", ["--no-auth", *limits]) as open_server, Server(folder, "closed", limits) as closed:
        open_server.start()
        closed.start()
        client = closed.client()
        client.call("POST", "/api/2.0/mlflow/users/create", {"username": "ada", "password": PASSWORD})
        client.call("POST", "/api/2.0/mlflow/experiments/permissions/create",
                    {"experiment_id": "0", "username": "ada", "permission": "READ"})
        basic = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()
        token = closed.token_file.read_text().strip()
        askers = [Asker("open", open_server), Asker("with a token", closed, f"Bearer {token}"),
                  Asker("with a password that is remembered", closed, f"Basic {basic}")]
        for asker in askers:
            asker.round(500)
            asker.costs.clear()
        for number in range(options.rounds):
            for asker in askers[number % 3:] + askers[:number % 3]:
                asker.round(options.requests)
        open_cost = statistics.median(askers[0].costs)
        worst = 0
        for asker in askers:
            cost = statistics.median(asker.costs)
            worst = max(worst, cost - open_cost)
            print(f"{asker.name:<36} {cost:6.1f} µs of the server's CPU a request, {cost - open_cost:+5.1f} µs   "
                  f"each round {' '.join(f'{one:.1f}' for one in asker.costs)}")
    if worst > options.most:
        raise Failed(f"{worst:.1f} µs more than an open request")


if __name__ == "__main__":
    main(bench)
