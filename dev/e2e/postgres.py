#!/usr/bin/env python3
"""Kills PostgreSQL with SIGKILL, and restarts it in good order, while several clients write; then the server too.

POSTGRES_ROUNDS (6) times on one database:
  - clients see nothing but answers, and 503 TEMPORARILY_UNAVAILABLE, after which they go on;
  - every acknowledged write is there with its content; one that was not acknowledged is there as a whole or not at all;
  - the ledger is whole, continues the checkpoint that was taken before, and has each acknowledged act.
Every third round kills the server itself as well. The database's password is in no log and in no process's arguments.

Starts a PostgreSQL of its own with dev/test/postgres.sh. POSTGRES_SEED repeats the choices of a run.
"""

import os
import random
import secrets
import subprocess
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import crash
from facts import Facts
from harness import Failed, Folder, Server, binary, check, environment, main

ROUNDS = int(os.environ.get("POSTGRES_ROUNDS", "6"))
SEED = os.environ.get("POSTGRES_SEED") or secrets.token_hex(4)
CLIENTS = 4
# Larger bodies can be cut off by an early answer: the server reads no more of them.
UNREAD = 32 << 20
SCRIPT = Path(__file__).resolve().parent.parent / "test" / "postgres.sh"


class Database:
    """A PostgreSQL server of this script's own; its script ends it when our end of the pipe is closed."""

    def __enter__(self):
        self.process = subprocess.Popen([SCRIPT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if self.process.stdout.readline().strip() != "ready":
            raise Failed("PostgreSQL did not start")
        self.password = urlsplit(self.url).password
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)

    def command(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        check(f"PostgreSQL: {command}", self.process.stdout.readline().strip(), "ok")


class Away(Exception):
    """The server said that it can't at the moment."""


class Patient:
    """A client that tells the one answer to try again after from all others."""

    def __init__(self, client):
        self.client, self.server = client, client.server
        self.away = 0

    def ask(self, method, path, value=None, body=None):
        try:
            answer = self.client.ask(method, path, value, body)
        except crash.BROKEN as error:
            # A very large body is answered before it was read, and the connection closed: HTTP has no better way.
            if self.server.killed:
                raise
            if body and len(body) > UNREAD:
                self.away += 1
                raise Away from None
            raise Failed(f"{method} {path} with {len(body or b'')} bytes: {error!r}") from error
        if answer.status == 503:
            check("error code of a 503", answer.json().get("error_code"), "TEMPORARILY_UNAVAILABLE")
            self.away += 1
            # If the request's body was not read, the server ends the connection.
            self.client.close()
            raise Away
        return answer

    def call(self, method, path, value=None, body=None):
        answer = self.ask(method, path, value, body)
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer}")
        return answer.json() if answer.body else None

    def mlflow(self, method, path, **fields):
        return self.call(method, f"/api/2.0/mlflow/{path}", fields)

    def close(self):
        self.client.close()


class Steady:
    """A reader that asks again while the server says that its database is away: each of its connections finds out by itself."""

    def __init__(self, client):
        self.client = client

    def ask(self, method, path, value=None, body=None):
        end = time.monotonic() + 15
        while True:
            answer = self.client.ask(method, path, value, body)
            if answer.status != 503 or time.monotonic() > end:
                return answer
            check("error code of a 503", answer.json().get("error_code"), "TEMPORARILY_UNAVAILABLE")
            self.client.close()
            time.sleep(0.1)

    def call(self, method, path, value=None, body=None):
        answer = self.ask(method, path, value, body)
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer}")
        return answer.json() if answer.body else None

    def close(self):
        self.client.close()


