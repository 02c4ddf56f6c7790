#!/usr/bin/env python3
"""Makes the fixtures of models that are graphs: corpus/{onnx,tensorflow,tflite,coreml}-*/{bad,ok}/.

Needs the standard library only, and writes the same bytes on each run. Nothing that is made is run; the paths are those
of files that every system has or of files in /tmp that nobody needs.
"""

import base64
import json
import struct
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus"


def write(name, content):
    path = CORPUS / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


# Protobuf: a field is (number, value), where a value is a number, a text, bytes or a list of fields.
def varint(number):
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def message(*fields):
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
            continue
        if isinstance(value, str):
            value = value.encode()
        elif not isinstance(value, bytes):
            value = message(*value)
        out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


# ONNX
def value(name):
    return [(1, name), (2, [(1, [(1, 1), (2, [(1, [(1, 4)])])])])]


def onnx(nodes, *more, tensors=(), opsets=(("", 17),)):
    graph = [(1, node) for node in nodes] + [(2, "main")] + [(5, tensor) for tensor in tensors]
    graph += [(11, value("x")), (12, value("y"))]
    sets = [(8, [(1, domain), (2, version)] if domain else [(2, version)]) for domain, version in opsets]
    return message((1, 9), (2, "example"), (3, "1.0"), (7, graph), *sets, *more)


def onnx_node(operator, *attributes, domain="", inputs=("x",), outputs=("y",)):
    names = [(1, name) for name in inputs] + [(2, name) for name in outputs]
    return names + [(3, "n"), (4, operator), *((5, one) for one in attributes)] + ([(7, domain)] if domain else [])


def external(location, **more):
    entries = {"location": location, "offset": "0", "length": "16", **more}
    return [(1, 4), (2, 1), (8, "w")] + [(13, [(1, key), (2, text)]) for key, text in entries.items()] + [(14, 1)]


