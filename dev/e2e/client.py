#!/usr/bin/env python3
"""An unmodified MLflow 3.x client at work against a tracking server.

Usage: MLFLOW_TRACKING_URI=... MLFLOW_TRACKING_TOKEN=... client.py

Each step is checked; the script stops with a non-zero exit code at the first difference. It needs nothing but
`mlflow` and `scikit-learn`, and works against any MLflow server, which is how its expectations were checked.
"""

import math
import os
import sys
import tempfile
import uuid
from pathlib import Path

import mlflow
import numpy as np
import sklearn.datasets
import sklearn.linear_model
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature


def check(what, found, wanted):
    if isinstance(wanted, float) and isinstance(found, float) and math.isnan(wanted) and math.isnan(found):
        return
    if found != wanted:
        sys.exit(f"{what}: expected {wanted!r}, found {found!r}")


def refused(what, code, act):
    try:
        act()
    except MlflowException as error:
        check(f"{what}: error code", error.error_code, code)
        return str(error)
    sys.exit(f"{what}: was not refused")


def main():
    suffix = uuid.uuid4().hex[:8]
    experiment_name = f"e2e-{suffix}"
    model_name = f"diabetes-{suffix}"
    client = MlflowClient()

    check("an unknown experiment", client.get_experiment_by_name(experiment_name), None)
    experiment = mlflow.set_experiment(experiment_name)
    check("experiment found by name", client.get_experiment_by_name(experiment_name).experiment_id,
          experiment.experiment_id)
    client.set_experiment_tag(experiment.experiment_id, "team", "örtlich")
    check("experiment tag", client.get_experiment(experiment.experiment_id).tags["team"], "örtlich")
    refused("a second experiment of the name", "RESOURCE_ALREADY_EXISTS",
            lambda: client.create_experiment(experiment_name))

    features, target = sklearn.datasets.load_diabetes(return_X_y=True, as_frame=True)
    model = sklearn.linear_model.Ridge(alpha=0.03, random_state=0).fit(features, target)
    predicted = model.predict(features)

    with mlflow.start_run(run_name="training") as run:
        run_id = run.info.run_id
        mlflow.log_param("alpha", 0.03)
        mlflow.log_params({"random_state": 0, "long": "x" * 6000})
        mlflow.log_metric("rmse", 53.5, step=1)
        mlflow.log_metrics({"rmse": 52.25, "not_a_number": float("nan"), "endless": float("inf")}, step=2)
        mlflow.set_tag("note", "a, b = 'c'")
        client.log_batch(run_id, [Metric(f"m{n}", n / 8, 1_700_000_000_000 + n, n) for n in range(50)],
                         [Param(f"p{n}", str(n)) for n in range(20)], [RunTag("batch", "yes")])
        data = mlflow.data.from_pandas(features, source="https://example.org/diabetes.csv", name="diabetes")
        mlflow.log_input(data, context="training")
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder, "report a+1.txt")
            report.write_text("fine\n")
            mlflow.log_artifact(str(report), "reports/first")
        info = mlflow.sklearn.log_model(
            model, name="model", signature=infer_signature(features, predicted), input_example=features.head(2),
            skops_trusted_types=["numpy.dtype"])
        refused("a parameter's other value", "INVALID_PARAMETER_VALUE",
                lambda: client.log_param(run_id, "alpha", "0.04"))

    run = client.get_run(run_id)
    check("run status", run.info.status, "FINISHED")
    check("run name", run.info.run_name, "training")
    check("alpha", run.data.params["alpha"], "0.03")
    check("long parameter", len(run.data.params["long"]), 6000)
    check("latest rmse", run.data.metrics["rmse"], 52.25)
    check("nan", run.data.metrics["not_a_number"], float("nan"))
    check("inf", run.data.metrics["endless"] >= sys.float_info.max, True)  # some servers keep the largest number
    check("batch", [run.data.metrics[f"m{n}"] for n in range(50)], [n / 8 for n in range(50)])
    check("batched parameter", run.data.params["p19"], "19")
    check("tag", run.data.tags["note"], "a, b = 'c'")
    check("batched tag", run.data.tags["batch"], "yes")
    check("history", [(m.value, m.step) for m in client.get_metric_history(run_id, "rmse")], [(53.5, 1), (52.25, 2)])
    check("data set", [(i.dataset.name, i.tags[0].value) for i in run.inputs.dataset_inputs],
          [("diabetes", "training")])
    check("outputs", [o.model_id for o in run.outputs.model_outputs], [info.model_id])

    found = client.search_runs([experiment.experiment_id],
                               "metrics.rmse < 53 and params.alpha = '0.03' and attributes.status = 'FINISHED'",
                               order_by=["metrics.rmse DESC"])
    check("search", [r.info.run_id for r in found], [run_id])
    check("empty search", list(client.search_runs([experiment.experiment_id], "metrics.rmse > 53")), [])

    check("artifact roots", [a.path for a in client.list_artifacts(run_id)], ["reports"])
    listed = client.list_artifacts(run_id, "reports/first")
    check("artifacts", [(a.path, a.is_dir, a.file_size) for a in listed],
          [("reports/first/report a+1.txt", False, 5)])
    with tempfile.TemporaryDirectory() as folder:
        path = mlflow.artifacts.download_artifacts(run_id=run_id, artifact_path="reports", dst_path=folder)
        check("downloaded", Path(path, "first", "report a+1.txt").read_text(), "fine\n")

    logged = client.get_logged_model(info.model_id)
    check("logged model", (logged.name, str(logged.status), logged.source_run_id), ("model", "READY", run_id))
    client.set_logged_model_tags(info.model_id, {"kind": "ridge"})
    check("logged model's tag", client.get_logged_model(info.model_id).tags["kind"], "ridge")
    models = client.search_logged_models([experiment.experiment_id], "name = 'model'")
    check("logged models", [m.model_id for m in models], [info.model_id])

    version = mlflow.register_model(info.model_uri, model_name, tags={"stage": "trial"})
    check("first version", (str(version.version), version.status), ("1", "READY"))
    client.set_registered_model_alias(model_name, "trial", "1")
    check("by alias", client.get_model_version_by_alias(model_name, "trial").version, "1")
    check("registered aliases", client.get_registered_model(model_name).aliases, {"trial": "1"})
    check("version's aliases", list(client.get_model_version(model_name, "1").aliases), ["trial"])
    client.update_model_version(model_name, "1", description="the first")
    client.set_model_version_tag(model_name, "1", "seen", "yes")
    found = client.get_model_version(model_name, "1")
    check("version", (found.description, found.tags.get("seen"), found.run_id), ("the first", "yes", run_id))
    check("versions", [v.version for v in client.search_model_versions(f"name = '{model_name}'")], ["1"])
    check("models", [m.name for m in client.search_registered_models(f"name = '{model_name}'")], [model_name])
    refused("a second model of the name", "RESOURCE_ALREADY_EXISTS", lambda: client.create_registered_model(model_name))
    refused("an unknown alias", "INVALID_PARAMETER_VALUE",
            lambda: client.get_model_version_by_alias(model_name, "nobody"))
    refused("an unknown run", os.environ.get("E2E_UNKNOWN_RUN_CODE", "RESOURCE_DOES_NOT_EXIST"),
            lambda: client.get_run("0" * 32))

    again = mlflow.sklearn.load_model(f"models:/{model_name}@trial")
    check("prediction", np.array_equal(again.predict(features), predicted), True)
    generic = mlflow.pyfunc.load_model(f"models:/{model_name}/1")
    check("generic prediction", np.array_equal(generic.predict(features), predicted), True)
    by_run = mlflow.sklearn.load_model(f"runs:/{run_id}/model")
    check("model of the run", np.array_equal(by_run.predict(features), predicted), True)

    client.delete_registered_model_alias(model_name, "trial")
    check("aliases after removal", client.get_registered_model(model_name).aliases, {})
    client.delete_run(run_id)
    check("deleted run", client.get_run(run_id).info.lifecycle_stage, "deleted")
    client.restore_run(run_id)
    check("restored run", client.get_run(run_id).info.lifecycle_stage, "active")
    print("the client saw what it expected")


if __name__ == "__main__":
    main()
