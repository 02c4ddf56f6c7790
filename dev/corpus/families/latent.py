"""Models that do nothing when they are loaded and harm when they are used."""

from families import COMMAND, PYTHON, Case
from families.libraries import cloudpickle_function
from families.node import Build, Call, Global, New, dumps
from families.obscure import SYSTEM

NAME = "latent-callables"
ABOUT = "callables that wait for the model's use"
EVAL = Global("builtins", "eval")
EXEC = Global("builtins", "exec")
POPEN = Global("subprocess", "Popen")


def made(module, name, **state):
    return Build(New(Global(module, name)), {**state, "_sklearn_version": "1.9.1"} if module.startswith("sklearn") else state)


def transformer(func, **more):
    state = {"func": func, "inverse_func": None, "validate": False, "accept_sparse": False, "check_inverse": False,
             "feature_names_out": None, "kw_args": None, "inv_kw_args": None, **more}
    return made("sklearn.preprocessing._function_transformer", "FunctionTransformer", **state)


def torch_module(**hooks):
    ordered = lambda *items: Call(Global("collections", "OrderedDict"), [list(item) for item in items])  # noqa: E731
    state = {"training": False, **{name: ordered() for name in (
        "_parameters", "_buffers", "_modules", "_forward_hooks", "_forward_hooks_with_kwargs", "_forward_hooks_always_called", "_forward_pre_hooks", "_forward_pre_hooks_with_kwargs", "_backward_hooks",
        "_backward_pre_hooks", "_state_dict_hooks", "_load_state_dict_pre_hooks", "_state_dict_pre_hooks", "_load_state_dict_post_hooks")},
             "_is_full_backward_hook": None, "_non_persistent_buffers_set": set()}
    return Build(New(Global("torch.nn.modules.linear", "Identity")), {**state, **{name: ordered((0, hook)) for name, hook in hooks.items()}})


