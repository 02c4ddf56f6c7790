#!/usr/bin/env python3
"""Makes the fixtures of the model scanner's rules: corpus/<rule-id>/{bad,ok}/.

Standard library only, the same bytes on each run. Payloads are harmless: those that run at all would create a file
named `pwnd.txt` in the working directory. Each bad fixture makes exactly the rule fire whose folder it is in; each ok
fixture is a near miss that must be safe. `dev/corpus/benign.py` makes files with real libraries.
"""

import io
import json
import pickle
import struct
import zipfile
import zlib
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
TOUCH = "touch pwnd.txt"
STOP = b"."


def text(value):
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


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


def write(rule, kind, name, content):
    path = CORPUS / rule / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def dangerous():
    rule = "pickle-dangerous-global"
    # The joblib file of a published attack on model registries, as it was.
    write(rule, "bad", "seed-003.joblib", b"\x80\x03cposix\nsystem\nq\x00X\x0e\x00\x00\x00env > pwnd.txtq\x01\x85q\x02Rq\x03.")
    calls = {
        "os": ("os", "system", [text(TOUCH)]), "nt": ("nt", "system", [text(TOUCH)]),
        "subprocess": ("subprocess", "Popen", [text(TOUCH)]), "subprocess-output": ("subprocess", "check_output", [text(TOUCH)]),
        "eval": ("builtins", "eval", [text("open('pwnd.txt','w')")]), "exec": ("builtins", "exec", [text("open('pwnd.txt','w')")]),
        "compile": ("builtins", "compile", [text("1"), text("x"), text("eval")]),
        "import": ("builtins", "__import__", [text("antigravity")]), "open": ("builtins", "open", [text("pwnd.txt"), text("w")]),
        "getattr": ("builtins", "getattr", [stack_global("collections", "OrderedDict"), text("clear")]),
        "pty": ("pty", "spawn", [text("true")]), "runpy": ("runpy", "run_path", [text("pwnd.py")]),
        "code": ("code", "interact", []), "timeit": ("timeit", "timeit", [text("1")]),
        "cprofile": ("cProfile", "run", [text("1")]), "pdb": ("pdb", "run", [text("1")]),
        "doctest": ("doctest", "debug_script", [text("1")]), "pydoc": ("pydoc", "pipepager", [text("x"), text(TOUCH)]),
        "pip": ("pip", "main", [b"]"]), "importlib": ("importlib", "import_module", [text("antigravity")]),
        "pkgutil": ("pkgutil", "resolve_name", [text("os:system")]), "zipimport": ("zipimport", "zipimporter", [text("x.zip")]),
        "operator": ("operator", "attrgetter", [text("system")]), "methodcaller": ("operator", "methodcaller", [text("system")]),
        "partial": ("functools", "partial", [stack_global("collections", "OrderedDict")]),
        "reduce": ("functools", "reduce", [stack_global("collections", "OrderedDict"), b"]"]),
        "types": ("types", "FunctionType", []), "typing": ("typing", "_eval_type", []),
        "dataclasses": ("dataclasses", "_create_fn", []), "namedtuple": ("collections", "namedtuple", [text("a"), text("b")]),
        "mailcap": ("mailcap", "findmatch", []), "webbrowser": ("webbrowser", "open", [text("http://localhost/")]),
        "shutil": ("shutil", "rmtree", [text("pwnd")]), "logging": ("logging", "FileHandler", [text("pwnd.txt")]),
        "logging-config": ("logging.config", "fileConfig", [text("pwnd.ini")]), "uuid": ("uuid", "_get_command_stdout", [text("true")]),
        "imaplib": ("imaplib", "IMAP4_stream", [text(TOUCH)]), "socket": ("socket", "create_connection", []),
        "urllib": ("urllib.request", "urlopen", [text("http://localhost/")]), "http": ("http.client", "HTTPConnection", [text("localhost")]),
        "requests": ("requests", "get", [text("http://localhost/")]), "smtplib": ("smtplib", "SMTP", [text("localhost")]),
        "pickle-loads": ("pickle", "loads", [b"C\x02N."]), "dill": ("dill", "loads", [b"C\x02N."]), "marshal": ("marshal", "loads", [b"C\x01N"]),
        "yaml": ("yaml", "unsafe_load", [text("a")]), "joblib-load": ("joblib", "load", [text("x")]),
        "pandas-eval": ("pandas", "eval", [text("1")]), "numpy-load": ("numpy", "load", [text("x.npy")]),
        "numpy-runstring": ("numpy.testing._private.utils", "runstring", [text("1"), b"}"]),
        "f2py": ("numpy.f2py.crackfortran", "getlincoef", [text("1"), b"}"]), "torch-load": ("torch", "load", [text("x")]),
        "torch-inductor": ("torch._inductor.codecache", "compile_file", [text("x")]), "torch-hub": ("torch.hub", "load", [text("x")]),
        "ctypes": ("ctypes", "CDLL", [text("x.so")]), "multiprocessing": ("multiprocessing.util", "spawnv_passfds", []),
        "sqlite3": ("sqlite3", "connect", [text("pwnd.db")]),
        "pathlib": ("pathlib", "Path", [text("pwnd")]), "gzip": ("gzip", "open", [text("pwnd"), text("w")]),
        "codecs": ("codecs", "open", [text("pwnd"), text("w")]), "tempfile": ("tempfile", "mkstemp", []),
        "sys": ("sys", "setrecursionlimit", [b"K\x01"]), "idlelib": ("idlelib.pyshell", "ModifiedInterpreter", []),
        "lib2to3": ("lib2to3.pgen2.grammar", "Grammar", []), "distutils": ("distutils.file_util", "write_file", []),
        "interpreters": ("_interpreters", "run_string", []), "bdb": ("bdb", "Bdb", []), "ensurepip": ("ensurepip", "bootstrap", []),
    }
    for name, (module, function, args) in calls.items():
        if "." not in function:
            write(rule, "bad", name + ".pkl", proto(4, call(stack_global(module, function), *args)))
    # The same by each way to import and to call.
    write(rule, "bad", "protocol-0.pkl", b"cos\nsystem\n(S'" + TOUCH.encode() + b"'\ntR.")
    write(rule, "bad", "protocol-0-inst.pkl", b"(S'" + TOUCH.encode() + b"'\nios\nsystem\n.")
    write(rule, "bad", "python2-builtin.pkl", proto(2, call(glob("__builtin__", "eval"), text("1"))))
    write(rule, "bad", "python2-commands.pkl", proto(2, call(glob("commands", "getoutput"), text(TOUCH))))
    # A name that is only known by what Python 2 calls it.
    write(rule, "bad", "python2-thread.pkl", proto(2, call(glob("thread", "exit"))))
    write(rule, "bad", "obj.pkl", proto(2, b"(" + glob("os", "system") + text(TOUCH) + b"o"))
    write(rule, "bad", "newobj.pkl", proto(4, stack_global("subprocess", "Popen") + text(TOUCH) + b"\x85\x81"))
    write(rule, "bad", "memoized.pkl", proto(4, text("os") + b"\x94" + text("system") + b"\x9400h\x00h\x01\x93" + text(TOUCH) + b"\x85R"))
    write(rule, "bad", "text-with-no-magic.txt", b"cposix\nsystem\n(V" + TOUCH.encode() + b"\ntR.")
    write(rule, "bad", "dropped-result.pkl", proto(4, call(stack_global("os", "system"), text(TOUCH)) + b"0" + new(ORDERED)))
    write(rule, "bad", "in-state.pkl", proto(4, new(RIDGE) + b"}" + text("x") + call(stack_global("os", "system"), text(TOUCH)) + b"sb"))
    # A latent callable: nothing happens until the model is used.
    function_transformer = stack_global("sklearn.preprocessing._function_transformer", "FunctionTransformer")
    write(rule, "bad", "latent.pkl", proto(4, new(function_transformer) + b"}" + text("func") + stack_global("os", "system") + b"sb"))
    write(rule, "bad", "surrogate-name.pkl", proto(4, call(stack_global("os", "sys\ud800tem"), text(TOUCH))))
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        add(archive, "archive/data.pkl", proto(2, call(glob("posix", "system"), text(TOUCH))))
        add(archive, "archive/version", b"3\n")
    write(rule, "bad", "torch.pt", stored.getvalue())
    import bz2, lzma, gzip
    body = proto(3, call(glob("posix", "system"), text(TOUCH)))
    write(rule, "bad", "zlib.joblib", zlib.compress(body))
    write(rule, "bad", "gzip.joblib", gzip.compress(body, mtime=0))
    write(rule, "bad", "bz2.joblib", bz2.compress(body))
    write(rule, "bad", "xz.joblib", lzma.compress(body))
    # joblib: the payload hides behind the raw bytes of an array.
    write(rule, "bad", "behind-array.joblib", proto(4, array_wrapper(b"\x01\x00\x00\x00\x00\x00\x00\x00") + b"0"
                                                    + call(stack_global("posix", "system"), text(TOUCH))))
    # joblib: the payload hides in the raw bytes, which pickle.load runs.
    hidden = b"0" + call(glob("posix", "system"), text(TOUCH)) + b"."
    hidden += b" " * (-len(hidden) % 8)
    write(rule, "bad", "in-array.joblib", proto(3, array_wrapper(hidden)))
    # Other formats whose first bytes are opcodes as well.
    write(rule, "bad", "behind-a-stop.joblib", behind_a_stop())
    write(rule, "bad", "gif-and-pickle.gif", b"GIF89a\x01\x00\x01" + b"0" + call(glob("posix", "system"), text(TOUCH)) + b".")
    write(rule, "bad", "safetensors-and-pickle.safetensors", polyglot_safetensors())
    write(rule, "ok", "similar-words.pkl", pickle.dumps({"os": "system", "builtins.eval": b"posix\nsystem\n"}, 4))
    write(rule, "ok", "text.txt", "code\nsystem\nThis is only text that begins with the letter c.\n")


