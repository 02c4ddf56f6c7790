#!/usr/bin/env python3
"""Saves models and values of many libraries: corpus/benign/<library>-<version>/ and corpus/benign/values-<python>-<numpy>/.

    dev/corpus/benign_libraries.py PYTHON...      one interpreter a set of package versions

Whatever of LightGBM, XGBoost, CatBoost, PyTorch, scipy, pandas and scikit-learn an interpreter has is used; what a version can't
do is left out. Each object is saved in one way, and the ways take turns: every protocol of pickle, joblib with each compression.
All files must be safe for the scanner.
"""

import subprocess
import sys
import warnings
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "benign"
COMPRESSIONS = [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3), ("zlib", 1)]


class Folder:
    def __init__(self, name):
        self.path = CORPUS / name
        self.path.mkdir(parents=True, exist_ok=True)
        self.count = 0

    def save(self, **makers):
        """Calls each maker, so that one that a version lacks costs no other."""
        import pickle

        import joblib

        for name, make in makers.items():
            place = self.count
            self.count += 1
            name = name.replace("_", "-")
            try:
                value = make()
                if place % 3 == 2:
                    joblib.dump(value, str(self.path / (name + ".joblib")), compress=COMPRESSIONS[place // 3 % len(COMPRESSIONS)])
                else:
                    (self.path / (name + ".pkl")).write_bytes(pickle.dumps(value, place % (pickle.HIGHEST_PROTOCOL + 1)))
            except Exception as error:  # noqa: BLE001
                print("left out", self.path.name, name, repr(error)[:100], file=sys.stderr)


def data():
    import numpy

    x = numpy.random.RandomState(0).rand(40, 4)
    y = x @ [1.0, 2.0, 3.0, 4.0]
    return x, y, (y > numpy.median(y)).astype(int)


def lightgbm_models():
    import lightgbm
    from sklearn import model_selection, pipeline, preprocessing

    x, y, label = data()
    few = {"n_estimators": 2, "min_child_samples": 3}
    Folder("lightgbm-" + lightgbm.__version__).save(
        classifier=lambda: lightgbm.LGBMClassifier(**few).fit(x, label),
        regressor=lambda: lightgbm.LGBMRegressor(**few).fit(x, y),
        ranker=lambda: lightgbm.LGBMRanker(**few).fit(x, label, group=[20, 20]),
        booster=lambda: lightgbm.train({"objective": "regression", "verbose": -1}, lightgbm.Dataset(x, y), 2),
        unfitted=lambda: lightgbm.LGBMClassifier(),
        pipeline=lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), lightgbm.LGBMRegressor(**few)).fit(x, y),
        grid=lambda: model_selection.GridSearchCV(lightgbm.LGBMRegressor(**few), {"max_depth": [2, 3]}, cv=2).fit(x, y),
        evaluated=lambda: lightgbm.LGBMClassifier(**few).fit(x, label, eval_set=[(x, label)]),
    )


def xgboost_models():
    import xgboost
    from sklearn import model_selection, pipeline, preprocessing

    x, y, label = data()
    Folder("xgboost-" + xgboost.__version__).save(
        classifier=lambda: xgboost.XGBClassifier(n_estimators=2).fit(x, label),
        regressor=lambda: xgboost.XGBRegressor(n_estimators=2).fit(x, y),
        ranker=lambda: xgboost.XGBRanker(n_estimators=2).fit(x, label, group=[20, 20]),
        booster=lambda: xgboost.train({"objective": "reg:squarederror"}, xgboost.DMatrix(x, y), 2),
        forest=lambda: xgboost.XGBRFClassifier(n_estimators=2).fit(x, label),
        linear=lambda: xgboost.XGBRegressor(booster="gblinear", n_estimators=2).fit(x, y),
        pipeline=lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), xgboost.XGBRegressor(n_estimators=2)).fit(x, y),
        grid=lambda: model_selection.GridSearchCV(xgboost.XGBRegressor(n_estimators=2), {"max_depth": [2, 3]}, cv=2).fit(x, y),
        early=lambda: xgboost.XGBClassifier(n_estimators=2, early_stopping_rounds=2).fit(x, label, eval_set=[(x, label)], verbose=False),
    )