class Writer(crash.Writer):
    """Goes on after a database that was away; ends when it is told to, or when the server is gone."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.client = Patient(self.client)
        self.over = threading.Event()
        self.broken = None

    def run(self):
        try:
            while not self.over.is_set():
                try:
                    self.one_run()
                except Away:
                    time.sleep(0.01)
        except crash.BROKEN as error:
            self.broken = error
        except Exception as error:  # reported by the main thread
            self.error = error
        finally:
            self.client.close()


def wait_for_more(facts, writers, server):
    """Until writes are acknowledged again."""
    before, end = facts.acknowledged, time.monotonic() + 60
    while facts.acknowledged < before + 5:
        for writer in writers:
            if not writer.is_alive():
                raise Failed(f"a client saw: {(writer.error or writer.broken)!r}\n{server.tail()}")
        if time.monotonic() > end:
            raise Failed(f"nothing is written any more\n{server.tail()}")
        time.sleep(0.02)


def one_round(server, database, number, experiment, facts, random_source):
    server.killed = False
    checkpoint = server.folder / "checkpoint"
    checkpoint.write_text(server.command("ledger", "checkpoint"))
    writers = [Writer(server, n, experiment, facts, random.Random(f"{SEED}/{number}/{n}")) for n in range(CLIENTS)]
    for writer in writers:
        writer.start()
    for command in random_source.choice([("kill", "start"), ("kill", "start"), ("restart",)]):
        time.sleep(random_source.uniform(0.05, 1.0))
        database.command(command)
    wait_for_more(facts, writers, server)
    both = number % 3 == 2
    if both:
        server.killed = True
        server.kill()
        database.command("kill")
        database.command("start")
    for writer in writers:
        writer.over.set()
    for writer in writers:
        writer.join(60)
        if writer.is_alive():
            raise Failed("a client did not end")
        if writer.error:
            raise Failed(f"a client saw: {writer.error!r}\n{server.tail()}")
        if writer.broken and not both:
            raise Failed(f"the server's connection broke: {writer.broken!r}\n{server.tail()}")
    if both:
        server.start()
    client = Steady(server.client())
    facts.verify(client)
    size = crash.ledger_has(client, facts)
    client.close()
    server.verify_ledger(checkpoint)
    away = sum(writer.client.away for writer in writers)
    print(f"ok      round {number + 1}: {facts.acknowledged} acknowledged writes, {size} entries, {away} answers of 503", flush=True)
    return away


def the_password_is_nowhere(server, database):
    with open(f"/proc/{server.process.pid}/cmdline", "rb") as file:
        check("the password in the arguments", database.password.encode() in file.read(), False)
    check("the password in the log", database.password in server.log.read_text(), False)
    for path in server.data.rglob("*"):
        if path.is_file() and path.stat().st_size < 1 << 20:
            check(f"the password in {path.name}", database.password.encode() in path.read_bytes(), False)


def start_with_a_password_in_an_argument(database, folder):
    refused = subprocess.run([binary(), "up", "--data-dir", str(folder / "other"), "--database", database.url],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=folder, env=environment())
    check("exit code with a password in an argument", refused.returncode, 2)
    check("the password in the refusal", database.password in refused.stdout + refused.stderr, False)


def script():
    print(f"POSTGRES_SEED={SEED}", flush=True)
    random_source = random.Random(SEED)
    with Database() as database, Folder() as folder:
        start_with_a_password_in_an_argument(database, folder)
        with Server(folder, database=database.url) as server:
            server.start()
            client = server.client()
            experiment = client.mlflow("POST", "experiments/create", name="restarts")["experiment_id"]
            client.close()
            facts = Facts()
            away = sum(one_round(server, database, number, experiment, facts, random_source) for number in range(ROUNDS))
            client = Steady(server.client())
            facts.verify(client, everything=True)
            client.close()
            the_password_is_nowhere(server, database)
            server.stop()
            server.verify_ledger()
    if not away:
        raise Failed("no client noticed anything: the database was away for too short a time")
    if facts.acknowledged < ROUNDS * 10:
        raise Failed(f"only {facts.acknowledged} writes were acknowledged in {ROUNDS} rounds: too few to mean anything")


if __name__ == "__main__":
    main(script)