def onnx_fixtures():
    add = onnx_node("Add", inputs=("x", "w"))
    plain = [(1, 4), (2, 1), (8, "w"), (9, struct.pack("<4f", 1, 2, 3, 4))]
    outside = "onnx-outside-path"
    for name, path in {"absolute": "/etc/passwd", "parent": "../../../../etc/passwd", "hidden-parent": "a/b/../../../x",
                       "backslash": "..\\..\\x", "drive": "C:\\Windows\\win.ini", "url": "file:///etc/passwd",
                       "memory": "*/_ORT_MEM_ADDR_/*"}.items():
        write(f"{outside}/bad/{name}.onnx", onnx([add], tensors=[external(path)]))
    inner = external("/etc/passwd")
    constant = onnx_node("Constant", [(1, "value"), (5, inner), (20, 4)], inputs=())
    branch = [(1, constant), (2, "branch"), (12, value("y"))]
    choose = onnx_node("If", [(1, "then_branch"), (6, branch), (20, 5)], [(1, "else_branch"), (6, branch), (20, 5)])
    write(f"{outside}/bad/subgraph.onnx", onnx([choose]))
    function = [(1, "F"), (4, "a"), (5, "b"), (7, constant), (9, [(2, 17)]), (10, "own")]
    call = onnx_node("F", domain="own")
    write(f"{outside}/bad/function.onnx", onnx([call], (25, function), opsets=(("", 17), ("own", 1))))
    sparse = [(1, inner), (2, [(1, 1), (2, 7), (8, "i")]), (3, 4)]
    holder = onnx_node("Constant", [(1, "sparse_value"), (22, sparse), (20, 11)], inputs=())
    write(f"{outside}/bad/sparse.onnx", onnx([holder]))
    write(f"{outside}/bad/training.onnx", onnx([add], (20, [(2, [(2, "t"), (5, inner)])]), tensors=[plain]))
    write(f"{outside}/bad/odd-key.onnx", onnx([add], tensors=[external("w.bin", __class__="x")]))
    context = onnx_node("EPContext", [(1, "embed_mode"), (3, 0), (20, 2)], [(1, "ep_cache_context"), (4, "../engine.bin"), (20, 3)],
                        domain="com.microsoft")
    write(f"{outside}/bad/context.onnx", onnx([context], opsets=(("", 17), ("com.microsoft", 1))))
    write(f"{outside}/ok/beside.onnx", onnx([add], tensors=[external("weights/w.bin")]))
    write(f"{outside}/ok/inside.onnx", onnx([add], tensors=[plain]))
    custom = "onnx-custom-operator"
    write(f"{custom}/bad/domain.onnx", onnx([onnx_node("Run", domain="com.example.ops")], opsets=(("", 17), ("com.example.ops", 1))))
    hidden = [(1, onnx_node("Run", domain="com.example.ops")), (2, "branch"), (12, value("y"))]
    write(f"{custom}/bad/subgraph.onnx", onnx([onnx_node("If", [(1, "then_branch"), (6, hidden), (20, 5)])]))
    relu = [(1, "F"), (4, "a"), (5, "b"), (7, onnx_node("Relu", inputs=("a",), outputs=("b",))), (9, [(2, 17)]), (10, "own")]
    write(f"{custom}/ok/function.onnx", onnx([call], (25, relu), opsets=(("", 17), ("own", 1))))
    write(f"{custom}/ok/runtime.onnx", onnx([onnx_node("Gelu", domain="com.microsoft")], opsets=(("", 17), ("com.microsoft", 1))))
    code = "onnx-code-operator"
    aten = lambda name: onnx_node("ATen", [(1, "operator"), (4, name), (20, 3)], domain="org.pytorch.aten")  # noqa: E731
    write("onnx-code-operator/bad/from-file.onnx", onnx([aten("from_file")], opsets=(("", 17), ("org.pytorch.aten", 1))))
    write("onnx-code-operator/ok/embedding.onnx", onnx([aten("embedding_bag")], opsets=(("", 17), ("org.pytorch.aten", 1))))
    python = onnx_node("PyOp", [(1, "module"), (4, "os"), (20, 3)], [(1, "class_name"), (4, "system"), (20, 3)], domain="com.microsoft")
    azure = onnx_node("AzureTextInvoker", [(1, "model_uri"), (4, "https://example.org/v1"), (20, 3)], domain="com.microsoft.extensions")
    write(f"{code}/bad/python.onnx", onnx([python]))
    write(f"{code}/bad/service.onnx", onnx([azure]))
    write(f"{code}/ok/plain.onnx", onnx([add], tensors=[plain]))
    note = "onnx-metadata-code"
    for name, text in {"call": "__import__('os').system('touch /tmp/pwnd.txt')", "eval": "x = eval(\"1+1\")", "shell": "/bin/sh -c id"}.items():
        write(f"{note}/bad/{name}.onnx", onnx([add], (14, [(1, "names"), (2, text)]), tensors=[plain]))
    write(f"{note}/ok/names.onnx", onnx([add], (14, [(1, "names"), (2, "{0: 'person', 1: 'car'}")]), (14, [(1, "note"), (2, "call model.eval() first")]),
                                       tensors=[plain]))


# TensorFlow
def node(name, operator, *inputs, **attributes):
    return [(1, name), (2, operator), *((3, one) for one in inputs),
            *((5, [(1, key), (2, one)]) for key, one in sorted(attributes.items()))]


def constant(name, *texts):
    shape = [(2, [(2, [(1, len(texts))])])] if len(texts) > 1 else [(2, b"")]
    return node(name, "Const", dtype=[(6, 7)], value=[(8, [(1, 7), *shape, *((8, text) for text in texts)])])


def graph(*nodes, functions=()):
    library = [(2, [(1, one) for one in functions])] if functions else []
    return message(*((1, one) for one in nodes), *library, (4, [(1, 1882)]))


def function(name, *nodes, arguments=()):
    return [(1, [(1, name), *((2, [(1, one)]) for one in arguments)]), *((3, one) for one in nodes)]


def saved(graph_def, *more, assets=()):
    info = [(4, "serve"), (5, "2.21.0")]
    files = [(6, [(1, [(1, tensor)]), (2, name)]) for name, tensor in assets]
    return message((1, 1), (2, [(1, info), (2, graph_def), *files, *more]))


