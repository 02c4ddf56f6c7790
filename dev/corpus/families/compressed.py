"""joblib files and what compresses pickles."""

import bz2
import gzip
import lzma
import struct
import zlib

import lz4.frame
import zstandard

from arrays import OBJECTS, array, array_wrapper, wrapped
from families import COMMAND, PYTHON, Case
from families.node import Call, Global, Raw, dumps, render, varied
from families.obscure import SYSTEM
from families.stdlib import SHELL

NAME = "compressed"
ABOUT = "joblib and compression"
GZIP = lambda data: gzip.compress(data, mtime=0)  # noqa: E731
ALONE = lzma.FORMAT_ALONE


def gzip_named(data):
    """gzip with a name, a comment and an extra field in its header."""
    body = zlib.compress(data)[2:-4]
    return b"\x1f\x8b\x08\x1c\x00\x00\x00\x00\x00\xff" + struct.pack("<H", 6) + b"AB\x02\x00xy" + b"weights.bin\x00" + b"a comment\x00" + body + struct.pack("<II", zlib.crc32(data), len(data))


def old_zfile(data):
    """A compressed file of joblib before 0.10: `ZF`, the length in hexadecimal, zlib."""
    return b"ZF" + hex(len(data)).encode().ljust(19) + zlib.compress(data)


