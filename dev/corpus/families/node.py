"""Pickles as trees: what a stream does, written down once and rendered by any protocol."""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Global:
    """An import."""

    module: str
    name: str


class Call:
    """A call by REDUCE."""

    def __init__(self, callee, *arguments):
        self.callee, self.arguments = callee, arguments


class New:
    """`cls.__new__(cls, *arguments)` by NEWOBJ."""

    def __init__(self, cls, *arguments):
        self.cls, self.arguments = cls, arguments


@dataclass(frozen=True)
class Build:
    """A state set by BUILD."""

    target: object
    state: object


@dataclass(frozen=True)
class Raw:
    """Opcodes as they are; they leave one object."""

    opcodes: bytes


@dataclass(frozen=True)
class Drop:
    """Something done for what it does; its result is dropped and `rest` stays."""

    first: object
    rest: object


def render(node, protocol=4):
    """Opcodes that leave what `node` says."""
    if isinstance(node, Raw):
        return node.opcodes
    if isinstance(node, Drop):
        return render(node.first, protocol) + b"0" + render(node.rest, protocol)
    if isinstance(node, Global):
        if protocol < 4:
            return f"c{node.module}\n{node.name}\n".encode()
        return render(node.module, protocol) + render(node.name, protocol) + b"\x93"
    if isinstance(node, Call):
        return render(node.callee, protocol) + render(tuple(node.arguments), protocol) + b"R"
    if isinstance(node, New):
        return render(node.cls, protocol) + render(tuple(node.arguments), protocol) + b"\x81"
    if isinstance(node, Build):
        return render(node.target, protocol) + render(node.state, protocol) + b"b"
    return value(node, protocol)


def value(node, protocol):
    if node is None:
        return b"N"
    if isinstance(node, bool):
        return {0: (b"I00\n", b"I01\n")}.get(protocol, (b"\x89", b"\x88"))[node]
    if isinstance(node, int):
        if protocol == 0:
            return f"I{node}\n".encode()
        return b"K" + bytes([node]) if 0 <= node < 256 else b"J" + struct.pack("<i", node)
    if isinstance(node, float):
        return b"G" + struct.pack(">d", node)
    if isinstance(node, str):
        raw = node.encode("utf-8", "surrogatepass")
        if protocol == 0:
            return b"V" + node.encode("raw_unicode_escape").replace(b"\n", b"\\u000a") + b"\n"
        if protocol >= 4 and len(raw) < 256:
            return b"\x8c" + bytes([len(raw)]) + raw
        return b"X" + struct.pack("<I", len(raw)) + raw
    if isinstance(node, bytes):
        if protocol < 3:
            return render(Call(Global("_codecs", "encode"), node.decode("latin1"), "latin1"), protocol)
        return b"C" + bytes([len(node)]) + node if len(node) < 256 else b"B" + struct.pack("<I", len(node)) + node
    if isinstance(node, tuple):
        inner = b"".join(render(one, protocol) for one in node)
        if not node and protocol:
            return b")"
        return inner + bytes([0x84 + len(node)]) if protocol >= 2 and len(node) <= 3 else b"(" + inner + b"t"
    if isinstance(node, list):
        return b"(" + b"".join(render(one, protocol) for one in node) + b"l"
    if isinstance(node, dict):
        return b"(" + b"".join(render(one, protocol) for pair in node.items() for one in pair) + b"d"
    if isinstance(node, (set, frozenset)):
        return render(Call(Global("builtins", type(node).__name__), sorted(node)), protocol)
    raise TypeError(type(node))


def dumps(node, protocol=4):
    """A whole pickle."""
    head = b"\x80" + bytes([protocol]) if protocol >= 2 else b""
    body = render(node, protocol) + b"."
    return head + (b"\x95" + struct.pack("<Q", len(body)) if protocol >= 4 else b"") + body


# The shapes in which an attack lies in a model, so that not each file is only an attack.
def alone(node):
    return node


def among_weights(node):
    return {"epoch": 12, "coefficients": [0.25, -1.5, 3.0], "optimizer": node}


def dropped(node):
    return Drop(node, {"coefficients": [1.0, 2.0]})


def in_estimator(node):
    return Build(New(Global("sklearn.linear_model._ridge", "Ridge")), {"alpha": 1.0, "solver": node, "_sklearn_version": "1.9.1"})


def in_ordered(node):
    return Call(Global("collections", "OrderedDict"), [["weight", node]])


SHAPES = [alone, among_weights, dropped, in_estimator, in_ordered]
PROTOCOLS = [4, 2, 3, 4, 5, 0]


def varied(node, number):
    """`node` in one of the shapes and by one of the protocols, as `number` says. Dotted names need protocol 4."""
    protocol = PROTOCOLS[number % len(PROTOCOLS)]
    shaped = SHAPES[number % len(SHAPES)](node)
    if protocol < 4 and any(b"." in name.split(b" ")[1] for name in names(shaped)):
        protocol = 4
    if protocol < 2 and b"\x81" in render(shaped, 0):
        protocol = 2
    if any(name.startswith(b"__builtin__ ") for name in names(shaped)):
        protocol = 2
    return dumps(shaped, protocol)


def names(node):
    """What a tree imports: module, space, qualified name."""
    if isinstance(node, Global):
        return [f"{node.module} {node.name}".encode()]
    if isinstance(node, Raw) and b"\x93" in node.opcodes:
        return [b"opcodes of.protocol.4"]
    parts = []
    if isinstance(node, (list, tuple)):
        parts = list(node)
    elif isinstance(node, dict):
        parts = [*node.keys(), *node.values()]
    elif isinstance(node, (Call, New, Build, Drop)):
        parts = list(vars(node).values())
    return [name for part in parts for name in names(part)]


def files(table, number=0):
    """Cases of a table of name: node, or node, loader and use."""
    from families import Case

    found = []
    for name, node in table.items():
        load, use = "pickle", None
        if isinstance(node, tuple):
            node, load, *rest = node
            use = rest[0] if rest else None
        found.append(Case(name + (".pkl", ".pickle", ".joblib", ".bin")[number % 4 if load == "pickle" else 0], dumps(node) if use else varied(node, number), title(node), load, use))
        number += 1
    return found


def title(node):
    """The name of what is called last."""
    while isinstance(node, (Call, Build, New, Drop)):
        node = node.callee if isinstance(node, Call) else node.target if isinstance(node, Build) else node.cls if isinstance(node, New) else node.first
    return f"{node.module}.{node.name}" if isinstance(node, Global) else "opcodes"