def polyglot_safetensors():
    """The eight bytes of the header's length are `X`, the length 4 of a string, and three bytes of that string; `{` ends it."""
    length = ord("X") | 4 << 8
    payload = b"0" + b"0" + call(glob("posix", "system"), text(TOUCH)) + b"."
    padding = length + 8 - 9 - len(payload) - 2
    return struct.pack("<Q", length) + b"{" + b"V" + b" " * padding + b"\n" + payload


def array_wrapper(raw):
    """A joblib NumpyArrayWrapper and its raw bytes, as joblib before 1.1 writes them (no padding)."""
    wrapper = glob("joblib.numpy_pickle", "NumpyArrayWrapper")
    dtype = glob("numpy", "dtype") + b"(" + text("f8") + b"K\x00K\x01tR(K\x03" + text("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    state = (b"}(" + text("subclass") + glob("numpy", "ndarray") + text("shape") + b"K" + bytes([len(raw) // 8]) + b"\x85"
             + text("order") + text("C") + text("dtype") + dtype + text("allow_mmap") + b"\x89u")
    return wrapper + b")\x81" + state + b"b" + raw


def number(value):
    return b"J" + struct.pack("<i", value)


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


def behind_a_stop():
    """To joblib the first array's only byte is data, to pickle.load it is STOP. The elements of the second are read by a
    plain unpickler, to which the bytes behind the inner wrapper are no data."""
    attack = call(stack_global("os", "system"), text(TOUCH)) + b"0"
    inner = b"\x80\x04" + wrapped(dtype("u1"), len(attack)) + attack + b"0" + array(OBJECTS, b"]Na") + b"."
    return b"\x80\x04" + wrapped(dtype("u1"), 1) + b"." + b"0" + wrapped(OBJECTS, 1) + inner + b"."