def cases():
    shell = f"m.transform({COMMAND!r})"
    vectorizer = lambda name, **state: made("sklearn.feature_extraction.text", name, **state)  # noqa: E731
    steps = [("scale", made("sklearn.preprocessing._data", "StandardScaler", with_mean=False)), ("run", transformer(SYSTEM))]
    table = {
        "function-transformer": (transformer(SYSTEM), shell),
        "function-transformer-eval": (transformer(EVAL), f"m.transform({PYTHON!r})"),
        "function-transformer-popen": (transformer(POPEN, kw_args={"shell": True}), shell),
        "function-transformer-inverse": (transformer(None, inverse_func=SYSTEM), f"m.inverse_transform({COMMAND!r})"),
        "function-transformer-partial": (transformer(Call(Global("functools", "partial"), SYSTEM, COMMAND)), "m.func()"),
        "function-transformer-lambda": (transformer(cloudpickle_function().callee), "m.func()"),
        "function-transformer-pandas-eval": (transformer(Global("pandas", "eval")), None),
        "function-transformer-string": (transformer(EVAL, kw_args={"globals": {"x": PYTHON}}), "m.func(m.kw_args['globals']['x'])"),
        "pipeline": (made("sklearn.pipeline", "Pipeline", steps=steps, memory=None, verbose=False), f"m.steps[-1][1].transform({COMMAND!r})"),
        "feature-union": (made("sklearn.pipeline", "FeatureUnion", transformer_list=[("run", transformer(SYSTEM))], n_jobs=None, transformer_weights=None, verbose=False), f"m.transformer_list[0][1].transform({COMMAND!r})"),
        "column-transformer": (made("sklearn.compose._column_transformer", "ColumnTransformer", transformers=[("run", transformer(SYSTEM), SYSTEM)], remainder="drop"), f"m.transformers[0][2]({COMMAND!r})"),
        "scorer": (made("sklearn.metrics._scorer", "_Scorer", _score_func=EVAL, _sign=1, _kwargs={}, _response_method="predict"), f"m._score_func({PYTHON!r})"),
        "make-scorer": (Call(Global("sklearn.metrics", "make_scorer"), EVAL), f"m._score_func({PYTHON!r})"),
        "grid-search": (made("sklearn.model_selection._search", "GridSearchCV", estimator=transformer(None), param_grid={}, scoring=EVAL, refit=True), f"m.scoring({PYTHON!r})"),
        "count-vectorizer-tokenizer": (vectorizer("CountVectorizer", tokenizer=SYSTEM), f"m.tokenizer({COMMAND!r})"),
        "count-vectorizer-analyzer": (vectorizer("CountVectorizer", analyzer=SYSTEM, input="content"), f"m.analyzer({COMMAND!r})"),
        "tfidf-preprocessor": (vectorizer("TfidfVectorizer", preprocessor=EVAL), f"m.preprocessor({PYTHON!r})"),
        "hashing-vectorizer": (vectorizer("HashingVectorizer", tokenizer=EXEC), f"m.tokenizer({PYTHON!r})"),
        "knn-metric": (made("sklearn.neighbors._classification", "KNeighborsClassifier", metric=EVAL, n_neighbors=5), f"m.metric({PYTHON!r})"),
        "svc-kernel": (made("sklearn.svm._classes", "SVC", kernel=SYSTEM, C=1.0), f"m.kernel({COMMAND!r})"),
        "kernel-pca": (made("sklearn.decomposition._kernel_pca", "KernelPCA", kernel=SYSTEM), f"m.kernel({COMMAND!r})"),
        "dbscan-metric": (made("sklearn.cluster._dbscan", "DBSCAN", metric=SYSTEM, eps=0.5), f"m.metric({COMMAND!r})"),
        "select-k-best": (made("sklearn.feature_selection._univariate_selection", "SelectKBest", score_func=EVAL, k=1), f"m.score_func({PYTHON!r})"),
        "select-from-model": (made("sklearn.feature_selection._from_model", "SelectFromModel", importance_getter=SYSTEM, estimator=None), f"m.importance_getter({COMMAND!r})"),
        "transformed-target": (made("sklearn.compose._target", "TransformedTargetRegressor", func=None, inverse_func=SYSTEM), f"m.inverse_func({COMMAND!r})"),
        "gaussian-process": (made("sklearn.gaussian_process._gpr", "GaussianProcessRegressor", optimizer=EVAL), f"m.optimizer({PYTHON!r})"),
        "feature-agglomeration": (made("sklearn.cluster._agglomerative", "FeatureAgglomeration", pooling_func=EVAL), f"m.pooling_func({PYTHON!r})"),
        "ridge-method": (made("sklearn.linear_model._ridge", "Ridge", alpha=1.0, predict=SYSTEM), f"m.predict({COMMAND!r})"),
        "numpy-vectorize": (Build(New(Global("numpy", "vectorize")), {"pyfunc": SYSTEM, "cache": False, "signature": None, "otypes": None, "excluded": set(), "_ufunc": {}, "__doc__": "", "_in_and_out_core_dims": None}), f"m.pyfunc({COMMAND!r})"),
        "numpy-vectorize-call": (Call(Global("numpy", "vectorize"), EVAL), f"m({PYTHON!r})"),
        "partial": (Call(Global("functools", "partial"), SYSTEM, COMMAND), "m()"),
        "default-dict": (Call(Global("collections", "defaultdict"), Call(Global("functools", "partial"), SYSTEM, COMMAND)), "m['weights']"),
        "only-named": (SYSTEM, f"m({COMMAND!r})"),
        "named-in-state": ({"predict": POPEN, "weights": [1.0]}, f"m['predict']({COMMAND!r}, shell=True)"),
        "attrgetter": (Call(Global("operator", "attrgetter"), "_estimator.__class__.__init__.__globals__"), None),
        "methodcaller": (Call(Global("operator", "methodcaller"), "system", COMMAND), "m(__import__('os'))"),
        "torch-forward-hook": (torch_module(_forward_hooks=Call(Global("functools", "partial"), EVAL, PYTHON)), "next(iter(m._forward_hooks.values()))()"),
        "torch-pre-hook": (torch_module(_forward_pre_hooks=SYSTEM), "next(iter(m._forward_pre_hooks.values()))(" + repr(COMMAND) + ")"),
        "torch-forward": (Build(torch_module(), {"forward": SYSTEM}), f"m.forward({COMMAND!r})"),
        "torch-lambda-lr": (Build(New(Global("torch.optim.lr_scheduler", "LambdaLR")), {"lr_lambdas": [EVAL], "last_epoch": 1}), f"m.lr_lambdas[0]({PYTHON!r})"),
        "linear-operator": (Build(New(Global("scipy.sparse.linalg._interface", "_CustomLinearOperator")), {"_CustomLinearOperator__matvec_impl": SYSTEM, "shape": (1, 1)}), f"m._CustomLinearOperator__matvec_impl({COMMAND!r})"),
        "pandas-attrs": (Build(New(Global("pandas", "Flags")), {"_obj": SYSTEM, "_allows_duplicate_labels": True}), f"m._obj({COMMAND!r})"),
        "bunch": (Build(New(Global("sklearn.utils._bunch", "Bunch")), {"data": SYSTEM}), f"m.__dict__.get('data', __import__('os').system)({COMMAND!r})"),
        "lightgbm-callback": (Build(New(Global("lightgbm.sklearn", "LGBMClassifier")), {"objective": EVAL, "_Booster": None}), None),
        "xgboost-objective": (Build(New(Global("xgboost.sklearn", "XGBClassifier")), {"objective": EVAL, "callbacks": [SYSTEM]}), None),
    }
    return [Case(f"{name}.{('pkl', 'joblib')[number % 2]}", dumps(node, (4, 2, 3, 5)[number % 4]), f"latent {name}",
                 "pickle" if use else None, use) for number, (name, (node, use)) in enumerate(table.items())]
