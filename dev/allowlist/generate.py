#!/usr/bin/env python3
"""Writes the generated allow-lists of crates/scan-model/data from real packages.

    dev/allowlist/generate.py PYTHON...      one interpreter a set of package versions

Each interpreter needs numpy, scipy, scikit-learn, pandas and joblib; its lists are merged with those of the others, so
that models of old and new versions pass. A line is `module qualname shape`; crates/scan-model/src/allow/shape.rs says
what each shape allows.

Never listed: anything that interprets its state as code or as names. Known and left out on purpose:
  scipy.stats distributions   `__setstate__` executes a template that is part of the state
  scipy.spatial cKDTree       takes the bytes of its state for nodes with links, and follows them unchecked
  joblib NDArrayWrapper       opens a file whose name is in the state
  *._ufunc_reconstruct        imports the module it is given
"""

import importlib
import json
import pkgutil
import subprocess
import sys
import warnings
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "crates" / "scan-model" / "data"
LISTS = ("numpy", "scipy", "scikit-learn", "pandas", "joblib")

SKIPPED = ("tests", "test", "externals", "conftest", "datasets", "setup", "_build_utils", "__check_build", "experimental",
           "_testing", "testing", "mocking", "estimator_checks", "estimator_checks_", "_mocking", "_array_api", "fixes",
           "benchmark", "_plot", "_arpack", "_test_common", "_pairwise_distances_reduction", "_hdbscan", "_hierarchical",
           "_hierarchical_fast", "histogram", "splitting")

# Extension classes that call a Python function they are given, or are working storage of no model.
NOT_LISTED = ("PyFuncDistance", "PyFuncDistance32", "PyFuncDistance64", "NeighborsHeap", "NeighborsHeap32", "NeighborsHeap64")

# Helper classes that are no estimators, by the module's last part.
SKLEARN_HELPERS = {
    "Bunch": "mapping", "TreePredictor": "instance", "_BinMapper": "instance",
    "_CalibratedClassifier": "instance", "_SigmoidCalibration": "instance", "_ConstantPredictor": "instance",
    "_Scorer": "instance", "_PredictScorer": "instance", "_ProbaScorer": "instance", "_ThresholdScorer": "instance",
    "_BaseScorer": "instance", "_PassthroughScorer": "instance", "_MultimetricScorer": "instance",
    "_CFNode": "instance", "_CFSubcluster": "instance", "_BaseKFold": "instance",
    "Interval": "values", "Tags": "instance", "AdamOptimizer": "instance",
    "SGDOptimizer": "instance", "DeprecationDict": "mapping", "MetadataRequest": "instance", "MethodMetadataRequest": "instance",
}
SKLEARN_HELPER_MODULES = ("_loss.loss", "_loss.link", "ensemble._gb_losses", "ensemble.gradient_boosting",
                          "ensemble._hist_gradient_boosting.loss", "gaussian_process.kernels",
                          "gaussian_process.correlation_models", "model_selection._split",
                          "linear_model._glm.link", "_loss.glm_distribution")
FACTORIES = ("newObj",)
FUNCTION_PACKAGES = ("sklearn.metrics", "sklearn.feature_selection")


def resolve(module, qualname):
    try:
        found = importlib.import_module(module)
        for part in qualname.split("."):
            found = getattr(found, part)
        return found
    except Exception:
        return None