def states():
    """States that make a listed object call another one, or that make numpy take bytes for addresses."""
    rule = "pickle-build-on-unlisted"
    hook = stack_global("sklearn.metrics._scorer", "get_scorer")
    run = text("accuracy") + b"b"
    scalar = lambda kind, value: stack_global("numpy._core.multiarray", "scalar") + kind + value + b"\x86R"
    table = stack_global("builtins", "dict") + b"](" + text("__setstate__") + hook + b"\x86e\x85R"
    write(rule, "bad", "computed-table.pkl", proto(4, new(RIDGE) + b"N" + table + b"\x86b"))
    ordered = call(ORDERED) + text("__class__") + stack_global("joblib.numpy_pickle", "NumpyArrayWrapper") + b"s"
    write(rule, "bad", "ordered-table.pkl", proto(4, new(RIDGE) + b"N" + ordered + b"\x86b"))
    write(rule, "bad", "whole-state.pkl", proto(4, new(RIDGE) + scalar(OBJECTS, b"N}" + text("__setstate__") + hook + b"s\x86") + b"b"))
    write(rule, "bad", "computed-key.pkl", proto(4, new(RIDGE) + b"}" + scalar(OBJECTS, text("__setstate__")) + hook + b"sb"))
    write(rule, "bad", "extend.pkl", proto(4, call(ORDERED) + b"}" + text("extend") + hook + b"sb(" + text("accuracy") + b"e"))
    write(rule, "bad", "third-part.pkl", proto(4, new(RIDGE) + b"NN}" + text("__class__") + RIDGE + b"s\x87b"))
    cython = stack_global("sklearn._loss._loss", "__pyx_unpickle_CyPinballLoss")
    loss = stack_global("sklearn._loss._loss", "CyPinballLoss")
    write(rule, "bad", "cython.pkl", proto(4, call(cython, loss, number(1), number(1) + b"}" + text("__setstate__") + hook + b"s\x86")))
    write(rule, "bad", "twice.pkl", proto(4, new(RIDGE) + b"}b}b"))
    write(rule, "bad", "object-flags.pkl", proto(4, scalar(dtype("O8", dtype_state(-1, 0)), b"C\x08AAAAAAAA")))
    fields = lambda offset, kind: text("a") + b"\x85}" + text("a") + kind + number(offset) + b"\x86s"
    write(rule, "bad", "field-flags.pkl", proto(4, array(dtype("V8", dtype_state(8, 0, fields(0, OBJECTS))), b"C\x08AAAAAAAA")))
    write(rule, "bad", "field-outside.pkl", proto(4, dtype("V8", dtype_state(8, 16, fields(1 << 20, dtype("f8"))))))
    late = dtype("V8") + b"\x94" + array(b"h\x00", b"C\x08AAAAAAAA") + b"0h\x00" + dtype_state(8, 27, fields(0, OBJECTS)) + b"b"
    write(rule, "bad", "late-dtype.pkl", proto(4, late + b"\x86"))
    write(rule, "ok", "fields.pkl", proto(4, array(dtype("V8", dtype_state(8, 27, fields(0, OBJECTS))), b"]N\x85a")))
    unit = call(stack_global("_codecs", "encode"), text("ns"), text("latin1"))
    time = b"(" + number(4) + text("<") + b"NNN" + number(-1) + number(-1) + number(0) + b"N(" + unit + number(1) * 3 + b"t\x86t"
    write(rule, "ok", "time.pkl", proto(4, dtype("M8", time)))
    write(rule, "ok", "numbers.pkl", proto(4, array(dtype("V8", dtype_state(8, 16, fields(0, dtype("f8")))), b"C\x08AAAAAAAA")))