def catboost_models():
    import catboost
    from sklearn import pipeline, preprocessing

    x, y, label = data()
    few = {"iterations": 2, "depth": 2, "verbose": 0, "allow_writing_files": False}
    Folder("catboost-" + catboost.__version__).save(
        classifier=lambda: catboost.CatBoostClassifier(**few).fit(x, label),
        regressor=lambda: catboost.CatBoostRegressor(**few).fit(x, y),
        plain=lambda: catboost.CatBoost(few).fit(x, y),
        unfitted=lambda: catboost.CatBoostClassifier(),
        pipeline=lambda: pipeline.make_pipeline(preprocessing.StandardScaler(), catboost.CatBoostRegressor(**few)).fit(x, y),
        evaluated=lambda: catboost.CatBoostClassifier(**few).fit(x, label, eval_set=(x, label)),
    )


def torch_models():
    import collections

    import torch
    from torch import nn

    folder = Folder("torch-" + torch.__version__)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3), nn.Linear(3, 1))
    adam = torch.optim.Adam(net.parameters())
    net(torch.rand(4, 2)).sum().backward()
    adam.step()
    extra = torch.rand(2)
    extra.note = "attributes of a tensor"
    values = {
        "module": net, "state-dict": net.state_dict(), "optimizer": adam,
        "checkpoint": {"epoch": 1, "model": net.state_dict(), "optimizer": adam.state_dict()},
        "layers": nn.ModuleList([nn.Conv2d(1, 2, 3), nn.LSTM(2, 2), nn.Embedding(3, 2), nn.LayerNorm(2), nn.GELU(),
                                 nn.MultiheadAttention(4, 2), nn.TransformerEncoderLayer(4, 2, 4), nn.CrossEntropyLoss()]),
        "tensors": collections.OrderedDict(half=torch.rand(2).half(), bfloat16=torch.rand(2).bfloat16(), long=torch.arange(2),
                                           boolean=torch.tensor([True]), complex=torch.rand(1, dtype=torch.complex64)),
        "sparse": [torch.eye(2).to_sparse(), torch.eye(2).to_sparse_csr()],
        "quantized": [torch.quantize_per_tensor(torch.rand(2), 0.1, 0, torch.quint8),
                      torch.quantize_per_channel(torch.rand(2, 2), torch.tensor([0.1, 0.2]), torch.tensor([0, 0]), 0, torch.qint8)],
        "parameter": nn.Parameter(torch.rand(2)), "attributes": extra, "parallel": nn.DataParallel(nn.Linear(2, 1)),
        "kinds": [torch.device("cpu"), torch.float32, torch.Size([1, 2])],
        "weight-norm": nn.utils.weight_norm(nn.Linear(2, 1)), "data": torch.utils.data.TensorDataset(torch.rand(2, 1)),
    }
    for name, value in values.items():
        torch.save(value, str(folder.path / (name + ".pt")))
    # Of whole modules these files hold the path of their source.
    for name in ("state-dict", "checkpoint", "tensors"):
        torch.save(values[name], str(folder.path / (name + "-legacy.pt")), _use_new_zipfile_serialization=False)
    folder.save(**{name.replace("-", "_"): lambda value=value: value for name, value in values.items()})