def numpy_entries():
    import numpy

    wanted = [("numpy", "ndarray", "reference"), ("numpy", "dtype", "numpy-dtype"),
              ("numpy", "bool", "reference"), ("numpy", "longlong", "reference"),
              # The usual functions that pool features or scores.
              ("numpy", "max", "reference"), ("numpy", "mean", "reference"), ("numpy", "median", "reference"),
              ("numpy", "min", "reference"), ("numpy", "sum", "reference"),
              ("numpy.ma.core", "_mareconstruct", "numpy-masked"), ("numpy.ma.core", "MaskedArray", "reference"), ("numpy.ma", "MaskedArray", "reference"),
              ("numpy.random", "__RandomState_ctor", "none"),
              ("numpy.random._pickle", "__randomstate_ctor", "numpy-random"),
              ("numpy.random._pickle", "__generator_ctor", "numpy-random"),
              ("numpy.random._pickle", "__bit_generator_ctor", "numpy-random"),
              ("numpy.random.bit_generator", "SeedSequence", "instance"),
              ("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence", "pyx-unpickle")]
    for core in ("numpy.core", "numpy._core"):
        wanted += [(core + ".multiarray", "_reconstruct", "numpy-reconstruct"),
                   (core + ".multiarray", "scalar", "numpy-scalar"),
                   (core + ".numeric", "_frombuffer", "numpy-frombuffer")]
    for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"):
        wanted.append(("numpy.random._" + name.lower().replace("dxsm", ""), name, "instance"))
    for name, value in vars(numpy).items():
        if isinstance(value, type) and issubclass(value, numpy.generic):
            wanted.append(("numpy", name, "reference"))
        elif isinstance(value, numpy.ufunc):
            for module in ("numpy", "numpy.core._multiarray_umath", "numpy._core._multiarray_umath"):
                wanted.append((module, name, "reference"))
    return [entry for entry in wanted if resolve(entry[0], entry[1]) is not None]


def scipy_entries():
    import scipy.sparse

    entries = set()
    for kind in ("csr", "csc", "coo", "bsr", "dia", "dok", "lil"):
        for suffix in ("_matrix", "_array"):
            for module in ("scipy.sparse." + kind, "scipy.sparse._" + kind):
                if resolve(module, kind + suffix) is not None:
                    entries.add((module, kind + suffix, "mapping" if kind == "dok" else "instance"))
    for module, name, shape in [
        ("scipy.interpolate._bsplines", "BSpline", "instance"),
        ("scipy.interpolate._interpolate", "PPoly", "instance"),
        ("scipy.special._ufuncs", "expit", "reference"), ("scipy.special._ufuncs", "logit", "reference"),
    ]:
        if resolve(module, name) is not None:
            entries.add((module, name, shape))
    return entries


def sklearn_modules():
    import sklearn

    yield "sklearn"
    for info in pkgutil.walk_packages(sklearn.__path__, "sklearn.", onerror=lambda name: None):
        if not set(info.name.split(".")) & set(SKIPPED):
            yield info.name


def sklearn_entries():
    from sklearn.base import BaseEstimator

    entries = set()
    for name in sklearn_modules():
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        short = name[len("sklearn."):]
        for attribute, value in vars(module).items():
            if attribute.startswith("__pyx_unpickle_") and not attribute.endswith("__set_state"):
                entries.add((name, attribute, "pyx-unpickle"))
            elif attribute in FACTORIES and callable(value):
                entries.add((name, attribute, "factory"))
            elif isinstance(value, type) and value.__module__ == name and value.__qualname__ == attribute:
                is_extension = not value.__flags__ & (1 << 9)  # Py_TPFLAGS_HEAPTYPE: made by a class statement
                if issubclass(value, BaseEstimator):
                    entries.add((name, attribute, "instance"))
                elif attribute in SKLEARN_HELPERS:
                    entries.add((name, attribute, SKLEARN_HELPERS[attribute]))
                elif short in SKLEARN_HELPER_MODULES:
                    entries.add((name, attribute, "instance"))
                elif is_extension and attribute not in NOT_LISTED:
                    entries.add((name, attribute, "values"))
    for package in FUNCTION_PACKAGES:
        for attribute in importlib.import_module(package).__all__:
            value = getattr(importlib.import_module(package), attribute)
            if not isinstance(value, type) and callable(value):
                entries.add((value.__module__, value.__name__, "reference"))
    for module in ("sklearn.metrics._scorer", "sklearn.metrics.scorer"):
        if resolve(module, "_passthrough_scorer") is not None:
            entries.add((module, "_passthrough_scorer", "reference"))
    return entries