def unlisted():
    write("pickle-unlisted-call", "bad", "reduce.pkl", proto(4, call(stack_global("my_package.models", "load"), text("x"))))
    write("pickle-unlisted-call", "bad", "newobj.pkl", proto(4, new(stack_global("my_package.models", "Model")) + b"}b"))
    write("pickle-unlisted-call", "bad", "wrong-case.pkl", proto(4, call(stack_global("collections", "ordereddict"))))
    write("pickle-unlisted-call", "bad", "reconstructor.pkl", proto(2, call(glob("copy_reg", "_reconstructor"), glob("my_package", "Model"), glob("__builtin__", "object"), b"N")))
    write("pickle-unlisted-call", "bad", "rot13.pkl", proto(4, call(stack_global("_codecs", "encode"), text("x"), text("rot13"))))
    write("pickle-unlisted-call", "bad", "huge-array.pkl", proto(4, call(stack_global("numpy._core.multiarray", "_reconstruct"), stack_global("numpy", "ndarray"), b"J\xff\xff\xff\x7f\x85", b"C\x01b")))
    write("pickle-unlisted-call", "bad", "array-subclass.pkl", proto(4, call(stack_global("numpy._core.multiarray", "_reconstruct"), stack_global("numpy", "float64"), b"K\x00\x85", b"C\x01b")))
    write("pickle-unlisted-call", "bad", "huge-bytes.pkl", proto(4, call(stack_global("builtins", "bytearray"), b"J\xff\xff\xff\x7f")))
    endless = call(stack_global("builtins", "range"), b"\x8a\x06" + (10**12).to_bytes(6, "little"))
    write("pickle-unlisted-call", "bad", "endless-deque.pkl", proto(4, call(stack_global("collections", "deque"), endless)))
    write("pickle-unlisted-call", "bad", "estimator-with-arguments.pkl", proto(4, call(RIDGE, text("x"))))
    write("pickle-unlisted-call", "bad", "ufunc-reconstruct.pkl", proto(4, call(stack_global("numpy.core", "_ufunc_reconstruct"), text("os"), text("system"))))
    write("pickle-unlisted-call", "bad", "bit-generator.pkl", proto(4, call(stack_global("numpy.random._pickle", "__bit_generator_ctor"), stack_global("my_package", "Model"))))
    write("pickle-unlisted-call", "bad", "factory.pkl", proto(4, call(stack_global("sklearn.neighbors._kd_tree", "newObj"), stack_global("my_package", "Model"))))
    write("pickle-unlisted-call", "bad", "cython.pkl", proto(4, call(stack_global("sklearn._loss._loss", "__pyx_unpickle_CyHalfSquaredError"), stack_global("my_package", "Model"), b"K\x01", b"N")))
    write("pickle-unlisted-call", "bad", "scipy-distribution.pkl", proto(4, new(stack_global("scipy.stats._continuous_distns", "uniform_gen")) + b"}b"))
    for name in ("latin1", "latin-1"):
        write("pickle-unlisted-call", "ok", f"codecs-{name}.pkl", proto(2, call(glob("_codecs", "encode"), text("x"), text(name))))
    write("pickle-unlisted-call", "ok", "ordered-dict.pkl", pickle.dumps(__import__("collections").OrderedDict(a=1), 4))
    write("pickle-unlisted-call", "ok", "reconstructor.pkl", proto(2, call(glob("copy_reg", "_reconstructor"), glob("sklearn.linear_model._ridge", "Ridge"), glob("__builtin__", "object"), b"N")))
    write("pickle-unlisted-call", "ok", "set-and-date.pkl", pickle.dumps([{1, 2}, __import__("datetime").date(2026, 1, 2)], 2))
    write("pickle-unlisted-global", "bad", "only-named.pkl", proto(4, stack_global("my_package.models", "predict")))
    write("pickle-unlisted-global", "bad", "in-state.pkl", proto(4, new(RIDGE) + b"}" + text("hook") + stack_global("my_package", "hook") + b"sb"))
    write("pickle-unlisted-global", "ok", "types.pkl", pickle.dumps([int, float, str], 4))


