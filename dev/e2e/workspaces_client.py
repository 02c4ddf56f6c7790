"""What two teams do in workspaces of their own, with an unmodified MLflow client, against the server that the environment names.

Its argument is a workspace and what was there before: `team-a`, or `team-b` and ids of team-a's things.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

SAME = "churn"


def check(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: expected {wanted!r}, found {found!r}")


def absent(what, act):
    try:
        found = act()
    except (MlflowException, OSError) as error:
        text = str(error)
        if not any(word in text for word in ["not found", "No Experiment", "does not exist", "PERMISSION_DENIED", "403", "404"]):
            raise SystemExit(f"{what}: refused in the wrong way: {error}") from None
        return
    raise SystemExit(f"{what}: was not refused, but gave {found!r}")


def work(workspace):
    """Makes one of much; the names are the same in every workspace."""
    client = MlflowClient()
    experiment = mlflow.set_experiment(SAME).experiment_id
    with mlflow.start_run() as run:
        mlflow.log_param("team", workspace)
        mlflow.log_metric("loss", 0.5)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "notes.txt"
            file.write_text("the same in every workspace\n")
            mlflow.log_artifact(str(file))
        model = mlflow.initialize_logged_model(name="fraud", source_run_id=run.info.run_id)
        with mlflow.start_span("answer") as span:
            span.set_inputs({"team": workspace})
        trace = span.trace_id
    mlflow.flush_trace_async_logging()
    client.create_registered_model("fraud", tags={"team": workspace})
    mlflow.register_prompt(name="greeting", template=f"hello {workspace} {{{{name}}}}")
    check("prompt", mlflow.load_prompt("prompts:/greeting/1").template, f"hello {workspace} {{{{name}}}}")
    check("the run", client.get_run(run.info.run_id).data.params, {"team": workspace})
    check("its file", Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes.txt")).read_text(),
          "the same in every workspace\n")
    return {"experiment": experiment, "run": run.info.run_id, "model": model.model_id, "trace": trace}


def others(theirs):
    """Nothing of another workspace is there, whatever is asked."""
    client = MlflowClient()
    check("experiments", [one.name for one in client.search_experiments() if one.experiment_id == theirs["experiment"]], [])
    absent("experiment", lambda: client.get_experiment(theirs["experiment"]))
    absent("run", lambda: client.get_run(theirs["run"]))
    absent("metric", lambda: client.log_metric(theirs["run"], "loss", 1.0))
    absent("run in it", lambda: client.create_run(theirs["experiment"]))
    absent("files", lambda: client.list_artifacts(theirs["run"]))
    absent("download", lambda: client.download_artifacts(theirs["run"], "notes.txt"))
    absent("logged model", lambda: client.get_logged_model(theirs["model"]))
    absent("trace tag", lambda: client.set_trace_tag(theirs["trace"], "k", "v"))


def main():
    workspace, *rest = sys.argv[1:]
    if os.environ.get("MLFLOW_WORKSPACE"):
        check("MLFLOW_WORKSPACE", os.environ["MLFLOW_WORKSPACE"], workspace)
    else:
        mlflow.set_workspace(workspace)
    client = MlflowClient()
    if rest:
        theirs = json.loads(rest[0])
        check("models before", [model.name for model in client.search_registered_models()], [])
        others(theirs)
        absent("model", lambda: client.get_registered_model("fraud"))
        absent("prompt", lambda: mlflow.MlflowClient().get_model_version("greeting", "1"))
    made = work(workspace)
    check("names", sorted(model.name for model in client.search_registered_models()), ["fraud"])
    check("whose", client.get_registered_model("fraud").tags, {"team": workspace})
    if rest:
        others(theirs)
    names = sorted(one.name for one in mlflow.list_workspaces())
    check("workspaces that are seen", names, sorted({"default", workspace}))
    print(json.dumps(made))


main()
