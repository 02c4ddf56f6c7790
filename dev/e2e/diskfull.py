#!/usr/bin/env python3
"""Fills the disk under a server that clients write to; they are told to try again, nothing acknowledged is lost, and it goes on.

The data directory lies on a file system of 256 MB in memory, in a mount namespace of this script's own. Three times clients write, then
the disk is filled to its last byte (once slowly by the clients' own uploads), then room is made again. While it is full every answer
is one that is done, a 503 with Retry-After, or nothing; reading works all the time, but of files that nobody has read in this hour: that has
to be put on record first. The server is never restarted in between; at the
end it is, and everything is looked at again.
"""

import os
import random
import secrets
import subprocess
import sys
import threading
import time
from pathlib import Path

from crash import CLIENTS, Writer, ledger_has
from facts import Facts
from harness import Answer, Client, Failed, Folder, Server, check, main

SEED = os.environ.get("DISKFULL_SEED") or secrets.token_hex(4)
MEGABYTES = 256
ROUNDS = 3


class Full(Exception):
    """The server has no room now."""


class Patient(Client):
    """Takes a 503 for what it is."""

    def ask(self, method, path, value=None, body=None, headers=None):
        answer = super().ask(method, path, value, body, headers)
        if answer.status == 503:
            code = answer.json()["error_code"]
            if code != "TEMPORARILY_UNAVAILABLE" or not answer.headers.get("Retry-After"):
                raise Failed(f"a 503 that does not say what to do: {answer} {dict(answer.headers)}")
            raise Full
        if answer.status >= 500:
            raise Failed(f"{method} {path}: {answer}")
        return answer


class PatientWriter(Writer):
    """Goes on after a 503, until it is told to stop."""

    def __init__(self, server, *more):
        super().__init__(server, *more)
        self.client = Patient(server, server.token)
        self.stop = threading.Event()
        self.refused = self.done = 0

    def run(self):
        try:
            while not self.stop.is_set():
                try:
                    self.one_run()
                    self.done += 1
                except Full:
                    self.refused += 1
                    time.sleep(0.02)
        except Exception as error:  # reported by the main thread
            self.error = error
        finally:
            self.client.close()


def fill(path):
    """Takes every byte there is left."""
    with open(path, "wb", buffering=0) as ballast:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    ballast.write(b"\1" * size)
            except OSError:
                pass


def write(server, number, experiment, facts, seconds, during=None):
    """Clients write for a while; gives how many of their runs went through and how many requests were put off."""
    writers = [PatientWriter(server, n, experiment, facts, random.Random(f"{SEED}/{number}/{n}")) for n in range(CLIENTS)]
    for writer in writers:
        writer.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if during:
            during()
        time.sleep(0.05)
    for writer in writers:
        writer.stop.set()
    for writer in writers:
        writer.join(60)
        if writer.is_alive():
            raise Failed("a client waits for ever")
        if writer.error:
            raise Failed(f"a client saw: {writer.error!r}\n{server.tail()}")
    return sum(writer.done for writer in writers), sum(writer.refused for writer in writers)


def script():
    print(f"DISKFULL_SEED={SEED}", flush=True)
    with Folder() as folder, Server(folder) as server:
        disk = folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=700", "none", str(disk)], check=True)
        server.data = disk / "data"
        server.start()
        client = server.client()
        experiment = client.mlflow("POST", "experiments/create", name="diskfull")["experiment_id"]
        facts = Facts()
        reader = server.client()
        read = lambda: check("reading while the disk is full", reader.ask("GET", f"/api/2.0/mlflow/experiments/get?experiment_id={experiment}").status, 200)
        for number in range(ROUNDS):
            checkpoint = folder / "checkpoint"
            checkpoint.write_text(server.command("ledger", "checkpoint"))
            done, refused = write(server, f"{number}/room", experiment, facts, 0.7)
            if not done:
                raise Failed(f"nothing could be written while there was room ({refused} put off)\n{server.tail()}")
            ballast = disk / "ballast"
            if number == 0:
                # The clients' own files fill the rest, bit by bit.
                with open(ballast, "wb") as file:
                    left = os.statvfs(disk)
                    os.posix_fallocate(file.fileno(), 0, max(4096, left.f_bavail * left.f_frsize - (6 << 20)))
            else:
                fill(ballast)
            done, refused = write(server, f"{number}/full", experiment, facts, 3, read)
            if not refused:
                raise Failed("the disk was full and nobody was told")
            check("the server runs", server.process.poll(), None)
            unread = facts.verify(Patient(server, server.token), put_off=Full)
            ballast.unlink()
            # Room for the rounds to come: what clients had uploaded goes.
            after, still = write(server, f"{number}/again", experiment, facts, 1)
            if not after:
                raise Failed(f"there is room again, and still nothing is written ({still} put off)\n{server.tail()}")
            # Also what could not be given out while its reading could not be put on record.
            check("files that are put off still", facts.verify(reader), 0)
            server.verify_ledger(checkpoint)
            size = ledger_has(reader, facts)
            print(f"ok      full {number + 1}: {refused} put off and {unread} files unread, {facts.acknowledged} acknowledged writes, {size} entries", flush=True)
            for path in [key[1] for key in facts.known if key[0] == "artifact" and "/models/" not in key[1]]:
                reader.ask("DELETE", path)
                facts.known[("artifact", path)] = None
        reader.close()
        client.close()
        log = server.log.read_text(errors="replace")
        check("panics", log.count("panicked"), 0)
        server.stop()
        server.start()
        client = server.client()
        facts.verify(client, everything=True)
        ledger_has(client, facts)
        client.close()
        server.stop()
        server.verify_ledger()
        pending = [path for path in (server.data / "vault" / "pending").rglob("*") if path.is_file()]
        check("half-written objects that are left", pending, [])
        # With the server stopped, a start on a full disk says what is wrong, and breaks nothing.
        fill(disk / "ballast")
        server.launch()
        end = time.monotonic() + 20
        while server.process.poll() is None and not server.ready.exists() and time.monotonic() < end:
            time.sleep(0.05)
        if server.process.poll() is None:
            server.kill()
        else:
            check("exit code of a start on a full disk", server.process.returncode, 2)
            said = server.tail()
            if "full" not in said and "No space" not in said:
                raise Failed(f"a start on a full disk does not say what is wrong:\n{said}")
        (disk / "ballast").unlink()
        server.start()
        client = server.client()
        facts.verify(client, everything=True)
        client.close()
        server.stop()
        server.verify_ledger()
        print("ok      a start on a full disk breaks nothing", flush=True)


if __name__ == "__main__":
    if os.environ.get("DISKFULL_INSIDE") != "1":
        os.environ["DISKFULL_INSIDE"] = "1"
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--mount", sys.executable, *sys.argv])
    main(script)