def cases():
    number = iter(range(1000))
    attacks = [Call(SYSTEM, COMMAND), Call(Global("builtins", "exec"), PYTHON), Call(Global("subprocess", "call"), SHELL), Call(Global("os", "popen"), COMMAND)]

    def attack():
        """Another one each time, so that no two files are the same."""
        index = next(number)
        return varied(attacks[index % 4], index)

    raw = render(Call(SYSTEM, COMMAND))
    zeros = b"\x00" * 4096
    inner_objects = wrapped(OBJECTS, 1)
    element = dumps(["x", Call(SYSTEM, COMMAND)])
    found = {
        "plain.joblib": (dumps({"model": Call(SYSTEM, COMMAND)}), "joblib"),
        "zlib.joblib": (zlib.compress(attack()), "joblib"),
        "zlib-0.joblib": (zlib.compress(attack(), 0), "joblib"),
        "zlib-9.joblib": (zlib.compress(attack(), 9), "joblib"),
        "gzip.joblib": (GZIP(attack()), "joblib"),
        "bz2.joblib": (bz2.compress(attack()), "joblib"),
        "xz.joblib": (lzma.compress(attack()), "joblib"),
        "lzma.joblib": (lzma.compress(attack(), ALONE), "joblib"),
        "lz4.joblib": (lz4.frame.compress(attack()), "joblib"),
        "old-zfile.joblib": (old_zfile(attack()), None),
        "zlib.pkl": (zlib.compress(attack()), "joblib"),
        "gzip.pkl.gz": (GZIP(attack()), "pandas"),
        "bz2.pkl.bz2": (bz2.compress(attack()), "pandas"),
        "xz.pkl.xz": (lzma.compress(attack()), "pandas"),
        "zstd.pkl.zst": (zstandard.ZstdCompressor(write_content_size=True).compress(dumps(Call(Global("os", "system"), COMMAND))), "pandas"),
        "zstd-no-size.pkl.zst": (zstandard.ZstdCompressor(write_content_size=False, write_checksum=True).compress(dumps(Call(Global("builtins", "eval"), PYTHON))), "pandas"),
        "zstd.joblib": (zstandard.ZstdCompressor(level=19).compress(attack()), None),
        "lz4-checksum.joblib": (lz4.frame.compress(attack(), content_checksum=True, block_size=lz4.frame.BLOCKSIZE_MAX64KB), "joblib"),
        "gzip-named.joblib": (gzip_named(attack()), "joblib"),
        "gzip-two-members.pkl.gz": (lambda data: GZIP(data[:20]) + GZIP(data[20:]))(attack()),
        "gzip-trailing.pkl.gz": (GZIP(attack()) + b"\x00" * 32, "pandas"),
        "bz2-two-streams.joblib": (lambda data: bz2.compress(data[:20]) + bz2.compress(data[20:]))(attack()),
        "xz-two-streams.pkl.xz": (lambda data: lzma.compress(data[:20]) + lzma.compress(data[20:]))(attack()),
        "gzip-cut.joblib": (GZIP(attack() + b"w" * 3000)[:-6], "joblib"),
        "zlib-wrong-sum.joblib": (zlib.compress(attack())[:-4] + b"\x00\x00\x00\x00", None),
        "gzip-of-gzip.joblib": (GZIP(GZIP(attack())), None),
        "zlib-of-gzip.joblib": (zlib.compress(GZIP(attack())), None),
        "gzip-far.joblib": (GZIP(dumps({"padding": zeros.decode() * 30, "x": Call(SYSTEM, COMMAND)})), "joblib"),
        "zlib-named.h5": (zlib.compress(attack()), "joblib"),
        "gzip-named.txt": (GZIP(attack()), "joblib"),
        "behind-array.joblib": (b"\x80\x04" + array_wrapper(struct.pack("<q", 7)) + b"0" + raw + b".", "joblib"),
        "behind-two-arrays.joblib": (b"\x80\x04" + array_wrapper(b"\x00" * 64) + b"0" + array_wrapper(b"\x2e" * 16) + b"0" + raw + b".", "joblib"),
        "behind-array-gzip.joblib": (GZIP(b"\x80\x04" + array_wrapper(b".\xff\xfe\xfd....") + b"0" + raw + b"."), "joblib"),
        "behind-array-zlib.joblib": (zlib.compress(b"\x80\x04" + array_wrapper(b"\xff" * 800) + b"0" + raw + b"."), "joblib"),
        "in-array-for-pickle.joblib": (b"\x80\x04" + array_wrapper((b"0" + raw + b".").ljust(64, b" ")) + b".", "pickle"),
        "object-array.joblib": (b"\x80\x04" + inner_objects + element + b".", "joblib"),
        "object-array-gzip.joblib": (GZIP(b"\x80\x04" + inner_objects + dumps([Call(Global("builtins", "exec"), PYTHON)]) + b"."), "joblib"),
        "object-array-behind.joblib": (b"\x80\x04" + inner_objects + b"\x80\x04" + array(OBJECTS, b"]Na") + b".0" + raw + b".", "joblib"),
        "aligned-array.joblib": (b"\x80\x04" + aligned() + b"0" + raw + b".", "joblib"),
        "wrapper-subclass.joblib": (b"\x80\x04" + array_wrapper(b"\x00" * 8).replace(b"cnumpy\nndarray\n", b"cbuiltins\nexec\n", 1) + b"0" + raw + b".", None),
        "old-wrapper.joblib": (dumps(Call(Global("joblib.numpy_pickle_compat", "NDArrayWrapper"), "../model_01.npy", Call(SYSTEM, COMMAND))), "joblib"),
        "old-znd-wrapper.joblib": (dumps(Call(Global("joblib.numpy_pickle_compat", "ZNDArrayWrapper"), "/etc/passwd", Call(SYSTEM, COMMAND), {}), 3), "joblib"),
        "memmap.joblib": (dumps(Call(Global("numpy", "memmap"), "sealyard-marker", "uint8", "w+", 0, 8), 3), "joblib"),
        "with-weights-xz.joblib": (lzma.compress(dumps({"weights": [float(one) for one in range(500)], "x": Raw(raw)})), "joblib"),
    }
    pandas = ("xz-two-streams.pkl.xz", "gzip-two-members.pkl.gz")
    return [Case(name, *(entry if isinstance(entry, tuple) else (entry,))[:1], "a payload behind joblib's or a compressor's bytes",
                 entry[1] if isinstance(entry, tuple) else "pandas" if name in pandas else "joblib") for name, entry in found.items()]


def aligned():
    """A wrapper of joblib 1.1 and newer: padding before the raw bytes, its length in a byte."""
    wrapper = array_wrapper(b"")
    state = wrapper[:-2] + render("numpy_array_alignment_bytes") + b"K\x10u"
    state = state.replace(b"K\x00\x85", b"K\x01\x85", 1)
    return state + b"b" + b"\x04" + b"\xff" * 4 + struct.pack("<q", 1)


