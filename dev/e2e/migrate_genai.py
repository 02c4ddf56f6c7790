"""What a store has beside runs and models: traces, prompts, evaluation data sets, scorers, issues and webhooks. Made by MLflow
itself for `migrate_source.py`, and described as a client sees it, before and after."""

import json
import math
import shutil
import sqlite3


def make(mlflow, client, experiment, folder, facts):
    """One of each, and some that can't be taken over."""
    from mlflow.entities import AssessmentSource, SpanEvent
    from mlflow.tracing.client import TracingClient

    mlflow.set_experiment(experiment_id=experiment)
    store = client._tracking_client.store

    @mlflow.trace(span_type="RETRIEVER")
    def retrieve(question):
        return [{"text": f"about {question}", "score": 0.25}]

    @mlflow.trace(span_type="CHAIN", attributes={"kind": "rag", "odd": math.nan})
    def answer(question):
        found = retrieve(question)
        with mlflow.start_span("model", span_type="LLM") as span:
            span.set_inputs({"messages": [{"role": "user", "content": question}], "numbers": [1, 2.5, None, True]})
            span.add_event(SpanEvent("token", attributes={"n": 1}))
            span.set_attribute("fruit", "apple")
            span.set_attribute("mlflow.chat.tokenUsage", {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7})
            span.set_outputs({"text": "ünïcode", "of": len(found)})
        mlflow.update_current_trace(tags={"env": f"pröd {question}"}, metadata={"mlflow.trace.session": "s-1"})
        return {"done": question}

    def traced(act, *arguments):
        try:
            act(*arguments)
        except ValueError:
            pass
        mlflow.flush_trace_async_logging()
        return mlflow.get_last_active_trace_id()

    def fails():
        with mlflow.start_span("broken"):
            raise ValueError("on purpose")

    traces = [traced(answer, f"question {index}") for index in range(60)] + [traced(fails)]
    with mlflow.start_run(run_name="traced") as run:
        inside = traced(answer, "in a run")
    client.link_traces_to_run(traces[:3], run.info.run_id)

    human = AssessmentSource(source_type="HUMAN", source_id="ada@example.org")
    first = mlflow.log_feedback(trace_id=traces[0], name="quality", value={"a": [1, 0.5]}, source=human, rationale="so")
    good = mlflow.log_feedback(trace_id=traces[0], name="good", value=True, metadata={"why": "because"})
    mlflow.log_feedback(trace_id=traces[1], name="failed", error=ValueError("no"))
    mlflow.log_expectation(trace_id=traces[1], name="expected", value={"x": ["y", 2]})
    mlflow.override_feedback(trace_id=traces[0], assessment_id=first.assessment_id, value="better")

    for version in (1, 2, 3):
        mlflow.genai.register_prompt(name="greeting", template=f"Hello {{{{name}}}}, {version} times", commit_message=f"the {version}.",
                                     tags={"tone": "warm"})
    chat = [{"role": "system", "content": "You are {{style}}."}, {"role": "user", "content": "{{question}}"}]
    prompt = mlflow.genai.register_prompt(name="chat", template=chat)
    client.set_prompt_alias("greeting", "live", 2)
    client.set_prompt_tag("greeting", "team", "a")
    client.delete_prompt_version("greeting", "1")
    client.link_prompt_versions_to_trace([prompt, mlflow.genai.load_prompt("prompts:/greeting/3")], traces[2])

    from mlflow.genai import datasets
    for name in ("questions", "more"):
        made = datasets.create_dataset(name=name, experiment_id=experiment, tags={"team": "ml"})
        made.merge_records([{"inputs": {"q": f"{name} {index}", "a": {"c": 1.5, "b": index}}, "expectations": {"a": index},
                             "outputs": [index]} for index in range(300)])
        made.merge_records([{"inputs": {"q": f"{name} 1", "a": {"c": 1.5, "b": 1}}, "expectations": {"b": 2}, "tags": {"x": "y"}}])

    judge = {"name": "safe", "mlflow_version": "3.12.0", "builtin_scorer_class": "Safety", "builtin_scorer_pydantic_data": {"name": "safe"}}
    for serialized in (judge, judge | {"description": "again"}):
        store.register_scorer(experiment, "safe", json.dumps(serialized))
    store.register_scorer(experiment, "custom", json.dumps({"name": "custom", "call_source": "return 1", "call_signature": "()"}))
    facts["refused"].append(f"scorers:/{experiment}/custom/1")

    from mlflow.entities import IssueSeverity
    issue = store.create_issue(experiment_id=experiment, name="slow", description="very", severity=IssueSeverity("high"),
                               root_causes=["x"], source_run_id=run.info.run_id, categories=["speed"], created_by="ada")
    facts["issue"] = issue.issue_id
    hook = client.create_webhook("hook", "https://93.184.215.14/hook", ["registered_model.created", "prompt.created"], "tells",
                                 secret="s3cret", status="ACTIVE")
    facts["webhook"] = hook.webhook_id
    facts["prompts"] = {"greeting": [2, 3], "chat": [1]}
    facts["traced run"] = run.info.run_id

    # As older versions kept it: the spans in a file.
    old = mlflow.get_trace(traces[10])
    TracingClient()._upload_trace_data(old.info, old.data)
    facts["old trace"] = old.info.trace_id
    database = sqlite3.connect(folder / "mlflow.db")
    spoiled, lost, odd = traces[20], traces[21], mlflow.get_trace(traces[20]).data.spans[1].span_id
    with database:
        for trace in (old.info.trace_id, lost):
            database.execute("DELETE FROM spans WHERE trace_id = ?", (trace,))
            database.execute("UPDATE trace_tags SET value = 'ARTIFACT_REPO' WHERE request_id = ? AND key = 'mlflow.trace.spansLocation'", (trace,))
    database.close()
    facts["half"] = {"spoiled": spoiled, "lost": lost, "span": odd, "broken": good.assessment_id}
    facts["refused"] += [f"traces:/{spoiled}/spans/{odd}", f"traces:/{lost}/spans", f"traces:/{traces[0]}/assessments/{good.assessment_id}"]
    assert inside not in traces


