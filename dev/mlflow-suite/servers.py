"""Servers that MLflow's tests are pointed at: each start has an empty store, always at the same address.

`Sealyard` is a process of its own for each start. `Stock` imports MLflow once and forks a child for each start, on a
copy of a store that was made once: it takes a second where `mlflow server` takes ten.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOST = "127.0.0.1"
# The administrator of a server with authentication. MLflow's own password would be refused as one that everybody knows.
ADMINISTRATOR = ("admin", "correct horse battery 9")
START_SECONDS = 120
# What MLflow's default permission is on.
KINDS = ["experiment", "registered-model", "gateway-secret", "gateway-model-definition", "gateway-endpoint"]


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def environment(**more):
    """Nothing that would point a server, or a client in it, somewhere else."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("SEALYARD", "MLFLOW")) and not name.lower().endswith("_proxy")}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", **more}


class Databases:
    """A fresh PostgreSQL database for each start, below a server that `DATABASE` names; the one before is dropped."""

    def __init__(self, url):
        self.url = url
        self.number = 0
        self.name = None

    def _administer(self, statement):
        import psycopg2

        connection = psycopg2.connect(self.url)
        connection.autocommit = True
        try:
            connection.cursor().execute(statement)
        finally:
            connection.close()

    def fresh(self):
        self.drop()
        self.number += 1
        self.name = f"mlflow_suite_{os.getpid()}_{self.number}"
        self._administer(f'CREATE DATABASE "{self.name}"')
        base, _, query = self.url.partition("?")
        scheme, _, rest = base.partition("://")
        url = f"{scheme}://{rest.split('/')[0]}/{self.name}"
        return url + ("?" + query if query else "")

    def drop(self):
        if self.name:
            self._administer(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            self.name = None


class Sealyard:
    """`sealyard up` without TLS and authentication, on loopback."""

    name = "sealyard"
    # Bytes in its vault are encrypted: there is no folder in which a test could look for them.
    artifacts = None

    def __init__(self, binary, database=None, arguments=()):
        self.binary = str(Path(binary).resolve())
        self.databases = Databases(database) if database else None
        self.arguments = list(arguments)
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.root = Path(tempfile.mkdtemp(prefix="sealyard-mlflow-suite-"))
        self.log = self.root / "server.log"
        self.process = None
        self.data = self.root / "data-0"
        self.count = 0

    def start(self, default_permission=None, _function=None):
        """With a default permission: one that asks who is there."""
        self.stop()
        self.count += 1
        self.default_permission = default_permission
        if default_permission:
            password = self.root / "password"
            password.write_text(ADMINISTRATOR[1])
            password.chmod(0o600)
            access = ["--admin-password-file", str(password)]
        else:
            access = ["--no-auth"]
        self.data, ready = self.root / f"data-{self.count}", self.root / f"ready-{self.count}.json"
        command = [self.binary, "up", "--quiet", "--data-dir", str(self.data), "--listen", f"{HOST}:{self.port}", "--tls", "off",
                   *access, "--ready-file", str(ready), *self.arguments]
        # Its password may not stand in the arguments, where others could read it.
        database = {"SEALYARD_DATABASE": self.databases.fresh()} if self.databases else {}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root,
                                            env=environment(**database), start_new_session=True)
        end = time.monotonic() + START_SECONDS
        while not ready.exists():
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.tail()}")
            if time.monotonic() > end:
                raise RuntimeError(f"the server did not start:\n{self.tail()}")
            time.sleep(0.002)

    def welcome(self, user):
        """Gives a new user what MLflow gives everybody: there is no default permission here."""
        import requests

        grants = [("server", "EDIT")]
        if self.default_permission != "NO_PERMISSIONS":
            grants += [(f"{kind}:*", self.default_permission) for kind in KINDS]
        for resource, right in grants:
            body = {"user": user, "resource": resource, "right": right}
            requests.post(f"{self.url}/api/sealyard/v1/grants", json=body, auth=ADMINISTRATOR).raise_for_status()

    def stop(self):
        """Killed: what it would write down in good order is thrown away anyway."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
            shutil.rmtree(self.data, ignore_errors=True)

    def close(self):
        self.stop()
        if self.databases:
            self.databases.drop()
        shutil.rmtree(self.root, ignore_errors=True)

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


class Stock:
    """MLflow's own server, in processes forked from one that has it imported already."""

    name = "stock"

    def __init__(self, database=None):
        self.databases = Databases(database) if database else None
        self.port = free_port()
        self.url = f"http://{HOST}:{self.port}"
        self.root = Path(tempfile.mkdtemp(prefix="stock-mlflow-suite-"))
        self.artifacts = self.root / "tmp" / "mlartifacts"
        self.log = self.root / "server.log"
        self.mother = None

    def _ask(self, **order):
        if not self.mother:
            with open(self.log, "ab") as log:
                self.mother = subprocess.Popen(
                    [sys.executable, str(Path(__file__).with_name("stock.py")), str(self.root)], stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE, stderr=log, text=True, cwd=self.root, start_new_session=True,
                    env=environment(MLFLOW_CRYPTO_KEK_PASSPHRASE="test-passphrase-at-least-32-characters-long"))
        self.mother.stdin.write(json.dumps(order) + "\n")
        self.mother.stdin.flush()
        answer = self.mother.stdout.readline()
        if answer.strip() != "ok":
            raise RuntimeError(f"stock: {answer}\n{self.tail()}")

    def start(self, default_permission=None, function=None):
        shutil.rmtree(self.artifacts, ignore_errors=True)
        self.artifacts.mkdir(parents=True)
        database = self.databases.fresh() if self.databases else None
        auth = [default_permission, function, *ADMINISTRATOR] if default_permission else None
        self._ask(act="start", port=self.port, artifacts=str(self.artifacts), database=database, auth=auth)
        end = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            if time.monotonic() > end:
                raise RuntimeError(f"the stock server did not start:\n{self.tail()}")
            time.sleep(0.01)

    def welcome(self, _user):
        pass

    def stop(self):
        if self.mother:
            self._ask(act="stop")

    def close(self):
        if self.mother:
            self.stop()
            self.mother.stdin.close()
            try:
                self.mother.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.mother.pid, signal.SIGKILL)
        if self.databases:
            self.databases.drop()
        shutil.rmtree(self.root, ignore_errors=True)

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else ""


def from_environment():
    """The server that run.sh asked for."""
    database = os.environ.get("SUITE_DATABASE") or None
    if os.environ.get("SUITE_SERVER") == "stock":
        return Stock(database)
    arguments = os.environ.get("SUITE_ARGUMENTS", "--external-sources record").split()
    return Sealyard(os.environ["SEALYARD"], database, arguments)