def pandas_entries():
    wanted = [("pandas", "DataFrame", "instance"), ("pandas", "Series", "instance"), ("pandas", "Index", "instance")]
    wanted += [("pandas", name, "instance") for name in ("RangeIndex", "MultiIndex", "CategoricalIndex", "DatetimeIndex",
                                                         "TimedeltaIndex", "IntervalIndex", "CategoricalDtype", "Categorical")]
    wanted += [("pandas", "StringDtype", "scalars"), ("pandas", "Timestamp", "reference"), ("pandas", "NA", "reference")]
    wanted += [("pandas.core.frame", "DataFrame", "instance"), ("pandas.core.series", "Series", "instance"),
               ("pandas.core.internals.managers", "BlockManager", "values"),
               ("pandas.core.internals.managers", "SingleBlockManager", "values"),
               ("pandas._libs.internals", "_unpickle_block", "values"),
               ("pandas.core.indexes.base", "_new_Index", "pandas-index"),
               ("pandas._libs.arrays", "__pyx_unpickle_NDArrayBacked", "pyx-unpickle")]
    for module, name in [("base", "Index"), ("range", "RangeIndex"), ("multi", "MultiIndex"),
                         ("category", "CategoricalIndex"), ("datetimes", "DatetimeIndex"), ("numeric", "Int64Index"),
                         ("numeric", "Float64Index"), ("numeric", "UInt64Index"), ("timedeltas", "TimedeltaIndex")]:
        wanted.append(("pandas.core.indexes." + module, name, "instance"))
    for name in ("Categorical", "IntegerArray", "FloatingArray", "BooleanArray", "StringArray", "DatetimeArray",
                 "TimedeltaArray", "PandasArray", "NumpyExtensionArray"):
        value = resolve("pandas.arrays", name) or resolve("pandas", name)
        if value is not None:
            wanted.append((value.__module__, name, "instance"))
    wanted += [("pandas.core.dtypes.dtypes", "CategoricalDtype", "instance"),
               ("pandas.core.dtypes.dtypes", "DatetimeTZDtype", "instance"),
               ("pandas.core.arrays.boolean", "BooleanDtype", "instance"),
               ("pandas.core.arrays.integer", "Int64Dtype", "instance"),
               ("pandas.core.arrays.floating", "Float64Dtype", "instance"),
               ("pandas.core.arrays.string_", "StringDtype", "scalars"),
               ("pandas.core.arrays.string_", "StringArray", "instance"),
               ("pandas.core.arrays.categorical", "Categorical", "instance"),
               ("pandas._libs.tslibs.timestamps", "_unpickle_timestamp", "scalars"),
               ("pandas._libs.missing", "NA", "reference")]
    return {entry for entry in wanted if resolve(entry[0], entry[1]) is not None}


def joblib_entries():
    entries = set()
    for module in ("joblib.numpy_pickle", "sklearn.externals.joblib.numpy_pickle"):
        if resolve(module, "NumpyArrayWrapper") is not None:
            entries.add((module, "NumpyArrayWrapper", "instance"))
    return entries


def collect():
    warnings.simplefilter("ignore")
    import joblib, numpy, pandas, scipy, sklearn

    found = {"numpy": numpy_entries(), "scipy": scipy_entries(), "scikit-learn": sklearn_entries(),
             "pandas": pandas_entries(), "joblib": joblib_entries()}
    versions = {"numpy": numpy.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__,
                "pandas": pandas.__version__, "joblib": joblib.__version__}
    json.dump({"versions": versions, "entries": {name: sorted(set(found[name])) for name in LISTS}}, sys.stdout)


def main():
    if sys.argv[1:] == ["--collect"]:
        return collect()
    if not sys.argv[1:]:
        sys.exit(__doc__)
    results = [json.loads(subprocess.run([python, __file__, "--collect"], check=True, stdout=subprocess.PIPE).stdout)
               for python in sys.argv[1:]]
    for name in LISTS:
        versions = sorted({result["versions"][name] for result in results})
        shapes = {}
        for result in results:
            for module, qualname, shape in result["entries"][name]:
                if shapes.setdefault((module, qualname), shape) != shape:
                    # Two versions disagree: the name is only listed for what both have in common.
                    shapes[module, qualname] = "values" if {shape, shapes[module, qualname]} == {"values", "instance"} else "reference"
        lines = ["# Generated by dev/allowlist/generate.py; do not edit.", "# origin: " + name + " " + ", ".join(versions)]
        lines += [" ".join((*key, shape)) for key, shape in sorted(shapes.items())]
        (DATA / (name + ".txt")).write_text("\n".join(lines) + "\n")
        print(name, len(shapes), file=sys.stderr)


main()
