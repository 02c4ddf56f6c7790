"""Facts of a git repository. Nothing that the repository configures is run."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_SECONDS = 20
_SETTINGS = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.untrackedCache=false"]
_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "LC_ALL": "C",
}


def run(folder: Path, *arguments: str) -> str | None:
    """What git prints, or `None` when it can't say."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), **_ENVIRONMENT}
    try:
        done = subprocess.run(
            ["git", *_SETTINGS, "-C", str(folder), *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            env=environment,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace").strip("\n") if done.returncode == 0 else None


def top(folder: Path) -> Path | None:
    """The working tree's top folder."""
    found = run(folder, "rev-parse", "--show-toplevel")
    return Path(found) if found else None


def facts(folder: Path) -> dict[str, str]:
    """Commit, dirty flag, branch and remote of the working tree that `folder` is in; nothing outside of one."""
    commit = run(folder, "rev-parse", "--verify", "HEAD^{commit}")
    if not commit:
        return {}
    found = {"commit": commit}
    # Filters of the repository (`filter.<name>.clean`) would be run to compare content, so ours say nothing then.
    if not run(folder, "config", "--get-regexp", r"^filter\..*\.(clean|process)$"):
        changed = run(folder, "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty")
        if changed is not None:
            found["dirty"] = "true" if changed else "false"
    branch = run(folder, "symbolic-ref", "--quiet", "--short", "HEAD")
    if branch:
        found["branch"] = branch
    remote = run(folder, "config", "--get", "remote.origin.url")
    if remote and (clean := without_credentials(remote)):
        found["remote"] = clean
    return found


def without_credentials(remote: str) -> str | None:
    """A remote's address without user, password, query and fragment, any of which can hold a token; `None` for a path of
    this machine."""
    if any(ord(character) < 32 for character in remote):
        return None
    if "://" in remote:
        parts = urlsplit(remote)
        try:
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return None
        if not parts.hostname or parts.scheme == "file":
            return None
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        return urlunsplit((parts.scheme, f"{host}{port}", parts.path, "", ""))
    # The short form of ssh: user@host:path.
    short = re.fullmatch(r"(?:[^@/\s]*@)?([A-Za-z0-9.-]+):([^\s?#]+)", remote)
    return f"{short.group(1)}:{short.group(2)}" if short else None
