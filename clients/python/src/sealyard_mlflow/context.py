"""The run-context provider: tags that say which code, which packages and which data a run was made of.

They are what the client says of itself, unsigned: good for finding and comparing runs, not for a gate. For evidence that a
gate believes, train with `sealyard run`.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path

from sealyard_mlflow import digests, git
from sealyard_mlflow.connection import trust
from sealyard_mlflow.errors import SealyardError

#: `off` has the provider set no tags.
SWITCH = "SEALYARD_RUN_CONTEXT"
#: The lock file, where it is not one of the usual names.
LOCK = "SEALYARD_LOCK"
#: `NAME=PATH`, several with commas in between.
DATA = "SEALYARD_DATA"
#: Looked for beside the program and at the top of its repository, in this order.
LOCKS = ("sealyard.lock", "uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "Pipfile.lock", "conda-lock.yml", "requirements.txt")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_LONGEST = 5000
_named: dict[str, Path] = {}

# MLflow loads context providers when it is imported, before it makes its first request.
trust()


def name_data(name: str, path: str | os.PathLike[str]) -> str:
    """Gives a data set a name; runs that start from now on carry its digest as `sealyard.data.NAME`. Gives the digest."""
    _check(name)
    place = Path(path).absolute()
    _, digest = digests.of_path(place)
    _named[name] = place
    return digest


class SealyardRunContext:
    """What MLflow asks for tags when a run starts: its `RunContextProvider`, by shape and not by name, because MLflow loads
    plugins while it is itself being imported."""

    def in_context(self) -> bool:
        return os.environ.get(SWITCH, "").lower() not in ("off", "0", "false", "no")

    def tags(self) -> dict[str, str]:
        folder = program_folder()
        tags = {f"sealyard.git.{name}": value for name, value in git.facts(folder).items()}
        for part in (lock_tags, data_tags):
            try:
                tags.update(part(folder))
            except SealyardError as error:
                # A run is worth more than a tag; but nobody shall think that it is there.
                warnings.warn(f"sealyard-mlflow: {error}", stacklevel=2)
        return {name: value[:_LONGEST] for name, value in tags.items()}


def program_folder() -> Path:
    """Where the program lies; the working folder for a notebook and the like."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    if isinstance(file, str) and os.path.isfile(file) and git.top(Path(file).resolve().parent):
        return Path(file).resolve().parent
    return Path.cwd()


def lock_tags(folder: Path) -> dict[str, str]:
    """Name and digest of the lock file."""
    if given := os.environ.get(LOCK):
        path = Path(given)
        if not path.is_file():
            raise SealyardError(f"{LOCK} names no file: {given}")
    else:
        places = [folder, *filter(None, [git.top(folder)])]
        found = (place / name for place in places for name in LOCKS if (place / name).is_file() and _pins(place / name))
        first = next(found, None)
        if first is None:
            return {}
        path = first
    digest, _ = digests.of_file(path)
    return {"sealyard.lock.file": path.name, "sealyard.lock.digest": f"sha256:{digest}"}


def _pins(path: Path) -> bool:
    """A `requirements.txt` is a lock only if it has hashes."""
    if path.name != "requirements.txt":
        return True
    with open(path, "rb") as file:
        return b"--hash=sha256:" in file.read(1 << 16)


def data_tags(folder: Path) -> dict[str, str]:
    """Digests of the data sets that the environment and the program name."""
    named = dict(_named)
    for item in filter(None, map(str.strip, os.environ.get(DATA, "").split(","))):
        name, equals, given = item.partition("=")
        if not equals or not given:
            raise SealyardError(f"{DATA} expects NAME=PATH, not {item!r}")
        _check(name)
        # Beside the program, where the working folder has none.
        named.setdefault(name, Path(given) if os.path.exists(given) else folder / given)
    tags = {}
    for name, place in named.items():
        kind, digest = digests.of_path(place)
        tags[f"sealyard.data.{name}"] = digest
        tags[f"sealyard.data.{name}.kind"] = kind
    return tags


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SealyardError(f"{name!r} is no name of a data set: letters, digits and . _ - with a letter or digit first")
