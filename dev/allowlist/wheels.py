"""What a wheel defines, read without importing it: Python files by their syntax, extension modules by their strings."""

import ast
import re
import zipfile
from dataclasses import dataclass, field

# Methods that run while a pickle is loaded: by `NEWOBJ`, by `BUILD`, by the look-up of `__setstate__`, or when the object goes.
HOOKS = ("__setstate__", "__new__", "__del__", "__getattr__", "__getattribute__", "__reduce_ex__")
# A class or function that mentions one of these is listed only after it was looked at.
HARMFUL = {"exec", "eval", "compile", "open", "__import__", "import_module", "subprocess", "Popen", "system", "popen", "load_module",
           "loads", "pickle", "cloudpickle", "marshal", "urlopen", "rmtree", "unlink", "remove_file", "CDLL", "fromfile", "memmap",
           "read_csv", "read_pickle", "joblib", "get_data", "savetxt", "tofile", "urllib", "socket", "tempfile", "shutil"}
# Bases from outside the package that add no hook.
PLAIN_BASES = {"object", "ABC", "Generic", "Protocol", "Exception", "ValueError", "Warning", "UserWarning", "RuntimeWarning", "FutureWarning", "RuntimeError", "TypeError"}
CONTAINERS = {"dict": "mapping", "OrderedDict": "mapping", "defaultdict": "mapping", "UserDict": "instance", "UserList": "instance"}
ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}


@dataclass
class Class:
    module: str
    name: str
    bases: list
    hooks: set
    mentions: set


@dataclass
class Module:
    name: str
    names: set = field(default_factory=set)       # everything that is bound at the top level
    classes: dict = field(default_factory=dict)
    functions: dict = field(default_factory=dict)  # name -> what its body mentions
    extension: bool = False


def last(node):
    """The last identifier of `a.b.C[int]`; for a call such as `namedtuple(…)` that of what is called."""
    while isinstance(node, (ast.Subscript, ast.Call)):
        node = node.value if isinstance(node, ast.Subscript) else node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else "?"


def bases(node):
    """What a class derives from; `six.with_metaclass(ABCMeta, A, B)` gives A and B."""
    found = []
    for base in node.bases:
        is_six = isinstance(base, ast.Call) and last(base) == "with_metaclass"
        found += [last(inner) for inner in base.args[1:]] if is_six else [last(base)]
    return found


def mentions(node):
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            found.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            found.add(inner.attr)
        elif isinstance(inner, (ast.Import, ast.ImportFrom)):
            found.update(part for alias in inner.names for part in alias.name.split("."))
            found.update((getattr(inner, "module", None) or "").split("."))
    return found & HARMFUL


def statements(body):
    """The statements of a module, those of `if` and `try` at its top level included."""
    for node in body:
        if isinstance(node, (ast.If, ast.Try)):
            yield from statements(node.body)
            yield from statements(node.orelse)
            for handler in getattr(node, "handlers", []):
                yield from statements(handler.body)
        else:
            yield node


def python_module(name, source):
    module = Module(name)
    for node in statements(ast.parse(source).body):
        if isinstance(node, ast.ClassDef):
            defined = {inner.name for inner in node.body if isinstance(inner, ast.FunctionDef)}
            defined |= {target.id for inner in node.body if isinstance(inner, ast.Assign) for target in inner.targets
                        if isinstance(target, ast.Name)}
            module.classes[node.name] = Class(name, node.name, bases(node), defined & set(HOOKS), mentions(node))
            module.names.add(node.name)
        elif isinstance(node, ast.FunctionDef):
            module.functions[node.name] = mentions(node)
            module.names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            module.names.update(alias.asname or alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            module.names.update(names)
            if isinstance(node.value, ast.Call) and last(node.value) == "namedtuple" and names:
                module.classes[names[0]] = Class(name, names[0], ["NamedTuple"], set(), set())
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            module.names.add(node.target.id)
    return module


NAME = rb"([A-Za-z_][A-Za-z0-9_]*)"


def extension_module(name, data):
    module = Module(name, extension=True)
    text = name.encode()
    classes = set(re.findall(re.escape(text) + rb"\." + NAME + rb"\.__(?:reduce|reduce_cython|setstate_cython|setstate|getstate)__", data))
    # The name of a type ends with a zero byte, as that of a function does; only a type is also the first part of a method's name.
    named = set(re.findall(rb"(?<![A-Za-z0-9_.])" + re.escape(text) + rb"\." + NAME + rb"\x00", data))
    classes |= {found for found in named if found[:1].isupper() or found[:2].strip(b"_")[:1].isupper()}
    for found in sorted(classes):
        found = found.decode()
        if not found.startswith("__pyx") and found not in ("Enum", "array", "memoryview"):
            module.classes[found] = Class(name, found, [], set(), set())
    unpicklers = set(re.findall(rb"(?<![A-Za-z0-9])(__pyx_unpickle_" + NAME + rb")\x00", data))
    module.functions = {found.decode(): set() for found, _ in unpicklers if b"__set_state" not in found}
    plain = set(re.findall(rb"\x00" + NAME + rb"(?=\x00)", data))
    module.names = {found.decode() for found in plain} | set(module.classes) | set(module.functions)
    return module


def module_name(path):
    parts = path.split("/")
    stem = parts[-1].split(".")[0]
    return ".".join(parts[:-1] if stem == "__init__" else [*parts[:-1], stem])


def read(path, roots, wanted, extensions):
    """The modules of the wheel at `path` below the packages `roots` for whose names `wanted` says yes; of the extension
    modules those for which `extensions` does."""
    modules = {}
    with zipfile.ZipFile(path) as archive:
        for entry in sorted(archive.namelist()):
            name = module_name(entry)
            if name.split(".")[0] not in roots or ".data/" in entry or not wanted(name):
                continue
            if entry.endswith(".py"):
                try:
                    modules.setdefault(name, python_module(name, archive.read(entry)))
                except SyntaxError:
                    continue
            elif entry.endswith((".so", ".pyd")) and extensions(name):
                modules[name] = extension_module(name, archive.read(entry))
    return modules


def ancestry(modules):
    """A function that gives a class and all it derives from, by name: within the package names are as good as unique. The second set holds
    the names that the package does not define."""
    by_name = {}
    for module in modules.values():
        for found in module.classes.values():
            by_name.setdefault(found.name, []).append(found)
    return lambda found: _ancestry(by_name, found)


def _ancestry(by_name, start):
    seen, outside, pending = [], set(), [start]
    while pending:
        found = pending.pop()
        if found in seen:
            continue
        seen.append(found)
        for base in found.bases:
            if base in by_name:
                # A class may have the name of its base in another module.
                pending.extend(other for other in by_name[base] if other is not found)
            else:
                outside.add(base)
    return seen, outside
