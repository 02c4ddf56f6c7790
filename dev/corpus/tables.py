#!/usr/bin/env python3
"""Makes the fixtures of tables in columns, which only pyarrow writes: corpus/arrow-pickled-type/{bad,ok}/.

Needs pyarrow 14 or newer. The payload is harmless: a pyarrow before 14.0.1 that reads a bad fixture creates a file
named `pwnd.txt` in the working directory.
"""

import datetime
from pathlib import Path

import pyarrow
from pyarrow import feather, parquet

CORPUS = Path(__file__).resolve().parents[2] / "corpus/arrow-pickled-type"
PAYLOAD = b"cposix\nsystem\n(S'touch pwnd.txt'\ntR."


class Pickled(pyarrow.ExtensionType):
    """What `PyExtensionType` of old versions writes: a fixed name, and a pickle as its definition."""

    def __init__(self):
        super().__init__(pyarrow.int8(), "arrow.py_extension_type")

    def __arrow_ext_serialize__(self):
        return PAYLOAD

    @classmethod
    def __arrow_ext_deserialize__(cls, _storage, _serialized):
        return cls()


class Named(Pickled):
    def __init__(self):
        pyarrow.ExtensionType.__init__(self, pyarrow.int8(), "sealyard.example")

    def __arrow_ext_serialize__(self):
        return b""


def extended(kind):
    column = pyarrow.ExtensionArray.from_storage(kind, pyarrow.array([1, 2, 3], pyarrow.int8()))
    return pyarrow.table({"plain": ["a", "b", "c"], "extended": column})


def plain():
    return pyarrow.table(
        {
            "text": ["a", None, "arrow.py_extension_type is only a text here"],
            "number": [1.5, 2.5, 3.5],
            "list": [[1, 2], [], [3]],
            "table": [{"x": 1}, {"x": 2}, {"x": 3}],
            "day": [datetime.date(2026, 1, day) for day in (1, 2, 3)],
        }
    )


def main():
    for kind, tables in {
        "bad": {"pickled": extended(Pickled())},
        "ok": {"plain": plain(), "named": extended(Named()), "empty": plain().slice(0, 0)},
    }.items():
        folder = CORPUS / kind
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            parquet.write_table(table, folder / f"{name}.parquet")
            feather.write_feather(table, folder / f"{name}.feather")
            with pyarrow.OSFile(str(folder / f"{name}.arrow"), "wb") as sink, pyarrow.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)


if __name__ == "__main__":
    main()
