"""A small assembler for pickles: each function returns opcodes."""

import struct

STOP = b"."


def text(value):
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value):
    return b"J" + struct.pack("<i", value)


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stack_global(module, name):
    return text(module) + text(name) + b"\x93"


def proto(version, body):
    return b"\x80" + bytes([version]) + body + STOP


def call(callee, *args):
    return callee + b"(" + b"".join(args) + b"tR"


def new(callee):
    return callee + b")\x81"


RIDGE = stack_global("sklearn.linear_model._ridge", "Ridge")
ORDERED = stack_global("collections", "OrderedDict")
