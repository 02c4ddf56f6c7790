"""Attacks by family: corpus/families/<family>/. One module for each family; a module has `NAME`, `ABOUT` and `cases()`.

Payloads are harmless. A command or a line of Python creates the empty file that the environment variable SEALYARD_MARKER names;
what can't read a variable uses the file `sealyard-marker` in the working directory, which `confirm.py` makes the same; what only
reaches for the network asks 127.0.0.1. Nothing of what is made depends on the time or on the machine.
"""

from dataclasses import dataclass

MARKER = "sealyard-marker"
COMMAND = 'touch "$SEALYARD_MARKER"'
PYTHON = "open(__import__('os').environ['SEALYARD_MARKER'],'w').close()"
# A port of this machine on which nobody answers.
HOST, PORT = "127.0.0.1", 9
URL = f"http://{HOST}:{PORT}/"


@dataclass(frozen=True)
class Case:
    """One attack.

    `name` is the file, or, with `content` a dictionary of paths and bytes, the folder. `load` is how `victim.py` loads it; without,
    nothing here can load it. `use` is Python that is run afterwards with `m` as what was loaded.
    """

    name: str
    content: bytes | dict
    gadget: str
    load: str | None = "pickle"
    use: str | None = None
