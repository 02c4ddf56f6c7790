#!/usr/bin/env python3
"""1 GiB up and down through a server that encrypts what it keeps, and through the same one that does not.

    dev/bench/vault.py [--gibibytes 1] [--rounds 5] [--least 70] [--with-stock]

Both are the same binary on the same path: TLS, hash, scan, sync, catalog and ledger are in both. Only a build with the cargo feature
`bench-plain` can leave the vault's encryption out, where SEALYARD_BENCH_PLAIN=1 asks for it; no build for users has that.
SEALYARD names such a build. They take turns, and the medians are compared; first with TLS, then without, where the vault's share is
larger. A first round is not counted. That one of them encrypts and the other does not is looked up in their files. With --with-stock, `mlflow server` of this
Python's environment, on its own. Ends with an error where less than --least percent of plain is reached.
"""

import argparse
import hashlib
import http.client
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "e2e"))
import large  # noqa: E402
from harness import Failed, Server, check, main  # noqa: E402

BLOCK = 1 << 20
NOISE = hashlib.shake_256(b"vault").digest(BLOCK)
FOUND_BY = NOISE[4096:4160]


class Place:
    """A server, kept open, and one artifact's address on it."""

    def __init__(self, folder, name, tls, plain):
        arguments = [] if tls else ["--tls", "off"]
        self.server = Server(folder, name, arguments)
        if plain:
            self.server.environment["SEALYARD_BENCH_PLAIN"] = "1"
        self.server.start()
        self.plain, self.tls = plain, tls
        self.pid = self.server.process.pid
        self.headers = {"Authorization": f"Bearer {self.server.token_file.read_text().strip()}"}
        run = self.json("POST", "/api/2.0/mlflow/runs/create", b'{"experiment_id": "0"}')["run"]["info"]["run_id"]
        self.path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/large.bin"
        self.speeds = {"up": [], "down": []}
        self.costs = {"up": [], "down": []}

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection(self.server.host, self.server.port, context=self.server.tls, timeout=600)
        return http.client.HTTPConnection(self.server.host, self.server.port, timeout=600)

    def json(self, method, path, body):
        import json
        connection = self.connection()
        connection.request(method, path, body=body, headers={**self.headers, "Content-Type": "application/json"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer.status} {said[:300]!r}")
        return json.loads(said)

    def note(self, what, watch, size):
        self.speeds[what].append(size / watch.seconds / 1e6)
        self.costs[what].append(watch.cpu / (size / 1e9))

    def round(self, size, number):
        blocks = [number.to_bytes(8, "big") + NOISE[8:]] * (size // BLOCK)
        connection = self.connection()
        with large.Watch(self.pid) as watch:
            connection.request("PUT", self.path, body=iter(blocks),
                               headers={**self.headers, "Content-Length": str(len(blocks) * BLOCK)})
            answer = connection.getresponse()
            said = answer.read()
        check("the upload", (answer.status, said[:300] if answer.status != 200 else b""), (200, b""))
        self.note("up", watch, len(blocks) * BLOCK)
        connection = self.connection()
        length, buffer = 0, bytearray(BLOCK)
        first = b""
        with large.Watch(self.pid) as watch:
            connection.request("GET", self.path, headers=self.headers)
            answer = connection.getresponse()
            while count := answer.readinto(buffer):
                first = first or bytes(buffer[:count])
                length += count
        check("the download", (answer.status, length, first[:1024]), (200, len(blocks) * BLOCK, blocks[0][:1024]))
        self.note("down", watch, length)

    def look(self):
        """What lies in the vault is plain or is not, as it should."""
        objects = [one for one in (self.server.data / "vault/objects").glob("*/*") if one.stat().st_size > BLOCK]
        if not objects:
            raise Failed("there is no object to look at")
        for one in objects:
            with open(one, "rb") as file:
                check(f"plain bytes in an object of the {'plain' if self.plain else 'encrypted'} server",
                      FOUND_BY in file.read(4 * BLOCK), self.plain)


def compare(folder, tls, options):
    size = int(options.gibibytes * (1 << 30))
    worst = 1e9
    places = [Place(folder, f"{'plain' if plain else 'sealed'}-{'tls' if tls else 'open'}", tls, plain) for plain in (False, True)]
    try:
        for number in range(options.rounds + 1):
            # Who begins takes turns as well.
            for place in places if number % 2 else reversed(places):
                place.round(size, number)
        for place in places:
            for rounds in (*place.speeds.values(), *place.costs.values()):
                rounds.pop(0)
        for place in places:
            place.look()
    finally:
        for place in places:
            place.server.kill()
    sealed, plain = places
    for what in ("up", "down"):
        ours, theirs = statistics.median(sealed.speeds[what]), statistics.median(plain.speeds[what])
        cost = [statistics.median(place.costs[what]) for place in places]
        share = 100 * ours / theirs
        worst = min(worst, share)
        print(f"{'TLS ' if tls else 'HTTP'} {what:<5} encrypted {ours:6.0f} MB/s, plain {theirs:6.0f} MB/s: {share:4.0f}%   "
              f"server's CPU {cost[0]:.2f} and {cost[1]:.2f} s/GB: {cost[0] / cost[1]:.2f} times   each round encrypted "
              f"{' '.join(f'{one:.0f}' for one in sealed.speeds[what])}, plain {' '.join(f'{one:.0f}' for one in plain.speeds[what])}",
              flush=True)
    return worst


def bench():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gibibytes", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--least", type=float, default=70)
    parser.add_argument("--with-stock", action="store_true")
    options = parser.parse_args()
    worst = 1e9
    for tls in (True, False):
        with tempfile.TemporaryDirectory(prefix="sealyard-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
            worst = min(worst, compare(Path(folder), tls, options))
    if options.with_stock:
        with tempfile.TemporaryDirectory(prefix="sealyard-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
            large.stock(Path(folder), int(options.gibibytes * (1 << 30)))
    print(f"the least is {worst:.0f}% of plain")
    if worst < options.least:
        raise Failed(f"less than {options.least:g}% of plain")


if __name__ == "__main__":
    main(bench)