def shapes():
    rule = "pickle-dotted-traversal"
    write(rule, "bad", "random-os.pkl", proto(4, call(stack_global("random", "_os.system"), text(TOUCH))))
    write(rule, "bad", "joblib-memory-os.pkl", proto(4, call(stack_global("joblib.memory", "os.system"), text(TOUCH))))
    write(rule, "bad", "through-listed-class.pkl", proto(4, call(stack_global("collections", "OrderedDict.__init__.__globals__"))))
    write(rule, "bad", "only-named.pkl", proto(4, stack_global("sklearn.linear_model._ridge", "Ridge.fit.__globals__")))
    write(rule, "ok", "timezone.pkl", proto(4, stack_global("datetime", "timezone.utc")))

    rule = "pickle-computed-callable"
    write(rule, "bad", "call-of-a-result.pkl", proto(4, call(call(ORDERED), text("x"))))
    write(rule, "bad", "computed-name.pkl", proto(4, text("os") + call(stack_global("_codecs", "encode"), text("system"), text("latin1")) + b"\x93" + text(TOUCH) + b"\x85R"))
    write(rule, "ok", "result-as-argument.pkl", proto(4, call(ORDERED, b"](" + text("a") + call(ORDERED) + b"\x86e")))

    rule = "pickle-build-on-unlisted"
    write(rule, "bad", "class.pkl", proto(4, ORDERED + b"N}" + text("update") + ORDERED + b"s\x86b"))
    write(rule, "bad", "function-result.pkl", proto(4, call(stack_global("_codecs", "encode"), text("x"), text("latin1")) + b"}" + text("a") + b"K\x01sb"))
    write(rule, "bad", "setstate.pkl", proto(4, new(RIDGE) + b"}" + text("__setstate__") + ORDERED + b"sb" + text("x") + b"b"))
    write(rule, "bad", "items.pkl", proto(4, new(RIDGE) + text("a") + text("b") + b"s"))
    write(rule, "ok", "estimator.pkl", proto(4, new(RIDGE) + b"}" + text("alpha") + b"K\x01sb"))
    write(rule, "ok", "items.pkl", proto(4, call(ORDERED) + text("a") + text("b") + b"s"))

    rule = "pickle-nested-pickle"
    attack = proto(4, call(stack_global("posix", "system"), text(TOUCH)))
    write(rule, "bad", "bytes.pkl", pickle.dumps({"cache": attack}, 4))
    write(rule, "bad", "twice.pkl", pickle.dumps({"cache": pickle.dumps(attack, 4)}, 4))
    write(rule, "bad", "bytearray.pkl", pickle.dumps([bytearray(attack)], 5))
    write(rule, "ok", "data.pkl", pickle.dumps({"cache": pickle.dumps([1, 2, {"a": 3}], 4)}, 4))

    rule = "pickle-persistent-id"
    write(rule, "bad", "binpersid.pkl", proto(2, text("x") + b"Q"))
    write(rule, "bad", "persid.pkl", b"Px\n0N.")
    write(rule, "ok", "none.pkl", pickle.dumps(("storage", "0"), 2))
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        storage = b"(" + text("storage") + glob("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x02tQ"
        tensor = call(glob("torch._utils", "_rebuild_tensor_v2"), storage, b"K\x00", b"K\x02\x85", b"K\x01\x85", b"\x89", call(glob("collections", "OrderedDict")))
        add(archive, "archive/data.pkl", proto(2, b"}" + text("weight") + tensor + b"s"))
        add(archive, "archive/data/0", b"cos\nsys\n")
        add(archive, "archive/version", b"3\n")
    write(rule, "ok", "torch-state-dict.pt", stored.getvalue())
    module = b"(" + text("module") + glob("torch", "FloatStorage") + text("0") + text("cpu") + b"K\x02tQ"
    write(rule, "bad", "torch-module.pt", zipped({"archive/data.pkl": proto(2, module), "archive/version": b"3\n"}))
    outside = b"(" + text("storage") + glob("torch", "FloatStorage") + text("../0") + text("cpu") + b"K\x02tQ"
    write(rule, "bad", "torch-key.pt", zipped({"archive/data.pkl": proto(2, outside), "archive/version": b"3\n"}))

    rule = "pickle-extension-registry"
    for name, code in (("ext1", b"\x82\x01"), ("ext2", b"\x83\x01\x01"), ("ext4", b"\x84\x01\x01\x01\x00")):
        write(rule, "bad", name + ".pkl", proto(2, code))
    write(rule, "bad", "only-named.pkl", proto(4, stack_global("copyreg", "add_extension")))
    write(rule, "ok", "bytes.pkl", pickle.dumps(b"\x82\x01", 3))

    rule = "pickle-broken-stream"
    write(rule, "bad", "invalid-opcode.pkl", b"\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00N\xff")
    write(rule, "bad", "truncated.pkl", pickle.dumps(list(range(100)), 2)[:-20])
    write(rule, "bad", "empty-stack.pkl", b"\x80\x02000.")
    write(rule, "ok", "whole.pkl", pickle.dumps(list(range(100)), 4))

    rule = "pickle-trailing-data"
    write(rule, "bad", "bytes.pkl", pickle.dumps([1, 2], 2) + b"\x00more")
    write(rule, "bad", "second-stream.pkl", pickle.dumps([1, 2], 2) + pickle.dumps([3], 2))
    write(rule, "ok", "stop-in-a-string.pkl", pickle.dumps("a.b.", 2))

    rule = "pickle-unpickler-difference"
    write(rule, "bad", "octal.pkl", b"I010\n.")
    write(rule, "bad", "protocol-twice.pkl", b"\x80\x02\x80\x04N.")
    write(rule, "bad", "left-on-stack.pkl", b"\x80\x02K\x01K\x02.")
    write(rule, "ok", "numbers.pkl", b"(lp0\nI16\naI01\naL17L\na.")


def add(archive, name, content, method=zipfile.ZIP_STORED):
    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, method)


