"""Pickled numpy arrays and joblib's wrappers of them, as opcodes; .npy files."""

import struct

from pickles import glob, new, number, stack_global, text


def array_wrapper(raw):
    """A joblib NumpyArrayWrapper and its raw bytes, as joblib before 1.1 writes them (no padding)."""
    wrapper = glob("joblib.numpy_pickle", "NumpyArrayWrapper")
    dtype = glob("numpy", "dtype") + b"(" + text("f8") + b"K\x00K\x01tR(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = (b"}(" + text("subclass") + glob("numpy", "ndarray") + text("shape") + b"K" + bytes([len(raw) // 8]) + b"\x85"
             + text("order") + text("C") + text("dtype") + dtype + text("allow_mmap") + b"\x89u")
    return wrapper + b")\x81" + state + b"b" + raw


def dtype(name, state=b""):
    return stack_global("numpy", "dtype") + text(name) + b"\x89\x88\x87R" + (state and state + b"b")


def dtype_state(size, flags, fields=b"NN"):
    return b"(" + number(3) + text("|") + b"N" + fields + number(size) + number(size if size < 0 else 1) + number(flags) + b"t"


def array(dtype, elements, count=1):
    made = stack_global("numpy._core.multiarray", "_reconstruct") + stack_global("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"
    return made + b"(" + number(1) + number(count) + b"\x85" + dtype + b"\x89" + elements + b"tb"


def wrapped(dtype, count):
    """A joblib NumpyArrayWrapper without padding; raw bytes or a pickle follow it."""
    state = (text("subclass") + stack_global("numpy", "ndarray") + text("shape") + number(count) + b"\x85" + text("order") + text("C")
             + text("dtype") + dtype + text("allow_mmap") + b"\x89")
    return new(stack_global("joblib.numpy_pickle", "NumpyArrayWrapper")) + b"}(" + state + b"ub"


OBJECTS = dtype("O8", dtype_state(-1, 63))


def npy(header, body=b""):
    header = header.encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body