def make_users(folder, experiment):
    """What MLflow's basic auth keeps beside the store, by its schema: making it with MLflow takes packages of an extra."""
    database = sqlite3.connect(folder / "basic_auth.db")
    with database:
        database.executescript("""
            CREATE TABLE users (id INTEGER PRIMARY KEY, username VARCHAR(255) UNIQUE, password_hash VARCHAR(255), is_admin BOOLEAN);
            CREATE TABLE experiment_permissions (id INTEGER PRIMARY KEY, experiment_id VARCHAR(255) NOT NULL,
                user_id INTEGER NOT NULL REFERENCES users (id), permission VARCHAR(255));
            CREATE TABLE registered_model_permissions (id INTEGER PRIMARY KEY, name VARCHAR(255) NOT NULL,
                user_id INTEGER NOT NULL REFERENCES users (id), permission VARCHAR(255));
            INSERT INTO users VALUES (1, 'admin', 'scrypt:32768:8:1$x$y', 1), (2, 'grace', 'scrypt:32768:8:1$x$y', 0);
            INSERT INTO registered_model_permissions VALUES (1, 'fraud', 2, 'READ');
        """)
        database.execute("INSERT INTO experiment_permissions VALUES (1, ?, 2, 'EDIT')", (experiment,))
    database.close()


def spoil(folder, facts):
    """Puts into the source what MLflow could not read itself: no JSON at all."""
    half = facts["half"]
    # The client put a file there too, perhaps.
    shutil.rmtree(folder / "mlruns" / "1" / "traces" / half["lost"], ignore_errors=True)
    database = sqlite3.connect(folder / "mlflow.db")
    with database:
        database.execute("UPDATE spans SET content = '[[[' WHERE trace_id = ? AND span_id = ?", (half["spoiled"], half["span"]))
        database.execute("UPDATE assessments SET value = '{' WHERE assessment_id = ?", (half["broken"],))
        facts |= {table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
                  for table in ["trace_info", "spans", "assessments", "evaluation_dataset_records"]}
    database.close()
    return facts


