"""What a user of MLflow's tracing does, against the server that the environment names. Its argument is `write` or `read`."""

import os
import sys

import mlflow
import requests
from mlflow.entities import AssessmentSource, SpanEvent
from mlflow.exceptions import MlflowException

EXPERIMENT = os.environ["E2E_EXPERIMENT"]
OTHER = os.environ["E2E_OTHER"]


def check(what, found, wanted):
    if found != wanted:
        raise SystemExit(f"{what}: expected {wanted!r}, found {found!r}")


def refused(what, act):
    try:
        act()
    except (MlflowException, requests.HTTPError) as error:
        if "PERMISSION_DENIED" not in str(error):
            raise SystemExit(f"{what}: refused in the wrong way: {error}") from None
        return
    raise SystemExit(f"{what}: was not refused")


@mlflow.trace(span_type="RETRIEVER")
def retrieve(question):
    return [{"text": f"about {question}", "score": 0.25}]


@mlflow.trace(span_type="CHAIN", attributes={"kind": "rag"})
def answer(question):
    found = retrieve(question)
    with mlflow.start_span("model", span_type="LLM") as span:
        span.set_inputs({"messages": [{"role": "user", "content": question}], "numbers": [1, 2.5, None, True]})
        span.add_event(SpanEvent("token", attributes={"n": 1}))
        span.set_attribute("fruit", "apple")
        span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
        span.set_outputs({"text": "ünïcode", "of": len(found)})
    mlflow.update_current_trace(tags={"env": "prod"}, metadata={"mlflow.trace.session": "s-1"})
    return "done"


def fails():
    with mlflow.start_span("broken"):
        raise ValueError("on purpose")


def ids(filter_string=None, **more):
    found = mlflow.search_traces(locations=[EXPERIMENT], filter_string=filter_string, return_type="list", **more)
    return [trace.info.trace_id for trace in found]


