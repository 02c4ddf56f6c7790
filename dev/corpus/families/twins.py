"""Harmless twins of the attacks: the same formats as people really have them. corpus/families/benign/; each must be safe."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import struct
import zlib
from collections import OrderedDict

import joblib
import lz4.frame
import msgpack
import numpy
import pandas
import pyarrow
import torch
from safetensors.numpy import save as safetensors_numpy

from archives import zipped
from families import COMMAND, Case
from families.containers import legacy, seven, state_dict, tarred
from families.graphs import OPENVINO, PMML, attribute, coreml, external, node, onnx, onnx_graph, tflite
from families.nested import arrow, database, npy, parquet
from families.node import Build, Global, New, dumps
from families.others import MLMODEL, r_symbol, rda, rds, schema
from families.tensorflow import constant, graph, h5, keras, layer, saved_model, sequential, weights
from families.tensorflow import node as operation
from families.texts import gguf, safetensors
from families.wire import message

NAME = "benign"
ABOUT = "harmless twins"
WEIGHTS = numpy.linspace(-1, 1, 12, dtype="f4").reshape(3, 4)


def saved(save, *arguments, **more):
    stored = io.BytesIO()
    save(*arguments, stored, **more)
    return stored.getvalue()


def torch_saved(value_, **more):
    stored = io.BytesIO()
    torch.save(value_, stored, **more)
    return stored.getvalue()


def pickle_cases():
    words = ["os.system", "builtins.eval", "subprocess", "cposix\nsystem\n", COMMAND, "__import__('os')"]
    step = lambda name, **state: Build(New(Global("sklearn.preprocessing._data", name)), {**state, "_sklearn_version": "1.9.1"})  # noqa: E731
    transformer = Build(New(Global("sklearn.preprocessing._function_transformer", "FunctionTransformer")),
                        {"func": Global("numpy", "log1p"), "inverse_func": Global("numpy", "expm1"), "validate": False, "_sklearn_version": "1.9.1"})
    frame = pandas.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})
    estimator = Build(New(Global("sklearn.pipeline", "Pipeline")), {"steps": [("scale", step("StandardScaler", with_mean=True)), ("log", transformer)], "memory": None, "verbose": False, "_sklearn_version": "1.9.1"})
    found = {
        "words.pkl": dumps({"vocabulary": words, "text": "eval(exec(os.system))"}),
        "words-0.pkl": pickle.dumps(words, 0),
        "bytes.pkl": pickle.dumps({"digest": zlib.crc32(b"x").to_bytes(4, "big") * 8, "raw": bytes(range(256))}, 4),
        "nested-data.pkl": pickle.dumps({"cache": pickle.dumps([1, 2, {"a": 3}], 4)}, 5),
        "numbers.pkl": pickle.dumps([2**70, -1, 1.5, True, None, 3 + 4j], 4),
        "ordered.pkl": pickle.dumps(OrderedDict(a=[1], b={"c": (1, 2)}), 2),
        "sets.pkl": pickle.dumps([frozenset({1}), {2}, bytearray(b"abc")], 4),
        "array.pkl": pickle.dumps({"w": WEIGHTS}, 4),
        "array-5.pkl": pickle.dumps([WEIGHTS, WEIGHTS.astype("f8")], 5),
        "frame.pkl": pickle.dumps(frame, 4),
        "store.sqlite": database(pickle.dumps({"alpha": 0.1, "notes": "x" * 2000}, 4)),
        "estimator.pkl": dumps(estimator),
        "estimator-2.pkl": dumps(estimator, 2),
        "torch-state.pt": torch_saved({"w": torch.from_numpy(WEIGHTS.copy()), "b": torch.zeros(3, dtype=torch.bfloat16)}),
        "torch-checkpoint.ckpt": torch_saved({"epoch": 3, "model": OrderedDict(w=torch.ones(2, 2)), "optimizer": torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1).state_dict(), "loss": 0.5}),
        "torch-parameter.pt": torch_saved(torch.nn.Linear(2, 2).requires_grad_(False).state_dict().__class__(w=torch.nn.Parameter(torch.ones(2)))),
        "torch-by-hand.bin": zipped({"archive/data.pkl": dumps(state_dict(), 2), "archive/data/0": b"\x00" * 8, "archive/version": b"3\n", "archive/byteorder": b"little"}),
        "torch-legacy-by-hand.pth": legacy({"step": 1}),
    }
    object_words = b"\x80\x04" + pickle.dumps(numpy.array(["a", "b"], dtype=object), 4)[2:]
    found["object-words.pkl"] = object_words
    for name, compress in (("zlib", zlib.compress), ("gzip", lambda data: gzip.compress(data, mtime=0)), ("bz2", bz2.compress), ("xz", lzma.compress),
                           ("lzma", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)), ("lz4", lz4.frame.compress)):
        found[f"weights-{name}.joblib"] = compress(saved(joblib.dump, {"w": WEIGHTS, "kind": name}))
    found["weights.joblib"] = saved(joblib.dump, {"w": WEIGHTS, "b": numpy.arange(5)})
    return found


def archive_cases():
    plain = pickle.dumps({"w": [1.0, 2.0]}, 4)
    return {
        "float.npy": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (12,), }", WEIGHTS.tobytes()),
        "structured.npy": saved(lambda stored: numpy.save(stored, numpy.zeros(3, dtype=[("a", "f8"), ("b", "i4", (2,))]))),
        "text.npy": saved(lambda stored: numpy.save(stored, numpy.array(["os.system", "eval"]))),
        "arrays.npz": zipped({"a.npy": npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }", b"\x00" * 8), "b.npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }", b"ab")}),
        "model.zip": zipped({"model.pkl": plain, "readme.txt": b"A model.\n"}, 8),
        "model.tar": tarred({"model/weights.pkl": plain, "model/config.json": b"{}"}),
        "model.tar.gz": gzip.compress(tarred({"weights.pkl": plain}), mtime=0),
        "model.7z": seven({"readme.txt": b"Only text.\n", "weights.pkl": plain}),
        "model.nemo": gzip.compress(tarred({"model_config.yaml": b"target: nemo.collections.asr.models.EncDecCTCModel\nsample_rate: 16000\n", "model_weights.ckpt": zipped({"m/data.pkl": dumps(state_dict(), 2), "m/data/0": b"\x00" * 8, "m/version": b"3\n"})}), mtime=0),
        "weights.parquet": parquet(None),
        "pandas.parquet": parquet({"pandas": json.dumps({"index_columns": [], "columns": [{"name": "a", "pandas_type": "int64"}], "pandas_version": "3.1.1"})}),
        "table.arrow": arrow({"origin": "census"}),
        "text-column.parquet": parquet(None, pyarrow.table({"text": ["import os", "eval(x)"]})),
        "flax.msgpack": msgpack.packb({"params": {"dense": {"kernel": msgpack.ExtType(1, msgpack.packb([[3, 4], "float32", WEIGHTS.tobytes()]))}}, "step": 3}),
        "table.csv": b"a,b\n1,2\n3,4\n",
    }


def tensorflow_cases():
    x = operation("x", "Placeholder", dtype=1)
    multiply = operation("y", "MatMul", "x", "w", T=1)
    variable = operation("w", "VarHandleOp", shared_name="w", dtype=1)
    save = [constant("prefix", "variables/part"), operation("names", "ShardedFilename", "prefix", "x", "x"), operation("s", "SaveV2", "prefix", "x", "x", "x"),
            operation("r", "RestoreV2", "prefix", "x", "x"), operation("m", "MergeV2Checkpoints", "prefix", "x")]
    call = operation("call", "StatefulPartitionedCall", "x")
    folder = lambda definition, **more: {"saved_model.pb": saved_model(definition), "variables/variables.index": b"", **more}  # noqa: E731
    dense = layer("Dense", {"name": "dense", "units": 2, "activation": "relu", "use_bias": True, "kernel_initializer": {"module": "keras.initializers", "class_name": "GlorotUniform", "config": {"seed": None}, "registered_name": None}})
    drop = layer("Dropout", {"name": "dropout", "rate": 0.5, "seed": None, "noise_shape": None})
    lookup = layer("StringLookup", {"name": "lookup", "vocabulary": ["os", "system", "eval"], "max_tokens": None, "num_oov_indices": 1, "output_mode": "int"}, build_config=None)
    trained = {"model.weights.h5": weights(dense=[WEIGHTS[:2, :2], WEIGHTS[0, :2]])}
    old = {"class_name": "Sequential", "config": {"name": "s", "layers": [{"class_name": "InputLayer", "config": {"batch_input_shape": [None, 2], "dtype": "float32", "name": "i"}}, {"class_name": "Dense", "config": {"name": "d", "units": 1, "activation": "linear", "use_bias": True}}]}}
    return {
        "saved-dense": folder(graph(x, variable, operation("read", "ReadVariableOp", "w"), multiply)),
        "saved-checkpoint": folder(graph(x, variable, *save)),
        "saved-library": folder(graph(x, call, library=[("serve", [multiply, operation("out", "Identity", "y")])])),
        "saved-lookup": folder(graph(x, constant("vocabulary", "vocabulary.txt"), operation("table", "HashTableV2", shared_name="t"), operation("init", "InitializeTableFromTextFileV2", "table", "vocabulary")), **{"assets/vocabulary.txt": b"os\nsystem\n"}),
        "frozen.pb": graph(x, constant("note", "weights of 2026"), operation("y", "Relu", "x", T=1)),
        "dense.keras": keras(sequential(dense, drop), **trained),
        "compiled.keras": keras({**sequential(dense), "compile_config": {"optimizer": {"module": "keras.optimizers", "class_name": "Adam", "config": {"learning_rate": 0.001}, "registered_name": None}, "loss": "mse", "metrics": ["mae"], "weighted_metrics": None, "run_eagerly": False}}, **trained),
        "lookup.keras": keras(sequential(lookup)),
        "nested.keras": keras(sequential(dense, {**sequential(drop), "registered_name": None}), **trained),
        "dense.h5": h5(old),
        "trained.h5": h5(old, training_config=json.dumps({"loss": "mse", "optimizer_config": {"class_name": "Adam", "config": {"learning_rate": 0.001}}})),
        "dense.json": json.dumps(sequential(dense)).encode(),
    }


def graph_cases():
    relu = onnx_graph([node("Relu", outputs=("h",)), node("Gemm", ("h", "w"))], [message((1, 4), (1, 1), (2, 1), (8, "w"), (9, b"\x00" * 16))])
    external_graph = onnx_graph([node("Relu")], [external("weights.bin", offset="0", length="16")])
    branch = node("If", attributes=[attribute("then_branch", onnx_graph(), 5), attribute("else_branch", onnx_graph(), 5)])
    forest = onnx_graph([node("TreeEnsembleClassifier", outputs=("label", "y"), domain="ai.onnx.ml", attributes=[attribute("post_transform", "NONE", 3)])])
    fused = onnx_graph([node("FusedMatMul", ("x", "x"), ("h",), domain="com.microsoft"), node("Attention", ("h",), domain="com.microsoft")])
    network = message((1, message((1, "l"), (2, "x"), (3, "y"), (140, message((1, 3), (2, 2))))))
    result = '<layer id="1" name="y" type="Result" version="opset1"/>'
    data = '<layer id="1" name="w" type="Const" version="opset1"><data element_type="f32" shape="4" offset="0" size="16"/></layer>'
    pmml = lambda **more: PMML.format(**{"doctype": "", "attributes": "", "copyright": "2026", "body": "", **more}).encode()  # noqa: E731
    return {
        "plain.onnx": onnx(relu),
        "external": {"model.onnx": onnx(external_graph), "weights.bin": b"\x00" * 16},
        "branches.onnx": onnx(onnx_graph([branch])),
        "forest.onnx": onnx(forest, ["ai.onnx.ml"]),
        "fused.onnx": onnx(fused, ["com.microsoft"]),
        "metadata.onnx": onnx(relu, more=[(14, message((1, "author"), (2, "os.system is only text")))]),
        "builtin.tflite": tflite([(9, None), (3, None), (25, None)]),
        "custom-known.tflite": tflite([(32, "TFLite_Detection_PostProcess")]),
        "labels.tflite": tflite([(9, None)], zipped({"labels.txt": b"cat\ndog\n"})),
        "network.mlmodel": coreml((500, network)),
        "regressor.mlmodel": coreml((300, message((1, message((1, 0))), (2, b"")))),
        "package.mlpackage": {"Manifest.json": json.dumps({"fileFormatVersion": "1.0.0", "rootModelIdentifier": "A", "itemInfoEntries": {"A": {"path": "com.apple.CoreML/model.mlmodel", "name": "model.mlmodel", "author": "com.apple.CoreML", "description": "CoreML Model Specification"}}}).encode(),
                              "Data/com.apple.CoreML/model.mlmodel": coreml((500, network + b""), (2, b""))},
        "openvino": {"model.xml": OPENVINO.format(doctype="", layer=data + result.replace('"1"', '"2"', 1)).encode(), "model.bin": b"\x00" * 16},
        "openvino.xml": OPENVINO.format(doctype="", layer=result).encode(),
        "regression.pmml": pmml(),
        "extension.pmml": pmml(body='<Extension name="version" value="1.4" extender="sklearn2pmml"/><DataDictionary numberOfFields="1"><DataField name="x" optype="continuous" dataType="double"/></DataDictionary>'),
    }


CHATS = {
    "chatml": "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}",
    "llama": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% else %}{% set loop_messages = messages %}{% endif %}{% for message in loop_messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{{ bos_token + '[INST] ' + message['content'] | trim + ' [/INST]' }}{% endfor %}",
    "tools": "{%- set ns = namespace(found=false) -%}{%- if tools is defined and tools is not none %}{{- tools | tojson(indent=2) }}{%- endif %}{%- for message in messages %}{%- if message.tool_calls is defined %}{%- for call in message.tool_calls %}{{- call.function.name ~ call.function.arguments | tojson }}{%- set ns.found = true %}{%- endfor %}{%- else %}{{- message.content.split('</think>')[-1].lstrip('\n') }}{%- endif %}{%- endfor %}",
    "date": "{% set date = strftime_now('%d %b %Y') %}{{ 'Today: ' + date }}{% macro show(m) %}{{ m.role | upper }}: {{ m['content'] | join(' ') if m['content'] is not string else m['content'] }}{% endmacro %}{% for m in messages %}{{ show(m) }}{% endfor %}",
}


def text_cases():
    weight = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    found = {f"{name}.gguf": gguf(chat) for name, chat in CHATS.items()}
    found["no-template.gguf"] = gguf(None, **{"general.description": "A model that talks of os.system and __globals__."})
    tensors = {"w": WEIGHTS, "b": numpy.zeros(3, "f2"), "empty": numpy.zeros((0, 2), "f4"), "scalar": numpy.array(3, "i8")}
    found |= {
        "numpy.safetensors": safetensors_numpy(tensors),
        "metadata.safetensors": safetensors_numpy({"w": WEIGHTS}, {"training": json.dumps({"epochs": 3, "loss": "mse"})}),
        "two.safetensors": safetensors({"a": weight, "b": {**weight, "data_offsets": [8, 16]}}, b"\x00" * 16),
        "padded.safetensors": safetensors(b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}    ', b"\x00" * 8),
    }
    dump = lambda value_: json.dumps(value_, indent=2).encode()  # noqa: E731
    base = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "transformers_version": "5.0.0", "torch_dtype": "bfloat16"}
    return {**found, **{
        "hub-llama": {"config.json": dump(base), "generation_config.json": dump({"bos_token_id": 1, "temperature": 0.6}), "tokenizer_config.json": dump({"tokenizer_class": "LlamaTokenizer", "chat_template": CHATS["llama"]}),
                      "special_tokens_map.json": dump({"bos_token": "<s>"}), "model.safetensors": safetensors({"a": weight}, b"\x01" * 8),
                      "README.md": b"---\nlicense: mit\n---\n# Tiny\n\n```sh\npip install transformers\n```\n\n```python\nfrom transformers import pipeline\npipe = pipeline('text-generation')\n```\n"},
        "hub-sentences": {"modules.json": dump([{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}, {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]), "config.json": dump({**base, "model_type": "bert"})},
        "hub-diffusers": {"model_index.json": dump({"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.35.0", "unet": ["diffusers", "UNet2DConditionModel"], "tokenizer": ["transformers", "CLIPTokenizer"], "safety_checker": [None, None]})},
        "hub-adapter": {"adapter_config.json": dump({"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.2-1B", "r": 8, "target_modules": ["q_proj"], "auto_mapping": None})},
        "hub-vision": {"preprocessor_config.json": dump({"image_processor_type": "ViTImageProcessor", "size": {"height": 224, "width": 224}, "image_mean": [0.5, 0.5, 0.5]}), "config.json": dump({**base, "model_type": "vit"})},
        "tokenizer.json": dump({"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {"import": 0, "os": 1, "system": 2, "eval": 3, "__globals__": 4}, "merges": []}}),
        "chat_template.jinja": CHATS["tools"].encode(),
        "config.yaml": b"model:\n  name: tiny\n  layers: [1, 2]\noptimizer: adam\nlr: 0.1\ncommand: os.system is only text here\n",
        "requirements.txt": b"torch==2.9.0\nnumpy>=2\nscikit-learn==1.9.1\n",
        "vocab.txt": b"[PAD]\n[UNK]\nimport\nos\nsystem\neval\n",
    }}


def other_cases():
    vector = struct.pack(">I", 14) + struct.pack(">I", 3) + struct.pack(">ddd", 0.5, 1.0, 2.0)
    text = struct.pack(">I", 16) + struct.pack(">I", 1) + struct.pack(">II", 0x00040009, 9) + b"os.system"
    frame = struct.pack(">I", 19 | 0x200) + struct.pack(">I", 2) + vector + text + struct.pack(">I", 1026) + r_symbol("names") + struct.pack(">II", 16, 2) + b"".join(struct.pack(">II", 0x00040009, 1) + one for one in (b"a", b"b")) + struct.pack(">I", 254)
    return {
        "vector.rds": rds(vector),
        "vector-v2.rds": gzip.compress(rds(vector, 2), mtime=0),
        "list.rds": rds(frame),
        "workspace.RData": gzip.compress(rda(vector), mtime=0),
        "ridge.skops": zipped({"schema.json": schema({})}, 8),
        "mlflow-sklearn": {"MLmodel": MLMODEL.format(code="null", loader="mlflow.sklearn").encode(), "model.pkl": pickle.dumps({"w": [1.0, 2.5]}, 4), "requirements.txt": b"mlflow==3.6.0\nscikit-learn==1.9.1\n",
                           "python_env.yaml": b"python: 3.11.7\nbuild_dependencies:\n- pip==24.0\ndependencies:\n- -r requirements.txt\n", "conda.yaml": b"channels:\n- conda-forge\ndependencies:\n- python=3.11.7\n- pip\n- pip:\n  - mlflow==3.6.0\nname: mlflow-env\n"},
        "lightgbm.txt": b"tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\nobjective=regression\nfeature_names=a b\n\nTree=0\nnum_leaves=2\nleaf_value=0.1 0.2\n\nend of trees\n\nparameters:\n[boosting: gbdt]\n[objective: regression]\nend of parameters\n\npandas_categorical:null\n",
        "xgboost.json": json.dumps({"learner": {"attributes": {}, "feature_names": ["os", "system"], "gradient_booster": {"model": {"trees": []}, "name": "gbtree"}, "objective": {"name": "reg:squarederror"}}, "version": [3, 0, 0]}).encode(),
        "picture.png": b"\x89PNG\r\n\x1a\n" + b"".join(struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in ((b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\x00\x00")), (b"IEND", b""))),
        "metrics.json": json.dumps({"accuracy": 0.93, "model": "ridge"}).encode(),
        "readme/README.md": b"# Ridge\n\nTrained in 2026 with scikit-learn. `os.system` is not used.\n",
        "input_example.json": json.dumps({"columns": ["a", "b"], "data": [[1.0, 2.0]]}).encode(),
    }


def cases():
    table = {**pickle_cases(), **archive_cases(), **tensorflow_cases(), **graph_cases(), **text_cases(), **other_cases()}
    return [Case(name, content, "none", None) for name, content in table.items()]