def tensorflow_fixtures():
    x = node("x", "Placeholder")
    path = constant("path", "/etc/passwd")
    plain = graph(x, node("y", "Identity", "x"))
    files = "tensorflow-file-access"
    write(f"{files}/bad/read.pb", graph(x, path, node("y", "ReadFile", "path")))
    write(f"{files}/bad/saved_model.pb", saved(graph(x, functions=[function("f", constant("p", "/tmp/pwnd.txt"), constant("c", "x"), node("w", "WriteFile", "p:output:0", "c:output:0"))])))
    write(f"{files}/bad/list.meta", message((1, [(4, "train"), (5, "2.21.0")]), (2, graph(x, constant("p", "/home/*"), node("m", "MatchingFiles", "p")))))
    write(f"{files}/bad/lines.pb", graph(path, node("d", "TextLineDataset", "path")))
    write(f"{files}/bad/given.pb", graph(x, node("d", "TFRecordDataset", "x")))
    write(f"{files}/bad/joined.pb", graph(constant("a", "/home"), constant("b", "x"), node("p", "StringJoin", "a", "b"), node("d", "FixedLengthRecordDatasetV2", "p")))
    write(f"{files}/bad/table.pb", graph(path, node("t", "HashTableV2"), node("i", "InitializeTableFromTextFileV2", "t", "path")))
    write(f"{files}/bad/print.pb", graph(x, node("p", "PrintV2", "x", output_stream=[(2, "file:///tmp/pwnd.txt")])))
    write(f"{files}/bad/words.pb", message(*((1, [(1, f"w{number}")]) for number in range(5000)), (2, [(1, [(5, "2.21.0")]), (2, graph(path, node("y", "ReadFile", "path")))])))
    text = 'saved_model_schema_version: 1\nmeta_graphs {\n  meta_info_def { tags: "serve" }\n  graph_def {\n    node { name: "p" op: "Const" attr { key: "value" value { tensor { dtype: DT_STRING string_val: "%s" } } } }\n    node { name: "r" op: "%s" input: "p" }\n  }\n}\n'
    write(f"{files}/bad/saved_model.pbtxt", text % ("/etc/passwd", "ReadFile"))
    write(f"{files}/bad/log.pb", graph(x, constant("p", "logs"), node("w", "CreateSummaryFileWriter", "x", "p", "x", "x", "x")))
    write(f"{files}/bad/region.pb", graph(node("c", "ImmutableConst", memory_region_name=[(2, "/etc/passwd")])))
    write(f"{files}/ok/region.pb", graph(node("c", "ImmutableConst", memory_region_name=[(2, "memmapped_package://w")])))
    write(f"{files}/ok/saved_model.pbtxt", text % ("a text", "StringLower"))
    write(f"{files}/ok/table.pb", graph(x, node("t", "HashTableV2"), constant("p", "vocabulary.txt"), node("i", "InitializeTableFromTextFileV2", "t", "p")))
    write(f"{files}/ok/print.pb", graph(x, node("p", "PrintV2", "x", output_stream=[(2, "stderr")])))
    write(f"{files}/ok/saved_model.pb", saved(plain))
    # A table of the first TensorFlow keeps the path on the author's machine, which the loader replaces.
    write(f"{files}/ok/asset.pb", saved(graph(constant("p", "/home/ada/vocabulary.txt"), node("t", "HashTableV2"), node("i", "InitializeTableFromTextFileV2", "t", "p")), assets=[("vocabulary.txt", "p:0")]))
    collection = (4, [(1, "saved_model_assets"), (2, [(5, [(1, [(1, "type.googleapis.com/tensorflow.AssetFileDef"), (2, [(1, [(1, "p:0")]), (2, "vocabulary.txt")])])])])])
    write(f"{files}/ok/collection.pb", saved(graph(constant("p", "/home/ada/vocabulary.txt"), node("t", "HashTableV2"), node("i", "InitializeTableFromTextFileV2", "t", "p")), collection))
    checkpoint = "tensorflow-checkpoint-path"
    save = node("s", "SaveV2", "p", "n", "n", "x")
    write(f"{checkpoint}/bad/save.pb", graph(x, constant("p", "/home/ada/.ssh/x"), constant("n", "w"), save))
    write(f"{checkpoint}/bad/restore.pb", graph(constant("p", "../../other/model"), constant("n", "w"), node("r", "RestoreV2", "p", "n", "n")))
    inner = function("f", node("s", "SaveV2", "where", "n", "n", "x"), constant("n", "w"), arguments=("where", "x"))
    call = node("call", "StatefulPartitionedCall", "p", "x", f=[(10, [(1, "f")])])
    write(f"{checkpoint}/bad/argument.pb", graph(x, constant("p", "/tmp/pwnd"), call, functions=[inner]))
    usual = [node("name", "Placeholder"), constant("part", ".part"), constant("none", ""), node("join", "StringJoin", "name", "part"), constant("zero", "0"),
             node("file", "ShardedFilename", "join", "zero", "zero"), constant("n", "/.ATTRIBUTES/w", "b"), node("s", "SaveV2", "file", "n", "none", "x")]
    write(f"{checkpoint}/bad/constant.pb", graph(x, constant("p", "start.py"), constant("n", "w"), save))
    write(f"{checkpoint}/ok/usual.pb", graph(x, *usual))
    write(f"{checkpoint}/ok/caller.pb", graph(x, node("p", "Placeholder"), call, functions=[inner]))
    network = "tensorflow-network-access"
    write(f"{network}/bad/call.pb", graph(x, constant("a", "localhost:1"), node("c", "RpcClient", "a")))
    write(f"{network}/bad/debug.pb", graph(x, node("d", "DebugIdentityV2", "x", debug_urls=[(1, [(2, "grpc://localhost:1")])])))
    write(f"{network}/bad/dump.pb", graph(x, node("d", "DebugIdentity", "x", debug_urls=[(1, [(2, "file:///tmp/pwnd")])])))
    write(f"{network}/ok/debug.pb", graph(x, node("d", "DebugIdentityV2", "x", debug_urls=[(1, b"")])))
    python = "tensorflow-python-call"
    for name in ("PyFunc", "PyFuncStateless", "EagerPyFunc"):
        write(f"{python}/bad/{name}.pb", graph(x, node("p", name, "x", token=[(2, "pyfunc_0")])))
    write(f"{python}/ok/plain.pb", plain)
    native = "tensorflow-native-call"
    write(f"{native}/bad/call.pb", graph(x, node("c", "XlaCustomCallV2", "x", call_target_name=[(2, "target")])))
    write(f"{native}/ok/module.pb", graph(x, node("c", "XlaCallModule", "x")))
    custom = "tensorflow-custom-operator"
    write(f"{custom}/bad/run.pb", graph(x, node("r", "RunShellCommand", "x")))
    write(f"{custom}/ok/function.pb", graph(x, node("r", "own", "x"), node("t", "TFText>FastWordpieceTokenize", "x"), functions=[function("own", node("y", "Relu", "a"), arguments=("a",))]))
    asset = "tensorflow-asset-path"
    write(f"{asset}/bad/parent.pb", saved(plain, assets=[("../../../etc/passwd", "a:0")]))
    write(f"{asset}/bad/absolute.pb", saved(plain, assets=[("/etc/passwd", "a:0")]))
    elsewhere = (4, [(1, "saved_model_assets"), (2, [(5, [(1, [(2, [(1, [(1, "p:0")]), (2, "../../x")])])])])])
    write(f"{asset}/bad/collection.pb", saved(plain, elsewhere))
    write(f"{asset}/ok/plain.pb", saved(plain, assets=[("vocabulary.txt", "a:0")]))
    keras = "tensorflow-keras-code"
    bytecode = base64.b64encode(b"\xe3" + bytes(20)).decode()
    lamb = {"class_name": "Lambda", "config": {"name": "l", "function": {"class_name": "__tuple__", "items": [bytecode, None, None]}, "function_type": "lambda"}}
    dense = {"class_name": "Dense", "name": "d", "config": {"units": 3, "activation": "relu", "rate": float("nan")}}
    nested = {"class_name": "Functional", "config": {"layers": [dense, lamb]}}
    operation = {"class_name": "TFOpLambda", "config": {"name": "o", "function": "%s"}}

    def objects(*layers):
        return message(*((1, [(2, number), (3, f"root.layer-{number}"), (4, "_tf_keras_layer"), (5, json.dumps(layer)), (6, [(1, 1)])])
                         for number, layer in enumerate(layers)))

    write(f"{keras}/bad/lambda.pb", objects(dense, lamb))
    write(f"{keras}/bad/nested.pb", objects(nested))
    write(f"{keras}/bad/operation.pb", objects({**operation, "config": {"function": "io.write_file"}}))
    write(f"{keras}/bad/module.pb", objects({"class_name": "system", "module": "os", "config": "id"}))
    user = (7, [(1, [(4, [(1, "_tf_keras_layer"), (3, json.dumps(lamb))])])])
    write(f"{keras}/bad/in-graph.pb", saved(plain, user))
    write(f"{keras}/ok/dense.pb", objects(dense, {**operation, "config": {"function": "nn.relu"}}))


