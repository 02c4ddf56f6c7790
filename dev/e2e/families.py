#!/usr/bin/env python3
"""Each family of MLflow's endpoints through the unmodified client, against servers of their own.

What MLflow's own tests show (`make mlflow-suite`) needs a checkout of MLflow; this needs the released client alone. It
asks a server without authentication that notes sources elsewhere, and for what must be refused one without that option.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from harness import Failed, Folder, Server, check, environment, main

for name in [name for name in os.environ if name.startswith("MLFLOW")]:
    del os.environ[name]
os.environ.update(environment(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", MLFLOW_HTTP_REQUEST_MAX_RETRIES="1"))

import mlflow  # noqa: E402
import requests  # noqa: E402
from mlflow import MlflowClient  # noqa: E402
from mlflow.entities import (  # noqa: E402
    Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, LoggedModelStatus, Metric, Param, RunTag, ViewType,
)
from mlflow.exceptions import MlflowException  # noqa: E402


def refuses(what, act, code=None, text=""):
    try:
        act()
    except (MlflowException, requests.HTTPError) as error:
        if code:
            check(f"{what}: code", error.error_code, code)
        if text not in str(error):
            raise Failed(f"{what}: {error} does not say {text!r}") from None
        return
    raise Failed(f"{what} was not refused")


def ask(url, path, body=None, headers=None):
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data=data, headers=headers or {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def experiments(client, url):
    made = client.create_experiment("first", tags={"a": "1"})
    check("tags", client.get_experiment(made).tags, {"a": "1"})
    refuses("a second of the name", lambda: client.create_experiment("first"), "RESOURCE_ALREADY_EXISTS", "already exists")
    refuses("none of the id", lambda: client.get_experiment("999"), "RESOURCE_DOES_NOT_EXIST", "No Experiment with id=999 exists")
    client.rename_experiment(made, "renamed")
    client.set_experiment_tag(made, "b", "x\ny")
    client.delete_experiment_tag(made, "a")
    check("tags", client.get_experiment_by_name("renamed").tags, {"b": "x\ny"})
    client.delete_experiment(made)
    check("the bin", [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)], ["renamed"])
    client.restore_experiment(made)
    status, body = ask(url, "/api/2.0/mlflow/experiments/create", {"name": 123})
    check("a number for a name", (status, "Invalid value 123 for parameter 'name' supplied" in body.decode()), (400, True))
    refuses("a place of the client's choice", lambda: client.create_experiment("x", artifact_location="s3://b/x"),
            "INVALID_PARAMETER_VALUE")


def runs(client, url):
    experiment = client.create_experiment("runs")
    run = client.create_run(experiment, run_name="one", tags={"t": "1"}).info.run_id
    client.log_batch(run, [Metric("m", float(step), 1, step) for step in range(10)], [Param("p", "")], [RunTag("u", "2")])
    client.log_metric(run, "nan", float("nan"))
    client.set_tag(run, "v", "")
    client.delete_tag(run, "u")
    data = client.get_run(run).data
    check("params", data.params, {"p": ""})
    check("tags", {key: value for key, value in data.tags.items() if not key.startswith("mlflow.")}, {"t": "1", "v": ""})
    refuses("another value", lambda: client.log_param(run, "p", "other"), "INVALID_PARAMETER_VALUE", "Changing param values")
    refuses("no such tag", lambda: client.delete_tag(run, "none"), "RESOURCE_DOES_NOT_EXIST", "No tag with name: none")
    refuses("no such run", lambda: client.get_run("f" * 32), "RESOURCE_DOES_NOT_EXIST", "not found")
    client.set_terminated(run, "FAILED")
    client.update_run(run, name="other")
    check("a new name leaves the status", (client.get_run(run).info.status, client.get_run(run).info.run_name), ("FAILED", "other"))
    client.delete_run(run)
    refuses("in the bin", lambda: client.set_tag(run, "x", "y"), "INVALID_PARAMETER_VALUE", f"The run {run} must be in the 'active' state")
    client.restore_run(run)
    refuses("too many", lambda: client.search_runs([experiment], max_results=10**9), "INVALID_PARAMETER_VALUE", "Invalid value 1000000000 for parameter 'max_results' supplied")


def metrics(client, url):
    experiment = client.create_experiment("metrics")
    ids = [client.create_run(experiment).info.run_id for _ in range(2)]
    for run, count in zip(ids, (10, 20)):
        client.log_batch(run, [Metric("m", 1.0, 1, step) for step in range(count)])
    root = "/ajax-api/2.0/mlflow/metrics"
    _, body = ask(url, f"{root}/get-history-bulk?run_id={ids[0]}&run_id={ids[1]}&metric_key=m")
    check("both histories", len(json.loads(body)["metrics"]), 30)
    _, body = ask(url, f"{root}/get-history-bulk-interval?run_ids={ids[0]}&run_ids={ids[1]}&metric_key=m&max_results=5")
    steps = sorted({metric["step"] for metric in json.loads(body)["metrics"]})
    check("thinned out, the ends kept", steps, [0, 4, 8, 9, 12, 16, 19])
    check("one history", [metric.step for metric in client.get_metric_history(ids[0], "m")], list(range(10)))


def inputs(client, url):
    experiment = client.create_experiment("inputs")
    run, model = client.create_run(experiment).info.run_id, client.create_logged_model(experiment)
    dataset = Dataset(name="d", digest="1", source_type="s", source="s")
    client.log_inputs(run, [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])], [LoggedModelInput(model.model_id)])
    client.log_outputs(run, [LoggedModelOutput(model.model_id, 3)])
    found = client.get_run(run)
    check("inputs", (found.inputs.dataset_inputs[0].dataset.name, found.inputs.model_inputs[0].model_id), ("d", model.model_id))
    check("outputs", found.outputs.model_outputs, [LoggedModelOutput(model.model_id, 3)])
    _, body = ask(url, "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": [experiment]})
    check("summary", json.loads(body)["dataset_summaries"], [{"experiment_id": experiment, "name": "d", "digest": "1", "context": "training"}])


def logged_models(client, url):
    experiment = client.create_experiment("models")
    run = client.create_run(experiment).info.run_id
    model = client.create_logged_model(experiment, name="m", model_type="LLM", params={"p": "1"}, tags={"t": "1"})
    client.log_metric(run, "m", 0.5, timestamp=7, step=1, dataset_name="d", dataset_digest="1", model_id=model.model_id)
    metric = client.get_logged_model(model.model_id).metrics[0]
    check("the run of a metric", (metric.run_id, metric.dataset_name, metric.value), (run, "d", 0.5))
    client.set_logged_model_tags(model.model_id, {"u": "2"})
    client.delete_logged_model_tag(model.model_id, "t")
    refuses("no such tag", lambda: client.delete_logged_model_tag(model.model_id, "t"), text="No tag with key")
    check("ready", client.finalize_logged_model(model.model_id, LoggedModelStatus.READY).status, LoggedModelStatus.READY)
    check("failed", client.finalize_logged_model(model.model_id, LoggedModelStatus.FAILED).status, LoggedModelStatus.FAILED)
    client.delete_logged_model(model.model_id)
    refuses("gone", lambda: client.get_logged_model(model.model_id), "RESOURCE_DOES_NOT_EXIST", "not found")


CODE = """import mlflow