def tracing():
    check("the answer", answer("why"), "done")
    first = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    trace = mlflow.get_trace(first)
    check("names", sorted(span.name for span in trace.data.spans), ["answer", "model", "retrieve"])
    model = trace.search_spans(name="model")[0]
    check("inputs", model.inputs, {"messages": [{"role": "user", "content": "why"}], "numbers": [1, 2.5, None, True]})
    check("outputs", model.outputs, {"text": "ünïcode", "of": 1})
    check("event", (model.events[0].name, model.events[0].attributes), ("token", {"n": 1}))
    check("type", (model.span_type, model.get_attribute("fruit")), ("LLM", "apple"))
    check("parent", model.parent_id, trace.search_spans(name="answer")[0].span_id)
    check("usage", trace.info.token_usage, {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
    check("state", (trace.info.state.value, trace.info.tags["env"]), ("OK", "prod"))
    try:
        fails()
    except ValueError:
        pass
    broken = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    check("an error", mlflow.get_trace(broken).info.state.value, "ERROR")
    check("a stack", mlflow.get_trace(broken).data.spans[0].events[0].name, "exception")
    check("by status", ids("status = 'ERROR'"), [broken])
    check("by tag", ids("tags.env = 'prod'"), [first])
    check("by span", ids("span.name = 'model' AND span.attributes.fruit LIKE 'app%'"), [first])
    check("by text", ids("trace.text LIKE '%ünïcode%'"), [first])
    check("by metadata", ids("metadata.`mlflow.trace.session` = 's-1'"), [first])
    check("newest first", ids(), [broken, first])
    check("oldest first", ids(order_by=["timestamp ASC"]), [first, broken])
    with mlflow.start_run() as run:
        answer("in a run")
    mlflow.flush_trace_async_logging()
    check("by run", len(mlflow.search_traces(locations=[EXPERIMENT], run_id=run.info.run_id, return_type="list")), 1)
    client = mlflow.MlflowClient()
    client.link_traces_to_run([broken], run.info.run_id)
    check("linked", len(mlflow.search_traces(locations=[EXPERIMENT], run_id=run.info.run_id, return_type="list")), 2)
    client.set_trace_tag(first, "colour", "red")
    check("a tag", mlflow.get_trace(first).info.tags["colour"], "red")
    client.delete_trace_tag(first, "colour")
    check("no tag", "colour" in mlflow.get_trace(first).info.tags, False)
    print("ok      traces, spans, searches, links and tags")
    return first, broken


def judging(trace):
    human = AssessmentSource(source_type="HUMAN", source_id="ada")
    feedback = mlflow.log_feedback(trace_id=trace, name="quality", value={"a": [1, 0.5]}, source=human, rationale="so")
    mlflow.log_feedback(trace_id=trace, name="good", value=True)
    mlflow.log_feedback(trace_id=trace, name="failed", error=ValueError("no"))
    mlflow.log_expectation(trace_id=trace, name="expected", value={"x": ["y"]})
    found = {item.name: item for item in mlflow.get_trace(trace).info.assessments}
    check("feedback", (found["quality"].value, found["quality"].rationale), ({"a": [1, 0.5]}, "so"))
    check("an error", found["failed"].error.error_message, "no")
    check("expectation", found["expected"].value, {"x": ["y"]})
    check("by feedback", ids("feedback.good = 'true'"), [trace])
    mlflow.override_feedback(trace_id=trace, assessment_id=feedback.assessment_id, value="better")
    check("overridden", mlflow.get_assessment(trace, feedback.assessment_id).valid, False)
    mlflow.delete_assessment(trace_id=trace, assessment_id=found["good"].assessment_id)
    check("gone", ids("feedback.good = 'true'"), [])
    print("ok      feedback and expectations")


def datasets():
    from mlflow.genai import datasets as genai

    made = genai.create_dataset(name="questions", experiment_id=EXPERIMENT, tags={"team": "ml"})
    made.merge_records([{"inputs": {"q": "one"}, "expectations": {"a": 1}}, {"inputs": {"q": "two"}}])
    made.merge_records([{"inputs": {"q": "one"}, "expectations": {"b": 2}}])
    again = genai.get_dataset(dataset_id=made.dataset_id)
    frame = again.to_df()
    check("records", sorted(row["q"] for row in frame["inputs"]), ["one", "two"])
    check("merged", [row for row in frame["expectations"] if row], [{"a": 1, "b": 2}])
    found = genai.search_datasets(experiment_ids=[EXPERIMENT], filter_string="tags.team = 'ml'")
    check("found", [item.name for item in found], ["questions"])
    refused("a data set in another experiment", lambda: genai.create_dataset(name="x", experiment_id=OTHER))
    genai.delete_dataset(dataset_id=made.dataset_id)
    check("deleted", list(genai.search_datasets(experiment_ids=[EXPERIMENT])), [])
    store = mlflow.MlflowClient()._tracking_client.store
    check("scorer", store.register_scorer(EXPERIMENT, "judge", '{"name": "judge"}').scorer_version, 1)
    print("ok      evaluation data sets and scorers")


def prompts():
    prompt = mlflow.genai.register_prompt(name="greeting", template="Hello {{name}}")
    check("version", int(prompt.version), 1)

    @mlflow.trace
    def greet():
        return mlflow.genai.load_prompt("prompts:/greeting/1").format(name="ada")

    check("prompt", greet(), "Hello ada")
    trace = mlflow.get_last_active_trace_id()
    mlflow.flush_trace_async_logging()
    mlflow.MlflowClient().link_prompt_versions_to_trace([prompt], trace)
    check("by prompt", ids("prompt = 'greeting/1'"), [trace])
    print("ok      prompts, linked to traces")


def telemetry():
    """Spans of another tool than MLflow, by OpenTelemetry's protocol."""
    import gzip
    import secrets

    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    export = ExportTraceServiceRequest()
    resource = export.resource_spans.add()
    key = resource.resource.attributes.add()
    key.key, key.value.string_value = "service.name", "shop"
    scope = resource.scope_spans.add()
    trace = secrets.token_bytes(16)
    for number in range(100):
        span = scope.spans.add()
        span.trace_id, span.span_id, span.name = trace, (number + 1).to_bytes(8, "big"), f"step {number}"
        span.start_time_unix_nano, span.end_time_unix_nano = 1_800_000_000_000_000_000, 1_800_000_001_000_000_000
        if number:
            span.parent_span_id = (1).to_bytes(8, "big")
        else:
            key = span.attributes.add()
            key.key, key.value.string_value = "gen_ai.operation.name", "chat"
    headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip", "x-mlflow-experiment-id": EXPERIMENT,
               "Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"}
    url = f"{os.environ['MLFLOW_TRACKING_URI']}/v1/traces"
    certificate = os.environ["MLFLOW_TRACKING_SERVER_CERT_PATH"]
    body = gzip.compress(export.SerializeToString())
    answer = requests.post(url, data=body, headers=headers, verify=certificate, timeout=60)
    check("OTLP", (answer.status_code, answer.headers["content-type"]), (200, "application/x-protobuf"))
    there = mlflow.get_trace(f"tr-{trace.hex()}")
    check("spans", (len(there.data.spans), there.data.spans[0].name), (100, "step 0"))
    check("by convention", there.data.spans[0].span_type, "CHAT_MODEL")
    elsewhere = requests.post(url, data=body, headers={**headers, "x-mlflow-experiment-id": OTHER}, verify=certificate, timeout=60)
    check("another experiment", elsewhere.status_code, 403)
    broken = requests.post(url, data=body[:-9], headers=headers, verify=certificate, timeout=60)
    check("a broken request", broken.status_code, 400)
    print("ok      spans by OTLP")


def deleting(broken):
    for number in range(100):
        with mlflow.start_span(f"many {number}"):
            pass
    mlflow.flush_trace_async_logging()
    check("many", len(ids("name LIKE 'many %'", max_results=200)), 100)
    client = mlflow.MlflowClient()
    check("by id", client.delete_traces(EXPERIMENT, trace_ids=[broken]), 1)
    check("gone", ids("status = 'ERROR'"), [])
    check("oldest", client.delete_traces(EXPERIMENT, max_timestamp_millis=int(1e15), max_traces=1), 1)
    refused("deleting elsewhere", lambda: client.delete_traces(OTHER, max_timestamp_millis=int(1e15)))
    print("ok      deletion")


if sys.argv[1] == "write":
    mlflow.set_experiment(experiment_id=EXPERIMENT)
    first, broken = tracing()
    judging(first)
    datasets()
    prompts()
    telemetry()
    deleting(broken)
else:
    check("after a restart", len(ids("name LIKE 'many %'", max_results=500)), 100)
    kept = mlflow.search_traces(locations=[EXPERIMENT], filter_string="name = 'greet'", return_type="list")[0]
    check("its spans", [span.name for span in kept.data.spans], ["greet"])
    refused("searching elsewhere", lambda: mlflow.search_traces(locations=[OTHER], return_type="list"))
    print("ok      a second start has it all")
