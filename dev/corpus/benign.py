#!/usr/bin/env python3
"""Saves models with real libraries: corpus/benign/<set>/.

    dev/corpus/benign.py PYTHON...      one interpreter a set of package versions

Each needs scikit-learn, numpy, scipy, pandas and joblib; skops files are made where skops is installed. All files must
be safe for the scanner.
"""

import subprocess
import sys
import warnings
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "benign"


def save(directory):
    warnings.simplefilter("ignore")
    import pickle

    import joblib
    import numpy
    import pandas
    import scipy.sparse
    import sklearn
    from sklearn import (cluster, datasets, decomposition, ensemble, feature_extraction, feature_selection, gaussian_process,
                         isotonic, linear_model, mixture, model_selection, naive_bayes, neighbors, neural_network, pipeline,
                         preprocessing, svm, tree, calibration, compose, discriminant_analysis, impute, kernel_ridge,
                         cross_decomposition, manifold, multiclass)

    x, y = datasets.load_diabetes(return_X_y=True)
    x, y = x[:60], y[:60]
    label = (y > 140).astype(int)
    words = ["one two", "two three", "three four five", "five six"] * 15
    table = pandas.DataFrame({"a": numpy.arange(60.0), "b": ["x", "y", "z"] * 20})
    models = {
        "ridge": linear_model.Ridge(alpha=0.03, random_state=0).fit(x, y),
        "linear": linear_model.LinearRegression().fit(x, y),
        "lasso-cv": linear_model.LassoCV(cv=3, alphas=[0.1, 1.0]).fit(x, y),
        "logistic": linear_model.LogisticRegression().fit(x, label),
        "sgd": linear_model.SGDClassifier(random_state=0).fit(x, label),
        "sgd-log": linear_model.SGDRegressor(random_state=0, loss="huber").fit(x, y),
        "bayesian": linear_model.BayesianRidge().fit(x, y),
        "tree": tree.DecisionTreeClassifier(max_depth=3).fit(x, label),
        "forest": ensemble.RandomForestRegressor(n_estimators=3, max_depth=2, random_state=0).fit(x, y),
        "isolation": ensemble.IsolationForest(n_estimators=2, max_samples=8, random_state=0).fit(x),
        "boosting": ensemble.GradientBoostingClassifier(n_estimators=2, max_depth=2).fit(x, label),
        "ada": ensemble.AdaBoostClassifier(n_estimators=2).fit(x, label),
        "bagging": ensemble.BaggingClassifier(n_estimators=2).fit(x, label),
        "svc": svm.SVC().fit(x, label),
        "knn": neighbors.KNeighborsClassifier(algorithm="kd_tree").fit(x[:, :3], label),
        "ball": neighbors.KNeighborsRegressor(algorithm="ball_tree", metric="manhattan").fit(x[:, :3], y),
        "kde": neighbors.KernelDensity().fit(x[:, :2]),
        "mlp": neural_network.MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, random_state=0).fit(x, y),
        "gaussian-process": gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.RBF() + 1.0).fit(x[:9, :2], y[:9]),
        "bayes": naive_bayes.GaussianNB().fit(x, label),
        "mixture": mixture.GaussianMixture(2).fit(x[:, :3]),
        "kmeans": cluster.KMeans(2, n_init=1).fit(x[:, :3]),
        "birch": cluster.Birch(n_clusters=2).fit(x[:, :3]),
        "pca": decomposition.PCA(2).fit(x),
        "nmf": decomposition.NMF(2).fit(abs(x)),
        "isotonic": isotonic.IsotonicRegression(out_of_bounds="clip").fit(x[:, 2], y),
        "calibrated": calibration.CalibratedClassifierCV(svm.LinearSVC(), cv=3).fit(x, label),
        "one-vs-rest": multiclass.OneVsRestClassifier(linear_model.LogisticRegression()).fit(x, label),
        "lda": discriminant_analysis.LinearDiscriminantAnalysis().fit(x, label),
        "pls": cross_decomposition.PLSRegression(2).fit(x, y),
        "isomap": manifold.Isomap(n_neighbors=20).fit(x[:, :3]),
        "kernel-ridge": kernel_ridge.KernelRidge().fit(x[:9], y[:9]),
        "select": feature_selection.SelectKBest(feature_selection.f_regression, k=3).fit(x, y),
        "tfidf": feature_extraction.text.TfidfVectorizer().fit(words),
        "count": feature_extraction.text.CountVectorizer().fit(words),
        "dict": feature_extraction.DictVectorizer().fit([{"a": 1.0, "b": 2.0}]),
        "one-hot": preprocessing.OneHotEncoder().fit(table[["b"]]),
        "label": preprocessing.LabelEncoder().fit(["a", "b"]),
        "quantile": preprocessing.QuantileTransformer(n_quantiles=10).fit(x[:, :2]),
        "imputer": impute.SimpleImputer().fit(x),
        "columns": compose.ColumnTransformer([("n", preprocessing.StandardScaler(), ["a"]),
                                              ("c", preprocessing.OneHotEncoder(), ["b"])]).fit(table),
        "pipeline": pipeline.make_pipeline(preprocessing.StandardScaler(), preprocessing.PolynomialFeatures(2),
                                           linear_model.Ridge()).fit(x[:, :3], y),
        "union": pipeline.make_union(preprocessing.StandardScaler(), decomposition.PCA(2)).fit(x),
        "grid": model_selection.GridSearchCV(linear_model.Ridge(), {"alpha": [0.1, 1.0]}, cv=3, scoring="r2").fit(x, y),
        # Object arrays, at which `pickle.load` and `joblib.load` part.
        "multi-label": {"labels": preprocessing.MultiLabelBinarizer().fit([["a", "b"], ["c"]]), "n": [1, 2], "o": numpy.arange(3)},
        "ordinal": preprocessing.OrdinalEncoder().fit(numpy.array([["a", 1], ["b", 2]], dtype=object)),
        "random-state": linear_model.SGDClassifier(random_state=numpy.random.RandomState(1)).fit(x, label),
    }
    try:
        from sklearn.experimental import enable_hist_gradient_boosting  # noqa: F401
    except ImportError:
        pass
    if hasattr(ensemble, "HistGradientBoostingRegressor"):
        models["hist"] = ensemble.HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=3).fit(x, y)
    values = {
        "arrays": [numpy.arange(5.0), numpy.array(["a", "b"], dtype=object), numpy.float64(1.5), numpy.zeros((2, 3), order="F"),
                   numpy.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]), numpy.ma.masked_array([1.0, 2.0], [0, 1])],
        "sparse": [scipy.sparse.csr_matrix(numpy.eye(3)), scipy.sparse.coo_matrix(numpy.eye(2))],
        "table": table,
        "series": table["a"],
        "objects": {"a": numpy.array([numpy.float64(1.5), numpy.int64(4)], dtype=object), "b": numpy.float64(2)},
        "random": numpy.random.RandomState(0),
    }
    if hasattr(numpy.random, "default_rng"):
        values["generator"] = numpy.random.default_rng(0)
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    highest = pickle.HIGHEST_PROTOCOL
    for place, (name, value) in enumerate({**models, **values}.items()):
        (directory / (name + ".pkl")).write_bytes(pickle.dumps(value, place % (highest + 1)))
        if place % 3 == 0 or name in ("ridge", "one-hot", "columns", "multi-label", "ordinal", "objects"):
            joblib.dump(value, str(directory / (name + ".joblib")))
    ridge = models["ridge"]
    for protocol in range(highest + 1):
        (directory / ("ridge-%d.pkl" % protocol)).write_bytes(pickle.dumps(ridge, protocol))
    for compression in ("zlib", "gzip", "bz2", "xz", "lzma"):
        joblib.dump(ridge, str(directory / ("ridge-%s.joblib" % compression)), compress=(compression, 3))
    joblib.dump(models["forest"], str(directory / "forest-3.joblib"), compress=3)
    numpy.save(str(directory / "array.npy"), numpy.arange(4.0))
    numpy.savez_compressed(str(directory / "arrays.npz"), a=numpy.arange(4.0), b=numpy.eye(2))
    try:
        import cloudpickle
        (directory / "ridge-cloudpickle.pkl").write_bytes(cloudpickle.dumps(ridge))
    except ImportError:
        pass
    try:
        import skops.io
    except ImportError:
        return
    for name in ("ridge", "linear", "logistic", "forest", "pipeline", "columns", "tfidf", "sgd", "grid", "random-state", "mlp"):
        skops.io.dump(models[name], str(directory / (name + ".skops")))


def main():
    if sys.argv[1:2] == ["--save"]:
        return save(sys.argv[2])
    if not sys.argv[1:]:
        sys.exit(__doc__)
    for python in sys.argv[1:]:
        version = subprocess.run([python, "-W", "ignore", "-c", "import sklearn; print(sklearn.__version__)"], check=True,
                                 stdout=subprocess.PIPE).stdout.decode().strip()
        subprocess.run([python, __file__, "--save", str(CORPUS / ("scikit-learn-" + version))], check=True)


main()