class Lengths(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [len(one) for one in model_input]


mlflow.models.set_model(Lengths())
"""


def model_from_code(client, url):
    """Python that can be read is taken; the same as a pickle is refused."""
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    Path("lengths.py").write_text(CODE)
    with mlflow.start_run():
        made = mlflow.pyfunc.log_model(name="lengths", python_model="lengths.py", pip_requirements=["mlflow"])
        check("predicted", mlflow.pyfunc.load_model(made.model_uri).predict(["a", "bcd"]), [1, 3])
        module = {}
        exec(CODE.replace("mlflow.models.set_model(Lengths())", ""), module)
        refuses("a pickle of it", lambda: mlflow.pyfunc.log_model(
            name="pickled", python_model=module["Lengths"](), pip_requirements=["mlflow"]), text="pickle-")


def registry(client, url):
    client.create_registered_model("m", tags={"t": "1"}, description="d")
    one = client.create_model_version("m", "s3://bucket/one", tags={"v": "1"})
    check("noted elsewhere", client.get_model_version_download_uri("m", "1"), "s3://bucket/one")
    for place in ["file:///etc/passwd", "/etc/passwd", "s3://b/../x", "s3://b/%2e%2e/x"]:
        refuses(place, lambda place=place: client.create_model_version("m", place), "INVALID_PARAMETER_VALUE", "Invalid model version source")
    time.sleep(0.002)
    client.create_model_version("m", "s3://bucket/two")
    client.set_registered_model_alias("m", "trial", "1")
    check("alias", client.get_model_version_by_alias("m", "trial").version, one.version)
    check("copied", client.copy_model_version("models:/m@trial", "copies").source, "models:/m/1")
    check("its place", client.get_model_version_download_uri("copies", "1"), "s3://bucket/one")
    client.transition_model_version_stage("m", "1", "Staging")
    client.transition_model_version_stage("m", "2", "Staging", archive_existing_versions=True)
    check("stages", {one.current_stage: one.version for one in client.get_latest_versions("m")}, {"Archived": "1", "Staging": "2"})
    client.set_model_version_tag("m", "2", "k", "v")
    client.delete_model_version_tag("m", "2", "k")
    client.update_model_version("m", "2", "words")
    check("searched", [one.version for one in client.search_model_versions("name = 'm'")], ["2", "1"])
    refuses("no number", lambda: client.get_model_version("m", "x"), "INVALID_PARAMETER_VALUE", "Parameter 'version' must be an integer, got 'x'.")
    client.delete_model_version("m", "1")
    refuses("gone", lambda: client.get_model_version("m", "1"), "RESOURCE_DOES_NOT_EXIST", "Model Version (name=m, version=1) not found")
    client.rename_registered_model("m", "n")
    refuses("renamed", lambda: client.get_registered_model("m"), "RESOURCE_DOES_NOT_EXIST", "Registered Model with name=m not found")
    client.delete_registered_model("n")


def prompts(client, url):
    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    made = mlflow.genai.register_prompt(name="greeting", template="Hello {{name}}", commit_message="first", tags={"lang": "en"})
    check("version", made.version, 1)
    mlflow.genai.register_prompt(name="greeting", template="Hi {{name}}")
    mlflow.genai.set_prompt_alias("greeting", "live", 2)
    check("by alias", mlflow.genai.load_prompt("prompts:/greeting@live").format(name="Ada"), "Hi Ada")
    check("by number", mlflow.genai.load_prompt("prompts:/greeting/1").template, "Hello {{name}}")
    check("found", [one.name for one in mlflow.genai.search_prompts("name = 'greeting'")], ["greeting"])


def artifacts(client, url):
    experiment = client.create_experiment("artifacts")
    run = client.create_run(experiment).info.run_id
    client.log_text(run, "hello", "dir/a.txt")
    check("listed", [(one.path, one.is_dir) for one in client.list_artifacts(run)], [("dir", True)])
    check("listed below", [(one.path, one.file_size) for one in client.list_artifacts(run, "dir")], [("dir/a.txt", 5)])
    check("got", ask(url, f"/get-artifact?run_id={run}&path=dir/a.txt"), (200, b"hello"))
    status, _ = ask(url, f"/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=b.txt", b"world", {"Content-Type": "text/plain"})
    check("put", (status, ask(url, f"/get-artifact?run_uuid={run}&path=b.txt")), (200, (200, b"world")))
    for path in [f"/get-artifact?run_id={run}&path=../x", f"/api/2.0/mlflow/artifacts/list?run_id={run}&path=..",
                 "/model-versions/get-artifact?name=m&version=1&path=/etc/passwd",
                 f"/ajax-api/2.0/mlflow/logged-models/m-{'0' * 32}/artifacts/files?artifact_file_path=%252e%252e/x"]:
        status, body = ask(url, path)
        check(path, (status, json.loads(body)["message"], json.loads(body)["rules"]), (400, "Invalid path", ["artifact.path"]))


def absent(client, url):
    status, body = ask(url, "/api/2.0/mlflow/gateway/none")
    check("no endpoint", (status, json.loads(body)["error_code"]), (404, "ENDPOINT_NOT_FOUND"))


def act():
    families = [experiments, runs, metrics, inputs, logged_models, model_from_code, registry, prompts, artifacts, absent]
    open_server = ["--no-auth", "--tls", "off"]
    with Folder() as folder:
        os.chdir(folder)
        with Server(folder, "noting", [*open_server, "--external-sources", "record"]) as server:
            server.start()
            client = MlflowClient(server.url, server.url)
            for family in families:
                family(client, server.url)
                print(f"ok: {family.__name__}")
            server.stop()
            server.verify_ledger()
        with Server(folder, "refusing", open_server) as server:
            server.start()
            client = MlflowClient(server.url, server.url)
            client.create_registered_model("m")
            for place in ["s3://bucket/one", "mlflow-artifacts:/models", "https://host/x", "runs:/none/x", "file:///etc/passwd"]:
                refuses(place, lambda place=place: client.create_model_version("m", place), "INVALID_PARAMETER_VALUE", "version.source")
            print("ok: without the option, sources elsewhere are refused")
            server.stop()


if __name__ == "__main__":
    main(act)
    sys.exit(0)