# FlatBuffers: a table is a dictionary of fields, where a value is ("u8" or "u32", number), a text, bytes, a table, a list of
# numbers or a list of tables. What a table names lies behind it.
def flat(root, name=b"TFL3"):
    out = bytearray(8)
    out[4:8] = name

    def align(size):
        out.extend(bytes(-len(out) % size))

    def put(thing):
        align(4)
        if isinstance(thing, dict):
            fields = range(max(thing, default=-1) + 1)
            start = len(out) + (4 + 2 * len(fields) + 3) // 4 * 4
            places = {index: 4 + 4 * number for number, index in enumerate(sorted(thing))}
            table = struct.pack("<HH", 4 + 2 * len(fields), 4 + 4 * len(thing))
            table += b"".join(struct.pack("<H", places.get(index, 0)) for index in fields)
            vtable = len(out)
            out.extend(table)
            align(4)
            out.extend(struct.pack("<i", start - vtable) + bytes(4 * len(thing)))
            for index, child in thing.items():
                place = start + places[index]
                if isinstance(child, tuple):
                    struct.pack_into({"u8": "<B", "u32": "<I"}[child[0]], out, place, child[1])
                else:
                    struct.pack_into("<I", out, place, put(child) - place)
            return start
        if isinstance(thing, str):
            thing = thing.encode() + b"\0"
            start = len(out)
            out.extend(struct.pack("<I", len(thing) - 1) + thing)
            return start
        if isinstance(thing, bytes):
            # Behind the count, as readers want it for large numbers.
            out.extend(bytes(-(len(out) + 4) % 16))
            start = len(out)
            out.extend(struct.pack("<I", len(thing)) + thing)
            return start
        start = len(out)
        out.extend(struct.pack("<I", len(thing)))
        if thing and isinstance(thing[0], int):
            out.extend(struct.pack(f"<{len(thing)}i", *thing))
            return start
        out.extend(bytes(4 * len(thing)))
        for number, child in enumerate(thing):
            place = start + 4 + 4 * number
            struct.pack_into("<I", out, place, put(child) - place)
        return start

    struct.pack_into("<I", out, 0, put(root))
    align(4)
    return bytes(out)


