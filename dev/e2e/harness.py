"""What the end-to-end scripts share: a server of its own in a private folder, and a small HTTP client.

Standard library only. `SEALYARD` names the binary. A server listens on loopback, on any free port; whatever happens, it
is stopped and its folder removed.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from pathlib import Path

START_SECONDS = 60
REQUEST_SECONDS = 60
SCRIPT_SECONDS = 300
STOP_SECONDS = 30


class Failed(Exception):
    """Something was not as expected."""


def check(what, found, wanted):
    if found != wanted:
        raise Failed(f"{what}: expected {wanted!r}, found {found!r}")


def binary():
    path = os.environ.get("SEALYARD")
    if not path:
        sys.exit("error: SEALYARD names no binary\nhint: cargo build -p sealyard; export SEALYARD=target/debug/sealyard")
    path = Path(path).resolve()
    if not os.access(path, os.X_OK):
        sys.exit(f"error: {path} is no program\nhint: SEALYARD must name the sealyard binary")
    return str(path)


def environment(**more):
    """An environment without anything that would point our programs, or MLflow, somewhere else."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("SEALYARD", "MLFLOW")) and not name.lower().endswith("_proxy")}
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", **more}


class Folder:
    """A private temporary folder."""

    def __enter__(self):
        os.umask(0o022)  # modes must be right because the server sets them, not by the caller's mask
        self.path = Path(tempfile.mkdtemp(prefix="sealyard-e2e-"))
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    @property
    def rules(self):
        """The rules that refused, as far as the answer says."""
        try:
            value = self.json()
        except ValueError:
            return []
        return value.get("rules", []) if isinstance(value, dict) else []

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Client:
    """Speaks to one server over one kept connection; one per thread."""

    def __init__(self, server, token=None, basic=None):
        self.server = server
        self.headers = {}
        if token:
            self.headers["Authorization"] = f"Bearer {token}"
        if basic:
            import base64
            self.headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
        self.connection = None

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None

    def ask(self, method, path, value=None, body=None, headers=None):
        if value is not None:
            body = json.dumps(value).encode()
        headers = {**self.headers, **({"Content-Type": "application/json"} if value is not None else {}), **(headers or {})}
        try:
            if self.connection is None:
                self.connection = http.client.HTTPSConnection(
                    self.server.host, self.server.port, context=self.server.tls, timeout=REQUEST_SECONDS)
            self.connection.request(method, path, body=body, headers=headers)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except Exception:
            self.close()
            raise

    def call(self, method, path, value=None, body=None):
        """Like `ask`, but anything other than 200 is an error; gives the answer's JSON."""
        answer = self.ask(method, path, value, body)
        if answer.status != 200:
            raise Failed(f"{method} {path}: {answer}")
        return answer.json() if answer.body else None

    def mlflow(self, method, path, **fields):
        return self.call(method, f"/api/2.0/mlflow/{path}", fields)