def plain(span):
    """A span with its attributes in one spelling: on their way through a server they are read and written again."""
    made = span.to_dict()
    made["attributes"] = {key: json.dumps(json.loads(text), sort_keys=True).replace('"NaN"', "NaN") for key, text in made["attributes"].items()}
    return made


def describe(mlflow, client, facts, experiment):
    """What a client sees of them, by name."""
    mlflow.set_experiment(experiment_id=experiment)
    half = facts["half"]
    found, ids = {}, set()
    token = None
    while True:
        page = client.search_traces(locations=[experiment], max_results=25, page_token=token, include_spans=False)
        ids |= {trace.info.trace_id for trace in page}
        token = page.token
        if not token:
            break
    for trace_id in ids - {half["spoiled"], half["lost"]}:
        trace = mlflow.get_trace(trace_id)
        info = trace.info
        assessments = [[a.assessment_id, a.name, type(a).__name__, a.value, str(getattr(a, "error", None)), a.create_time_ms, a.source.source_type,
                        a.source.source_id, a.rationale, a.overrides, a.valid is not False, sorted((a.metadata or {}).items())]
                       for a in info.assessments if a.assessment_id != half["broken"]]
        found[f"trace {trace_id}"] = [
            info.experiment_id, info.request_time, info.execution_duration, info.state.value, info.request_preview, info.response_preview,
            sorted((k, v) for k, v in info.tags.items() if k != "mlflow.artifactLocation"), sorted(info.trace_metadata.items()),
            sorted(assessments, key=lambda a: a[0]), sorted(map(plain, trace.data.spans), key=lambda span: span["span_id"])]
    found["traces"] = sorted(ids)
    by = {"run": {"run_id": facts["traced run"]}, "prompt": {"filter_string": "prompt = 'greeting/3'"},
          "feedback": {"filter_string": "feedback.quality = 'better'"}, "span": {"filter_string": "span.name = 'broken'"}}
    for name, how in by.items():
        found[f"traces by {name}"] = sorted(trace.info.trace_id for trace in client.search_traces(
            locations=[experiment], include_spans=False, max_results=100, **how))
    for name, versions in facts["prompts"].items():
        for version in versions:
            prompt = mlflow.genai.load_prompt(f"prompts:/{name}/{version}")
            found[f"prompt {name} {version}"] = [prompt.template, prompt.commit_message or "", sorted(prompt.tags.items()), prompt.creation_timestamp]
    found["prompt by alias"] = mlflow.genai.load_prompt("prompts:/greeting@live").version
    found["prompts"] = sorted((prompt.name, sorted(prompt.tags.items())) for prompt in mlflow.genai.search_prompts())
    from mlflow.genai import datasets
    for dataset in datasets.search_datasets(experiment_ids=[experiment]):
        records = dataset.to_df().to_dict("records")
        found[f"dataset {dataset.name}"] = [
            dataset.dataset_id, sorted(dataset.tags.items()), dataset.digest, dataset.created_time, sorted(dataset.experiment_ids),
            sorted(json.dumps([row[key] for key in ("dataset_record_id", "inputs", "outputs", "expectations", "tags")], sort_keys=True)
                   for row in records)]
    store = client._tracking_client.store
    found["scorers"] = [[one.scorer_name, one.scorer_version, json.loads(one._serialized_scorer), one.creation_time]
                        for one in store.list_scorer_versions(experiment, "safe")]
    issue = store.get_issue(facts["issue"])
    found["issue"] = [issue.name, issue.description, issue.status.value, issue.severity.value, issue.root_causes, issue.source_run_id,
                      issue.categories, issue.created_timestamp]
    return json.loads(json.dumps(found))
