"""Files that nobody but their owner may read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from sealyard_mlflow.errors import SealyardError

#: No log in, token or certificate is larger.
LARGEST = 1 << 20


def read_private(path: Path, what: str) -> str | None:
    """The text of a private file; ``None`` when there is none.

    Refused when anybody else may read or write it, when it is not a plain file, and when it belongs to somebody else.
    What is checked is the open file, so it can't be exchanged in between.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SealyardError(f"could not read the {what} {path}: {error.strerror}") from None
    with os.fdopen(descriptor, "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise SealyardError(f"the {what} {path} is not a plain file")
        if found.st_mode & 0o077:
            raise SealyardError(f"others may read or write the {what} {path}; close it with: chmod 600 {path}")
        if found.st_uid not in (os.geteuid(), 0):
            raise SealyardError(f"the {what} {path} belongs to another user")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise SealyardError(f"the {what} {path} is too large")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise SealyardError(f"the {what} {path} is not text") from None


def write_private(path: Path, text: str) -> None:
    """Writes a file for its owner alone: wholly, or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