class Server:
    """`sealyard up` on a data directory below `folder`. As a context it is killed at the end if it still runs."""

    def __init__(self, folder, name="data", arguments=(), database=None):
        self.folder = Path(folder)
        self.data = self.folder / name
        self.ready = self.folder / f"{name}.ready.json"
        self.token_file = self.folder / f"{name}.admin.token"
        self.log = self.folder / f"{name}.log"
        self.arguments = list(arguments)
        # In the environment, since others can read a process's arguments.
        self.environment = {"SEALYARD_DATABASE": database} if database else {}
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.kill()

    def launch(self, listen="127.0.0.1:0"):
        """Starts the process and gives the time of it, without waiting."""
        self.ready.unlink(missing_ok=True)
        command = [binary(), "up", "--data-dir", str(self.data), "--listen", listen, "--ready-file", str(self.ready),
                   "--bootstrap-token-file", str(self.token_file), *self.arguments]
        with open(self.log, "ab") as log:
            started = time.monotonic()
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=environment(**self.environment),
                                            start_new_session=True)
        return started

    def start(self):
        self.launch()
        return self.wait()

    def wait(self):
        """Until the ready file says where the server serves."""
        end = time.monotonic() + START_SECONDS
        while not self.ready.exists():
            if self.process.poll() is not None:
                raise Failed(f"the server ended with {self.process.returncode} instead of starting:\n{self.tail()}")
            if time.monotonic() > end:
                self.kill()
                raise Failed(f"the server did not start within {START_SECONDS} s:\n{self.tail()}")
            time.sleep(0.01)
        self.connect()
        return self

    def connect(self):
        """Learns from the ready file where the server is."""
        said = json.loads(self.ready.read_text())
        self.url = said["url"]
        self.host, port = self.url.split("://")[1].rsplit(":", 1)
        self.port = int(port)
        self.certificate = self.folder / said["ca"] if said["ca"] else None
        self.tls = ssl.create_default_context(cafile=str(self.certificate)) if self.certificate else None
        self.token = self.token_file.read_text().strip()

    def client(self, token=None, **kind):
        return Client(self, token or (None if kind else self.token), **kind)

    def raw(self, timeout=30):
        """A TLS connection to write whatever to."""
        plain = socket.create_connection((self.host, self.port), timeout=timeout)
        return self.tls.wrap_socket(plain, server_hostname=self.host)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the server did not stop within {STOP_SECONDS} s of SIGTERM:\n{self.tail()}") from None
        check("exit code after SIGTERM", code, 0)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def tail(self):
        return self.log.read_text(errors="replace")[-3000:] if self.log.exists() else "(no log)"

    def command(self, *arguments, code=0, remote=True):
        """Runs a command of the binary against this server (or, if not `remote`, without it); gives what it printed."""
        where = ["--server", self.url, "--ca", str(self.certificate), "--token-file", str(self.token_file)] if remote else []
        done = subprocess.run([binary(), *arguments, *where], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=120, cwd=self.folder, env=environment(HOME=str(self.folder), **self.environment))
        if code is not None and done.returncode != code:
            raise Failed(f"sealyard {' '.join(arguments)}: exit code {done.returncode}, expected {code}\n"
                         f"{done.stdout}{done.stderr}")
        return done.stdout

    def verify_ledger(self, checkpoint=None):
        """`ledger verify` on the data directory; gives the size."""
        more = ["--checkpoint", str(checkpoint)] if checkpoint else []
        said = json.loads(self.command("ledger", "verify", "--data-dir", str(self.data), *more, "--format", "json", remote=False))
        check("ledger", (said["ok"], said["problems"]), (True, []))
        return said["size"]

    def user(self, name, *grants):
        """A user who is no administrator, with a token of their own; grants are (right, resource)."""
        password = json.loads(self.command("users", "create", name, "--format", "json"))["password"]
        for right, resource in grants:
            self.command("grants", "set", name, right, resource)
        answer = self.client(basic=(name, password)).call(
            "POST", "/api/sealyard/v1/tokens", {"scopes": ["all"]})
        return password, answer["token"]


def run_client(server, name, *arguments, **more):
    """Runs a script beside this one, which uses an unmodified MLflow client, in a home of its own; gives what it printed."""
    home = server.folder / "home"
    home.mkdir(exist_ok=True)
    settings = environment(
        HOME=str(home), MLFLOW_TRACKING_URI=server.url, MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true",
        MLFLOW_TRACKING_SERVER_CERT_PATH=str(server.certificate), PYTHONWARNINGS="ignore", MLFLOW_HTTP_REQUEST_MAX_RETRIES="2",
        **more)
    try:
        done = subprocess.run([sys.executable, str(Path(__file__).with_name(name)), *arguments], env=settings, cwd=home,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SCRIPT_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{name} took longer than {SCRIPT_SECONDS} s:\n{late.stdout}\n{late.stderr}") from None
    if done.returncode != 0:
        raise Failed(f"{name} ended with {done.returncode}:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n"
                     f"the server's log:\n{server.tail()}")
    return done.stdout


def entries(client):
    """All entries of the ledger, as the server gives them."""
    found = []
    while True:
        page = client.call("GET", f"/api/sealyard/v1/ledger/entries?from={len(found)}")["entries"]
        if not page:
            return found
        found += page


def main(act):
    """Runs a script: prints what failed, and ends with its exit code."""
    try:
        act()
    except Failed as error:
        print(f"FAILED: {error}", file=sys.stderr)
        sys.exit(1)