def npy(header, body=b""):
    header = header.encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + body


def containers():
    rule = "npy-object-array"
    header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    write(rule, "bad", "object.npy", npy(header, pickle.dumps(["a"], 4)))
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        add(archive, "x.npy", npy(header, pickle.dumps(["a"], 4)))
    write(rule, "bad", "object.npz", stored.getvalue())
    for name, descr in {"spelled": "'object'", "list": "'i4,O'", "shaped": "'(2,)O'", "united": "('V8', 'O')"}.items():
        write(rule, "bad", name + ".npy", npy("{'descr': %s, 'fortran_order': False, 'shape': (1,), }" % descr, pickle.dumps(["a"], 4)))
    inside = npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", pickle.dumps(["a"], 4))
    write(rule, "bad", "storage.npz", zipped({"x/data.pkl": pickle.dumps(None, 2), "x/data/0": inside, "x/version": inside}))
    write(rule, "ok", "names.npy", npy("{'descr': [('Open', '<f8')], 'fortran_order': False, 'shape': (1,), }", b"\x00" * 8))
    write(rule, "ok", "float.npy", npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", b"\x00" * 8))
    write("pickle-dangerous-global", "bad", "object.npz.zip", zipped({"x/a.pkl": proto(4, call(stack_global("os", "system"), text(TOUCH)))}))

    rule = "zip-mismatch"
    plain = zipped({"a.txt": b"hello", "b.txt": b"world"})
    write(rule, "ok", "plain.zip", plain)
    write(rule, "ok", "deflated.zip", zipped({"a.txt": b"hello" * 100}, zipfile.ZIP_DEFLATED))
    write(rule, "bad", "local-name.zip", plain.replace(b"a.txt", b"x.txt", 1))
    write(rule, "bad", "crc.zip", plain.replace(b"hello", b"hullo", 1))
    write(rule, "bad", "tail.zip", plain + b"more")
    write(rule, "bad", "prefix.bin", b"\x89PNG\r\n\x1a\n" + plain)
    write(rule, "ok", "archive-in-archive.zip", zipped({"inner.zip": plain, "b.txt": b"x"}))
    write(rule, "bad", "text-and-tail.txt", b"Only text.\n" * 1000 + plain + b"more")
    other = zipfile.ZipInfo("a.txt", (2026, 1, 1, 0, 0, 0))
    other.extra = struct.pack("<HHBI", 0x7075, 16, 1, zlib.crc32(b"a.txt")) + b"schema.json"
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr(other, b"hello")
    write(rule, "bad", "unicode-name.zip", stored.getvalue())
    write(rule, "bad", "comment.zip", zipped({"a.txt": b"hello"}, comment=b"a comment"))
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        add(archive, "a.txt", b"hello")
        import warnings
        warnings.simplefilter("ignore")
        add(archive, "a.txt", b"world")
    write(rule, "bad", "duplicate.zip", stored.getvalue())
    write(rule, "bad", "traversal.zip", zipped({"../../pwnd.txt": b"hello"}))


def zipped(members, method=zipfile.ZIP_STORED, comment=b""):
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        for name, content in members.items():
            add(archive, name, content, method)
        archive.comment = comment
    return stored.getvalue()


def schema(content):
    ridge = {"__class__": "Ridge", "__module__": "sklearn.linear_model._ridge", "__loader__": "ObjectNode", "__id__": 1,
             "content": {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "__id__": 2,
                         "key_types": {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [], "__id__": 3},
                         "content": {"alpha": {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "1.0", "is_json": True}, **content}},
             "protocol": 2, "_skops_version": "0.16.0"}
    return json.dumps(ridge, indent=2).encode()


def skops_file(content):
    return zipped({"schema.json": schema(content)}, zipfile.ZIP_DEFLATED)


def skops():
    node = lambda loader, module, name, **more: {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 9, **more}
    rule = "skops-function-node"
    write(rule, "bad", "function.skops", skops_file({"f": node("FunctionNode", "os", "system", content={})}))
    write(rule, "bad", "names-in-content.skops", skops_file({"f": node("FunctionNode", "numpy", "add", content={"module_path": "os", "function": "system"})}))
    write(rule, "bad", "also-torch.skops", zipped({"schema.json": schema({"f": node("FunctionNode", "os", "system")}), "x/data.pkl": pickle.dumps(None, 2)}))
    write(rule, "bad", "method.skops", skops_file({"f": node("MethodNode", "builtins", "str", content={"func": "format"})}))
    write(rule, "bad", "operator.skops", skops_file({"f": node("OperatorFuncNode", "operator", "methodcaller", attrs={})}))
    write(rule, "bad", "partial.skops", skops_file({"f": node("PartialNode", "functools", "partial", content={})}))
    write(rule, "ok", "ufunc.skops", skops_file({"f": node("FunctionNode", "numpy", "log1p", content={})}))
    rule = "skops-untrusted-type"
    write(rule, "bad", "own-class.skops", skops_file({"f": node("ObjectNode", "my_package", "Model", content=None)}))
    write(rule, "bad", "type.skops", skops_file({"f": node("TypeNode", "subprocess", "Popen")}))
    write(rule, "bad", "function-as-class.skops", skops_file({"f": node("ConstructorFromReduceNode", "_codecs", "encode", content=None)}))
    write(rule, "bad", "unknown-node.skops", skops_file({"f": node("EvalNode", "builtins", "str")}))
    write(rule, "ok", "ridge.skops", skops_file({}))


MLMODEL = """flavors:
  python_function:
    code: {code}
    env: {{conda: conda.yaml, virtualenv: python_env.yaml}}
    loader_module: {loader}
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: {code}
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.9.1
mlflow_version: 3.6.0
utc_time_created: '2026-01-01 00:00:00.000000'
"""


def mlmodel():
    good = MLMODEL.format(code="null", loader="mlflow.sklearn")
    for rule in ("mlmodel-loader-module", "mlmodel-code-path", "mlmodel-outside-path"):
        write(rule, "ok", "model/MLmodel", good)
    write("mlmodel-loader-module", "bad", "own-loader/MLmodel", MLMODEL.format(code="null", loader="my_loader"))
    write("mlmodel-loader-module", "bad", "below-listed/MLmodel", MLMODEL.format(code="null", loader="mlflow.sklearn.evil"))
    write("mlmodel-loader-module", "bad", "escaped-key/MLmodel", MLMODEL.format(code="null", loader="os").replace("loader_module:", '"loader\\x5fmodule":'))
    for name, path in (("parent", "../other/model.pkl"), ("absolute", "/tmp/model.pkl"), ("share", "'\\\\host\\share\\model.pkl'")):
        write("mlmodel-outside-path", "bad", name + "/MLmodel", good.replace("pickled_model: model.pkl", "pickled_model: " + path))
    write("mlmodel-code-path", "bad", "code/MLmodel", MLMODEL.format(code="code", loader="mlflow.sklearn"))
    write("mlmodel-code-path", "bad", "code/code/helpers.py", "VALUE = 1\n")
    write("mlmodel-code-path", "bad", "shadow/MLmodel", MLMODEL.format(code="code", loader="mlflow.sklearn"))
    write("mlmodel-code-path", "bad", "shadow/code/sklearn/__init__.py", "open('pwnd.txt', 'w').close()\n")


dangerous()
unlisted()
shapes()
states()
containers()
skops()
mlmodel()
