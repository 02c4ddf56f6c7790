"""Runs attacks in a sandbox and says which of them fire: no network but an own loopback, an empty home, limits on time, memory, files."""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from families import MARKER

HERE = Path(__file__).resolve().parent
SECONDS = 60
# torch maps much more than it uses.
ADDRESS_SPACE = 24 << 30
FILE_SIZE = 64 << 20


def limits():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def sandbox():
    """The command in front that takes the network away, if this machine lets us."""
    if shutil.which("unshare") and subprocess.run(["unshare", "-rn", "true"], capture_output=True, check=False).returncode == 0:
        return ["unshare", "-rn"]
    raise SystemExit("error: `unshare -rn` does not work here, and nothing is run with a network")


def fire(prefix, case, path):
    """What became of one attack: `confirmed …`, `not loadable here`, or `structural`."""
    if case.load is None:
        return "structural"
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        work = folder / "work"
        work.mkdir()
        copy = folder / "in" / path.name
        if path.is_dir():
            shutil.copytree(path, copy)
        else:
            shutil.copytree(path.parent, copy.parent) if case.load == "shelve" else (copy.parent.mkdir(), shutil.copy(path, copy))
        environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "HOME": str(folder), "SEALYARD_MARKER": str(work / MARKER),
                       "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(folder), "OMP_NUM_THREADS": "1", "SHELL": "/bin/sh", "KERAS_BACKEND": "torch"}
        command = [*prefix, sys.executable, str(HERE / "victim.py"), case.load, str(copy), *([case.use] if case.use else [])]
        try:
            done = subprocess.run(command, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=limits,
                                  timeout=SECONDS, check=False)
            output = done.stdout.decode(errors="replace")
        except subprocess.TimeoutExpired as late:
            output = (late.stdout or b"").decode(errors="replace")
        marker = (work / MARKER).exists()
        last = [line for line in output.splitlines() if line.startswith("VICTIM ")]
        seen, error = "-", "ended without a word"
        if last:
            _, _, seen, error = (last[-1] + " ").split(" ", 3)
        if marker:
            return "confirmed"
        if seen != "-":
            return f"confirmed ({seen})"
        if os.environ.get("VERBOSE"):
            print(f"  {path.name}: {error.strip() or 'nothing happened'}", file=sys.stderr)
        return "not loadable here"


def all_of(cases):
    """The results of pairs of case and path, in their order."""
    prefix = sandbox()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return list(pool.map(lambda pair: fire(prefix, *pair), cases))
