"""The Python package `sealyard-mlflow` as its users have it: `sealyard login`, then MLflow with `MLFLOW_TRACKING_AUTH=sealyard`.

SEALYARD names the binary, CLIENT_PYTHONS the interpreters (one or more, with colons in between) that have the package and
an MLflow; `dev/clients/test.sh` makes them.
"""

import hashlib
import json
import os
import pty
import subprocess
import termios
import time
from pathlib import Path

from harness import Failed, Folder, Server, binary, check, environment, main

PROGRAM = """
import os, sys, mlflow
import sealyard_mlflow
from mlflow.tracking import MlflowClient
if sys.argv[1] == "connect":
    sealyard_mlflow.connect()
mlflow.set_experiment("plugin-" + sys.argv[2])
with mlflow.start_run() as run:
    mlflow.log_metric("loss", 0.5, step=1)
    mlflow.log_text("hello", "folder/note.txt")
found = MlflowClient().get_run(run.info.run_id)
assert found.data.metrics == {"loss": 0.5}, found.data.metrics
assert mlflow.artifacts.load_text(found.info.artifact_uri + "/folder/note.txt") == "hello"
import json
print("TAGS " + json.dumps({name: value for name, value in found.data.tags.items() if name.startswith("sealyard.")}))
"""


def run(python, folder, home, *arguments, code=0, **variables):
    keep = environment(HOME=str(home), **variables)
    done = subprocess.run([python, "train.py", *arguments], cwd=folder, env=keep, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=300)
    if (done.returncode == 0) != (code == 0):
        raise Failed(f"{python} {arguments}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def project(folder):
    """A repository with a program, a lock and data."""
    folder.mkdir()
    (folder / "train.py").write_text(PROGRAM)
    (folder / "uv.lock").write_text("locked\n")
    (folder / "data.csv").write_text("1,2\n")
    for command in (["init", "-q", "-b", "main"], ["add", "."],
                    ["-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def log_in_at_a_terminal(server, home, password):
    """The password is asked for, and the terminal does not show it."""
    ours, theirs = pty.openpty()
    command = [binary(), "login", server.url, "--ca", str(server.certificate), "--user", "alice"]
    process = subprocess.Popen(command, env=environment(HOME=str(home)), stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        asked = process.stderr.readline()
        check("it asks", asked, "password (not shown):\n")
        end = time.monotonic() + 30
        while termios.tcgetattr(ours)[3] & termios.ECHO and time.monotonic() < end:
            time.sleep(0.01)
        os.write(ours, f"{password}\n".encode())
        said = process.communicate(timeout=60)[1]
        check("it logs in", (process.returncode, "logged in to" in said), (0, True))
        check("the terminal shows what is typed again", bool(termios.tcgetattr(ours)[3] & termios.ECHO), True)
        os.set_blocking(ours, False)
        check("the terminal did not show it", password in os.read(ours, 65536).decode(), False)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def act():
    pythons = os.environ.get("CLIENT_PYTHONS", "").split(":")
    if pythons == [""]:
        raise Failed("CLIENT_PYTHONS names no interpreter; run dev/clients/test.sh")
    with Folder() as folder, Server(folder) as server:
        server.start()
        home = folder / "home"
        home.mkdir()
        password, _ = server.user("alice", ("EDIT", "experiment:*"))
        log_in_at_a_terminal(server, home, password)
        where = folder / "project"
        commit = project(where)
        wanted = {
            "sealyard.git.commit": commit, "sealyard.git.dirty": "false", "sealyard.git.branch": "main",
            "sealyard.lock.file": "uv.lock", "sealyard.lock.digest": digest("locked\n"),
            "sealyard.data.train": digest("1,2\n"), "sealyard.data.train.kind": "file",
        }
        token = Path(home / ".config/sealyard/token")
        for number, python in enumerate(pythons):
            version = subprocess.run([python, "-c", "import mlflow; print(mlflow.__version__)"], capture_output=True,
                                     text=True, check=True).stdout.strip()
            by_variable = {"MLFLOW_TRACKING_URI": server.url, "MLFLOW_TRACKING_AUTH": "sealyard",
                           "SEALYARD_DATA": "train=data.csv"}
            said = run(python, where, home, "variable", f"v{number}", **by_variable)
            tags = json.loads(said.split("TAGS ")[1].splitlines()[0])
            check(f"tags with MLflow {version}", tags, wanted)
            run(python, where, home, "connect", f"c{number}")
            # Each of these is refused, with the reason.
            token.chmod(0o644)
            said = run(python, where, home, "connect", "x", code=1, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0")
            check("an open token file is refused", "chmod 600" in said, True)
            token.chmod(0o600)
            other = {**by_variable, "MLFLOW_TRACKING_URI": server.url.replace("127.0.0.1", "localhost"),
                     "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_TRACKING_SERVER_CERT_PATH": str(server.certificate)}
            said = run(python, where, home, "variable", "x", code=1, **other)
            check("no other server gets the token", "the log in is for" in said, True)
            check("no token is shown", token.read_text().strip() in said, False)
            print(f"ok: MLflow {version}: log in, certificate, tags, artifacts; refusals with reasons")


if __name__ == "__main__":
    main(act)