def flex(*texts):
    """A FlexBuffer that is a list of texts, all numbers in it with four bytes."""
    out, places = b"", []
    for text in texts:
        text = text.encode() if isinstance(text, str) else text
        out += struct.pack("<I", len(text))
        places.append(len(out))
        out += text + b"\0"
        out += bytes(-len(out) % 4)
    out += struct.pack("<I", len(texts))
    start = len(out)
    for place in places:
        out += struct.pack("<I", len(out) - place)
    out += bytes([5 << 2 | 2]) * len(texts)
    return out + struct.pack("<I", len(out) - start) + bytes([10 << 2 | 2, 4])


def tflite(*operators, more=None):
    """Operators are codes of the schema, or names with options."""
    codes = [{0: ("u8", one), 3: ("u32", one)} if isinstance(one, int) else {0: ("u8", 32), 1: one[0], 3: ("u32", 32)} for one in operators]
    uses = [{0: ("u32", number), 1: [0], 2: [1], **({5: one[1]} if not isinstance(one, int) and one[1] else {})} for number, one in enumerate(operators)]
    tensors = [{0: [1, 4], 1: ("u8", 0), 3: name} for name in ("x", "y")]
    main = {0: tensors, 1: [0], 2: [1], 3: uses, 4: "main"}
    return flat({0: ("u32", 3), 1: codes, 2: [main], 3: "example", 4: [{}], **(more or {})})


