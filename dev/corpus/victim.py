#!/usr/bin/env python3
"""Loads one file as a careless user would, and reports on the last line of standard output what it did. For `confirm.py` only.

    victim.py LOADER PATH [USE]

What counts: the marker exists afterwards, or an audit event names the marker or asks this machine's port of nobody.
"""

import atexit
import builtins
import os
import sys
import time

# The marker by either of its names, and the address that nobody listens on.
NEEDLES = ("sealyard-marker", "SEALYARD_MARKER", "127.0.0.1")
QUIET = ("object.__getattr__", "import", "marshal.loads", "compile")
events = []


def watch(event, arguments):
    if event in QUIET or not armed:
        return
    shown = repr(arguments)
    if any(needle in shown for needle in NEEDLES):
        events.append(event)


def load(loader, path):
    if loader == "pickle":
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file)
    if loader == "python-pickle":
        import pickle

        with open(path, "rb") as file:
            return pickle._load(file)
    if loader == "pickle-latin1":
        import pickle

        with open(path, "rb") as file:
            return pickle.load(file, encoding="latin1")
    if loader == "pickles":
        import pickle

        found = []
        with open(path, "rb") as file:
            while True:
                try:
                    found.append(pickle.load(file))
                except EOFError:
                    return found
    if loader == "joblib":
        import joblib

        return joblib.load(path)
    if loader in ("numpy", "npz"):
        import numpy

        loaded = numpy.load(path, allow_pickle=True)
        return loaded if loader == "numpy" else [loaded[name] for name in loaded.files]
    if loader == "pandas":
        import pandas

        return pandas.read_pickle(path)
    if loader == "torch":
        import torch

        return torch.load(path, weights_only=False)
    if loader == "torchscript":
        import torch

        return torch.jit.load(path)
    if loader == "dill":
        import dill

        with open(path, "rb") as file:
            return dill.load(file)
    if loader == "yaml":
        import yaml

        with open(path, "rb") as file:
            return yaml.unsafe_load(file)
    if loader == "keras":
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        return keras.saving.load_model(path, safe_mode=False, compile=False)
    if loader == "keras-json":
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        keras.config.enable_unsafe_deserialization()
        with open(path) as file:
            return keras.models.model_from_json(file.read())
    if loader == "skops":
        import skops.io

        return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    if loader == "marshal":
        import marshal

        with open(path, "rb") as file:
            exec(marshal.load(file), {"__name__": "model"})
        return None
    if loader == "shelve":
        import dbm.dumb
        import shelve

        return list(shelve.Shelf(dbm.dumb.open(str(path).removesuffix(".dat"), "r")).values())
    if loader == "python":
        import runpy

        return runpy.run_path(str(path), run_name="model")
    if loader == "site":
        import shutil
        import site

        os.mkdir("site")
        shutil.copy(path, "site/" + os.path.basename(path))
        site.addsitedir("site")
        return None
    if loader == "shell":
        return os.spawnv(os.P_WAIT, "/bin/sh", ["sh", str(path)])
    if loader == "execute":
        import shutil

        shutil.copy(path, "program")
        os.chmod("program", 0o755)
        return os.spawnv(os.P_WAIT, "./program", ["./program"])
    if loader == "jinja":
        import subprocess  # noqa: F401 - as what serves a chat model has it

        import jinja2

        return jinja2.Environment().from_string(template(path)).render(messages=[{"role": "user", "content": "x"}], bos_token="", eos_token="", add_generation_prompt=True)
    if loader == "zip":
        import zipfile

        with zipfile.ZipFile(path) as archive:
            archive.extractall("out")
        return None
    raise SystemExit(f"no loader {loader}")


def template(path):
    """The chat template in a tokenizer's configuration or a GGUF file."""
    import json

    if str(path).endswith(".json"):
        found = json.loads(open(path).read())["chat_template"]
        return found if isinstance(found, str) else found[0]["template"]
    if str(path).endswith(".jinja"):
        return open(path).read()
    import gguf

    field = next(field for name, field in gguf.GGUFReader(path).fields.items() if name.startswith("tokenizer.chat_template"))
    return bytes(field.parts[field.data[0]]).decode()


def main():
    global armed
    loader, path, *use = sys.argv[1:]
    sys.argv = ["victim"]
    loaded, error = None, ""
    sys.addaudithook(watch)
    armed = True
    try:
        loaded = load(loader, path)
        if use:
            exec(use[0], {"m": loaded, "__builtins__": builtins})
    except BaseException as problem:  # noqa: BLE001 - whatever ends it, what it did before counts
        error = f"{type(problem).__name__}: {str(problem)[:120]}"
    atexit._run_exitfuncs()
    if not os.path.exists(os.environ["SEALYARD_MARKER"]):
        time.sleep(0.3)  # for threads and processes that were started
    armed = False
    marker = os.path.exists(os.environ["SEALYARD_MARKER"])
    print(f"\nVICTIM {int(marker)} {','.join(sorted(set(events))) or '-'} {error}", flush=True)
    os._exit(0)


armed = False
if __name__ == "__main__":
    main()
