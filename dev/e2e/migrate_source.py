#!/usr/bin/env python3
"""Makes an MLflow store with a bit of everything below a folder: `mlflow.db`, `mlruns`, and `facts.json` with what is in it."""

import json
import math
import os
import sys
from pathlib import Path

import migrate_genai


def number(value):
    """A float in a form that JSON and == can keep."""
    return "nan" if math.isnan(value) else repr(min(max(value, -sys.float_info.max), sys.float_info.max))


def describe(mlflow, uri, facts):
    """What a client sees of a store, by name of what it is about. Times of updates and places of artifacts may differ."""
    client = mlflow.MlflowClient(uri, uri)
    from mlflow.entities import ViewType
    found = {}
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        if experiment.name == "after the migration":
            continue
        key = f"experiment {experiment.experiment_id}"
        found[key] = [experiment.name, experiment.lifecycle_stage, sorted(experiment.tags.items()), experiment.creation_time]
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL, max_results=1000):
            info, data = run.info, run.data
            history = {name: [(number(m.value), m.step, m.timestamp) for m in client.get_metric_history(info.run_id, name)]
                       for name in sorted(data.metrics)}
            found[f"run {info.run_id}"] = [
                info.experiment_id, info.run_name, info.status, info.start_time, info.end_time, info.lifecycle_stage, info.user_id,
                sorted(data.params.items()), sorted(data.tags.items()), sorted((k, number(v)) for k, v in data.metrics.items()),
                {name: sorted(values) for name, values in history.items()},
                sorted((i.dataset.name, i.dataset.digest, sorted((t.key, t.value) for t in i.tags)) for i in run.inputs.dataset_inputs),
                sorted(o.model_id for o in run.outputs.model_outputs)]
    for model in client.search_registered_models():
        found[f"model {model.name}"] = [model.description or "", sorted(model.tags.items()), sorted((k, str(v)) for k, v in model.aliases.items()),
                                        model.creation_timestamp]
        for version in client.search_model_versions(f"name = '{model.name}'"):
            found[f"version {model.name} {version.version}"] = [
                version.description or "", version.current_stage, sorted(version.tags.items()), version.run_id, version.creation_timestamp]
    found |= migrate_genai.describe(mlflow, client, facts, facts["experiments"][0])
    return json.loads(json.dumps(found))


def main():
    folder = Path(sys.argv[1])
    os.chdir(folder)
    import mlflow
    import numpy as np
    from mlflow.entities import Metric, Param, RunTag
    from sklearn.linear_model import Ridge

    uri = f"sqlite:///{folder}/mlflow.db"
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    client = mlflow.MlflowClient(uri, uri)
    facts = {"refused": [], "experiments": []}
    root = (folder / "mlruns").as_uri()
    ids = [client.create_experiment(name, f"{root}/{number}", {"team": "örtlich"})
           for number, name in enumerate(["fraud", "churn's \"best\"", "gone"], 1)]
    facts["experiments"] = ids

    fitted = Ridge(alpha=0.1).fit(np.array([[1.0], [2.0], [3.0]]), np.array([2.0, 4.0, 6.0]))
    models = []
    for index in range(24):
        experiment = ids[index % 3]
        with mlflow.start_run(experiment_id=experiment, run_name=f"run ü {index}" if index % 5 else None) as run:
            run_id = run.info.run_id
            client.log_batch(run_id, [Metric("loss", 1 / (step + 1), 1_700_000_000_000 + step, step) for step in range(300)],
                             [Param(f"p{n}", "x" * n) for n in range(20)], [RunTag("kind", f"a, b = '{index}'")])
            if index % 4 == 0:
                import pandas
                data = mlflow.data.from_pandas(pandas.DataFrame({"a": [index, 2]}), source="https://example.org/x.csv", name=f"set{index % 8}")
                mlflow.log_input(data, context="training")
            artifacts = folder / "artifacts of a run"
            (artifacts / "deep" / "er").mkdir(parents=True, exist_ok=True)
            (artifacts / "report a+1 %20.txt").write_text(f"report {index}\n")
            (artifacts / "deep" / "er" / "größe.bin").write_bytes(os.urandom(70_000))
            mlflow.log_artifacts(str(artifacts), "reports")
            if index < 3:
                with mlflow.start_run(experiment_id=experiment, nested=True):
                    mlflow.log_metric("inner", 1.0)
            if index in (3, 4, 6):
                info = mlflow.sklearn.log_model(fitted, name="model", skops_trusted_types=["numpy.dtype"],
                                                pip_requirements=["scikit-learn"])
                client.set_logged_model_tags(info.model_id, {"kind": "ridge"})
                models.append((run_id, info))
            # Afterwards: logging a model writes a run's metrics once more, and MLflow stumbles over NaN then.
            client.log_batch(run_id, [Metric("odd", value, 1, step) for step, value in enumerate([math.nan, math.inf, -math.inf, 0.0, -1.5])])
    facts["model_uri"] = "models:/fraud@newest"
    facts["prediction"] = [float(x) for x in fitted.predict([[1.0], [2.0]])]

    client.create_registered_model("fraud", {"team": "a"}, "finds it")
    for run_id, info in [*models, models[0]]:
        client.create_model_version("fraud", info.model_uri, run_id, tags={"seen": "yes"}, description=f"of {run_id}")
    client.delete_model_version("fraud", "2")
    client.set_registered_model_alias("fraud", "newest", "4")
    client.transition_model_version_stage("fraud", "3", "Staging")

    # A file that does something when it is loaded, and a model made of one.
    class Attack:
        def __reduce__(self):
            return os.system, ("true",)

    import pickle
    first = client.search_runs([ids[0]], max_results=1)[0].info.run_id
    bad = folder / "bad.pkl"
    bad.write_bytes(pickle.dumps(Attack()))
    client.log_artifact(first, str(bad))
    facts["refused"].append(f"runs:/{first}/bad.pkl")
    unsafe_run, unsafe = models[2]
    victim = folder / "mlruns" / "1" / "models" / unsafe.model_id / "artifacts" / "bad.pkl"
    victim.write_bytes(bad.read_bytes())
    facts["refused"] += [f"models:/{unsafe.model_id}/bad.pkl", "models:/fraud/3"]
    # A link out of the folder.
    (folder / "mlruns" / "1" / first / "artifacts" / "passwd").symlink_to("/etc/passwd")
    facts["refused"].append(f"runs:/{first}/passwd")

    deleted = client.search_runs([ids[1]], max_results=1)[0].info.run_id
    client.delete_run(deleted)
    client.delete_experiment(ids[2])

    migrate_genai.make(mlflow, client, ids[0], folder, facts)
    migrate_genai.make_users(folder, ids[0])

    facts["described"] = describe(mlflow, uri, facts)
    del facts["described"]["version fraud 3"]
    migrate_genai.spoil(folder, facts)
    import sqlite3
    with sqlite3.connect(folder / "mlflow.db") as database:
        facts |= {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ["runs", "metrics"]}
    (folder / "facts.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
