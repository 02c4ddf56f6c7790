"""Digests of files and folders, as Sealyard makes them."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from sealyard_mlflow.errors import SealyardError

#: Files of a folder; more than this is a mistake, not a data set.
MOST_FILES = 1_000_000
_cache: dict[tuple[str, int, int, int, int], str] = {}


def of_path(path: Path) -> tuple[str, str]:
    """`file` or `tree`, and `sha256:…` of it."""
    try:
        found = os.stat(path)
    except OSError as error:
        raise SealyardError(f"could not read {path}: {error.strerror}") from None
    if stat.S_ISREG(found.st_mode):
        return "file", f"sha256:{of_file(path)[0]}"
    if stat.S_ISDIR(found.st_mode):
        return "tree", f"sha256:{of_tree(path)}"
    raise SealyardError(f"{path} is neither a file nor a folder")


def of_file(path: Path) -> tuple[str, os.stat_result]:
    """SHA-256 of the content in hex. It is remembered for as long as size, times and place are the same."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SealyardError(f"{path} is not a plain file")
            key = (str(path), found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
            if key not in _cache:
                hasher = hashlib.sha256()
                while piece := file.read(1 << 20):
                    hasher.update(piece)
                after = os.fstat(file.fileno())
                if (after.st_size, after.st_mtime_ns) != (found.st_size, found.st_mtime_ns):
                    raise SealyardError(f"{path} changed while it was read")
                _cache[key] = hasher.hexdigest()
            return _cache[key], found
    except OSError as error:
        raise SealyardError(f"could not read {path}: {error.strerror}") from None


def of_tree(root: Path) -> str:
    """The digest of a folder's file tree: names, sizes, contents and execute bits; links are refused."""
    entries: list[tuple[bytes, str]] = []
    pending = [(root, "")]
    while pending:
        folder, prefix = pending.pop()
        try:
            with os.scandir(folder) as found:
                listed = list(found)
        except OSError as error:
            raise SealyardError(f"could not read {folder}: {error.strerror}") from None
        for entry in listed:
            name = f"{prefix}/{entry.name}" if prefix else entry.name
            try:
                bytes_of_name = name.encode()
            except UnicodeEncodeError:
                raise SealyardError(f"{entry.path!r} has a name that is not UTF-8") from None
            if "\\" in name or any(ord(character) < 32 or 127 <= ord(character) < 160 for character in name):
                raise SealyardError(f"{entry.path!r} has a name that is not plain")
            if entry.is_symlink():
                raise SealyardError(f"{entry.path} is a link; a data set is made of plain files")
            if entry.is_dir(follow_symlinks=False):
                pending.append((Path(entry.path), name))
                continue
            digest, status = of_file(Path(entry.path))
            mode = "x" if status.st_mode & 0o111 else "-"
            entries.append((bytes_of_name, f"{digest} {status.st_size} {mode} {len(bytes_of_name)} {name}\n"))
            if len(entries) > MOST_FILES:
                raise SealyardError(f"{root} has more than {MOST_FILES} files")
    if not entries:
        raise SealyardError(f"{root} holds no file")
    hasher = hashlib.sha256(b"sealyard-file-tree-v1\n")
    for _, line in sorted(entries):
        hasher.update(line.encode())
    return hasher.hexdigest()