def tflite_fixtures():
    def kept(operator, name=None, **attributes):
        return (f"Flex{name or operator}", flex(name or operator, message(*node("n", operator, "x", **attributes))))

    tensorflow = "tflite-tensorflow-operator"
    write(f"{tensorflow}/bad/read.tflite", tflite(19, kept("ReadFile")))
    write(f"{tensorflow}/bad/write.tflite", tflite(kept("WriteFile")))
    write(f"{tensorflow}/bad/renamed.tflite", tflite(kept("ReadFile", "Add")))
    write(f"{tensorflow}/bad/print.tflite", tflite(kept("PrintV2", output_stream=[(2, "file:///tmp/pwnd.txt")])))
    write(f"{tensorflow}/bad/python.tflite", tflite(kept("EagerPyFunc")))
    write(f"{tensorflow}/ok/erf.tflite", tflite(19, kept("Erfinv")))
    write(f"{tensorflow}/ok/learns.tflite", tflite(kept("RestoreV2"), kept("SaveV2"), kept("PrintV2", output_stream=[(2, "stderr")])))
    custom = "tflite-custom-operator"
    write(f"{custom}/bad/unknown.tflite", tflite(("com.example.Run", b"")))
    write(f"{custom}/ok/detection.tflite", tflite(("TFLite_Detection_PostProcess", b"\0\1"), ("TFText>WhitespaceTokenizer", b"")))
    outside = "tflite-outside-path"
    write(f"{outside}/bad/parent.tflite", tflite(19, more={8: [{0: "../../x.bin"}]}))
    write(f"{outside}/ok/beside.tflite", tflite(19, more={8: [{0: "weights.bin"}]}))


# Core ML
def coreml(*kind, version=4):
    about = [(1, [(1, "x"), (3, [(5, [(1, 3), (2, 65568)])])]), (10, [(1, "y")]), (100, [(3, "example")])]
    return message((1, version), (2, about), *kind)


def coreml_fixtures():
    custom = "coreml-custom-class"
    plain = [(1, "fc"), (2, "x"), (3, "y"), (130, [(10, b"")])]
    layer = [(1, "c"), (2, "x"), (3, "y"), (500, [(10, "ExampleLayer"), (40, "an example")])]
    write(f"{custom}/bad/layer.mlmodel", coreml((500, [(1, plain), (1, layer)])))
    write(f"{custom}/bad/loop.mlmodel", coreml((403, [(1, [(1, "l"), (615, [(1, 1), (4, [(1, layer)])])])])))
    write(f"{custom}/bad/model.mlmodel", coreml((555, [(10, "ExampleModel")])))
    inner = message((1, 4), (2, [(1, [(1, "x")])]), (555, [(10, "ExampleModel")]))
    write(f"{custom}/bad/pipeline.mlmodel", coreml((200, [(1, [(1, inner), (2, "m")])])))
    write(f"{custom}/ok/network.mlmodel", coreml((500, [(1, plain)])))
    outside = "coreml-outside-path"

    def program(file):
        blob = [(5, [(1, file), (2, 64)])]
        operation = [(1, "const"), (3, [(1, "w")]), (5, [(1, "val"), (2, blob)])]
        return (502, [(1, 1), (2, [(1, "main"), (2, [(2, "CoreML7"), (3, [(1, "CoreML7"), (2, [(2, "w"), (3, operation)])])])])])

    def link(file, where):
        return (556, [(1, [(1, [(1, file)]), (2, [(1, where)])])])

    write(f"{outside}/bad/weights.mlmodel", coreml(program("@model_path/../../x.bin"), version=8))
    write(f"{outside}/bad/absolute.mlmodel", coreml(program("/etc/passwd"), version=8))
    write(f"{outside}/bad/linked.mlmodel", coreml(link("a.mlmodelc", ".:/tmp")))
    write(f"{outside}/ok/weights.mlmodel", coreml(program("@model_path/weights/weight.bin"), version=8))
    write(f"{outside}/ok/linked.mlmodel", coreml(link("a.mlmodelc", "$BUNDLE_MAIN:.")))


if __name__ == "__main__":
    onnx_fixtures()
    tensorflow_fixtures()
    tflite_fixtures()
    coreml_fixtures()