def plain_values():
    import collections
    import datetime
    import decimal
    import fractions
    import functools
    import ipaddress
    import logging
    import operator
    import pathlib
    import random
    import re
    import types
    import uuid

    import numpy
    import pandas
    import scipy.stats
    import scipy.interpolate
    from scipy.spatial.transform import Rotation
    from sklearn import compose, ensemble, feature_extraction, impute, linear_model, model_selection, preprocessing

    x, y, label = data()
    table = pandas.DataFrame({"number": x[:, 0], "text": ["a", "b"] * 20, "kind": pandas.Categorical(["u", "v"] * 20),
                              "day": pandas.date_range("2020", periods=40)})
    folder = Folder("values-python%d.%d-numpy-%s" % (*sys.version_info[:2], numpy.__version__))
    search = {"max_depth": scipy.stats.randint(2, 5), "min_samples_split": scipy.stats.uniform(0.01, 0.2)}
    forest = ensemble.RandomForestRegressor(n_estimators=2)
    folder.save(
        standard=lambda: [datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc), decimal.Decimal("1.5"), fractions.Fraction(1, 3),
                          uuid.UUID(int=1), pathlib.Path("a/b"), pathlib.PureWindowsPath("c:/a"), re.compile("a.*b", re.I),
                          logging.getLogger("a.b"), ipaddress.ip_address("127.0.0.1"), types.SimpleNamespace(a=1), ValueError("x")],
        containers=lambda: [collections.Counter("abc"), collections.defaultdict(list, a=[1]), collections.deque([1], 3),
                            collections.OrderedDict(a=1), collections.ChainMap({"a": 1}), collections.UserDict(a=1)],
        callables=lambda: [functools.partial(numpy.add, 1), functools.partial(int, base=2), operator.itemgetter("a"), str.lower, len],
        random=lambda: [random.Random(1), numpy.random.RandomState(0), numpy.random.default_rng(0), numpy.random.Philox(1)],
        zone=lambda: __import__("zoneinfo").ZoneInfo("Europe/Berlin"),
        arrays=lambda: [numpy.matrix([[1, 2]]), numpy.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), numpy.ma.masked,
                        numpy.ma.masked_array([1.0, 2.0], [0, 1]), numpy.char.array(["a"]), numpy.float16(1.5), numpy.longdouble(1)],
        record=lambda: numpy.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])[0],
        polynomials=lambda: [numpy.poly1d([1, 2]), numpy.polynomial.Polynomial([1, 2]), numpy.polynomial.Chebyshev([1, 2])],
        distributions=lambda: [scipy.stats.norm(0, 1), scipy.stats.beta(1, 2), scipy.stats.poisson(3), scipy.stats.expon(scale=2),
                               scipy.stats.rv_histogram(numpy.histogram(x[:, 0])), scipy.stats.gaussian_kde(x[:, 0])],
        splines=lambda: [scipy.interpolate.make_interp_spline(numpy.arange(4.0), numpy.arange(4.0)),
                         scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4])],
        rotation=lambda: Rotation.from_quat([0, 0, 0, 1]),
        randomized=lambda: model_selection.RandomizedSearchCV(forest, search, n_iter=2, cv=2).fit(x, y),
        imputer=lambda: impute.IterativeImputer(max_iter=1).fit(x),
        spline_features=lambda: preprocessing.SplineTransformer(n_knots=3).fit(x),
        selector=lambda: compose.ColumnTransformer([("n", preprocessing.StandardScaler(), compose.make_column_selector(dtype_include=float))]).fit(table),
        function=lambda: preprocessing.FunctionTransformer(numpy.log1p, numpy.expm1).fit(x),
        tokenizer=lambda: feature_extraction.text.CountVectorizer(tokenizer=str.split).fit(["one two"]),
        histogram=lambda: ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=2).fit(x, y),
        gamma=lambda: linear_model.GammaRegressor().fit(x, y + 1),
        frame=lambda: table,
        periods=lambda: [pandas.Period("2020-01", "M"), pandas.Series(pandas.period_range("2020", periods=2, freq="M"))],
        intervals=lambda: [pandas.Interval(0, 1), pandas.cut(pandas.Series(x[:, 0]), 3), pandas.interval_range(0, 3)],
        times=lambda: [pandas.Timestamp("2020", tz="UTC"), pandas.Timedelta("1D"), pandas.NaT, pandas.date_range("2020", periods=2, tz="Europe/Berlin"),
                       pandas.offsets.MonthEnd(2), pandas.DateOffset(months=2), pandas.date_range("2020", periods=3, freq="B")],
        extension=lambda: [pandas.array([1, None], dtype="Int64"), pandas.Series(["a", None], dtype="string"),
                           pandas.Series([True, None], dtype="boolean"), pandas.Series(pandas.arrays.SparseArray([0, 1]))],
    )


def save():
    warnings.simplefilter("ignore")
    try:
        from sklearn.experimental import enable_hist_gradient_boosting, enable_iterative_imputer  # noqa: F401
    except ImportError:
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    for make in (plain_values, lightgbm_models, xgboost_models, catboost_models, torch_models):
        try:
            make()
        except ImportError as error:
            print("left out:", error, file=sys.stderr)


def main():
    if sys.argv[1:] == ["--save"]:
        return save()
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for python in sys.argv[1:]:
        subprocess.run([python, __file__, "--save"], check=True)


main()
