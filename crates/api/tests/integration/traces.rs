use http::Method;
use serde_json::{Value, json};

use crate::test_app::{TestApp, User};

const ROOT: &str = "/api/3.0/mlflow";

fn span(trace: u8, id: u8, parent: Option<u8>, name: &str) -> Value {
    json!({
        "traceId": format!("{trace:02x}").repeat(16), "spanId": format!("{id:02x}").repeat(8),
        "parentSpanId": parent.map(|id| format!("{id:02x}").repeat(8)).unwrap_or_default(), "name": name,
        "startTimeUnixNano": "1767225600000000000", "endTimeUnixNano": "1767225601000000000",
        "status": {"code": 1},
        "attributes": [{"key": "fruit", "value": {"stringValue": name}}, {"key": "mlflow.spanInputs", "value": {"stringValue": "hi"}}],
        "events": [{"name": "token", "timeUnixNano": "5", "attributes": [{"key": "n", "value": {"intValue": "7"}}]}],
    })
}

fn id(trace: u8) -> String {
    format!("tr-{}", format!("{trace:02x}").repeat(16))
}

async fn search(test: &TestApp, user: &User, experiment: &str, filter: &str) -> Vec<String> {
    let body = json!({"locations": [{"mlflow_experiment": {"experiment_id": experiment}}], "filter": filter});
    let found = test.post(user, &format!("{ROOT}/traces/search"), body).await.ok();
    let traces = found["traces"].as_array().cloned().unwrap_or_default();
    traces.iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_trace_comes_back_as_it_was_sent() {
    let test = TestApp::new().await;
    let made = test.trace(&test.admin, "0", "tr-1").await;
    assert_eq!(made["request_time"], "2026-01-01T00:00:00.500Z");
    assert_eq!(made["execution_duration"], "1.500s");
    assert_eq!(made["tags"]["mlflow.artifactLocation"], "mlflow-artifacts:/0/traces/tr-1/artifacts");
    let found = test.get(&test.admin, &format!("{ROOT}/traces/tr-1")).await.ok();
    assert_eq!(found["trace"]["trace_info"], made);
    let old = test.ask(&test.admin, "traces/tr-1/info").await.ok();
    assert_eq!((&old["trace_info"]["execution_time_ms"], &old["trace_info"]["status"]), (&json!(1500), &json!("OK")));
    let missing = test.get(&test.admin, &format!("{ROOT}/traces/tr-9")).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(missing, "Trace with ID 'tr-9' not found.");
}

#[tokio::test]
async fn spans_come_back_whole() {
    let test = TestApp::new().await;
    test.spans(&test.admin, "0", json!([span(1, 2, Some(1), "child"), span(1, 1, None, "root")])).await.ok();
    let found = test.get(&test.admin, &format!("{ROOT}/traces/get?trace_id={}", id(1))).await.ok();
    let spans = found["trace"]["spans"].as_array().unwrap();
    assert_eq!((spans.len(), &spans[0]["name"]), (2, &json!("root")));
    assert_eq!(spans[1]["parent_span_id"], "AQEBAQEBAQE=");
    let attributes = spans[0]["attributes"].as_array().unwrap();
    assert!(attributes.contains(&json!({"key": "fruit", "value": {"string_value": "root"}})));
    assert_eq!(spans[0]["events"][0]["attributes"][0]["value"], json!({"int_value": 7}));
    let info = &found["trace"]["trace_info"];
    assert_eq!((&info["state"], &info["request_preview"]), (&json!("OK"), &json!("\"hi\"")));
    assert_eq!(info["tags"]["mlflow.trace.spansLocation"], "TRACKING_STORE");
    let batch = test.get(&test.admin, &format!("{ROOT}/traces/batchGet?trace_ids={}&trace_ids=tr-9", id(1))).await.ok();
    assert_eq!(batch["traces"].as_array().unwrap().len(), 1);
    let file = test.get(&test.admin, &format!("/ajax-api/2.0/mlflow/get-trace-artifact?request_id={}", id(1))).await;
    assert_eq!(file.headers["content-disposition"], "attachment; filename=traces.json");
    assert_eq!(file.json()["spans"][0]["attributes"]["fruit"], "\"root\"");
    let whole =
        ["span.name = 'child' AND span.attributes.fruit = 'child'", "trace.text LIKE '%child%'", "status = 'OK'"];
    for filter in whole {
        assert_eq!(search(&test, &test.admin, "0", filter).await, [id(1)], "{filter}");
    }
    assert!(search(&test, &test.admin, "0", "span.name = 'child' AND span.attributes.fruit = 'root'").await.is_empty());
}

#[tokio::test]
async fn a_trace_with_missing_spans_is_given_only_to_who_asks_for_a_part() {
    let test = TestApp::new().await;
    test.spans(&test.admin, "0", json!([span(1, 1, None, "root")])).await.ok();
    let info = json!({
        "trace_id": id(1), "request_time": "2026-01-01T00:00:00Z", "state": "OK",
        "trace_location": {"mlflow_experiment": {"experiment_id": "0"}},
        "trace_metadata": {"mlflow.trace.sizeStats": "{\"num_spans\": 2}"},
    });
    test.post(&test.admin, &format!("{ROOT}/traces"), json!({"trace": {"trace_info": info}})).await.ok();
    let path = format!("{ROOT}/traces/get?trace_id={}", id(1));
    let message = test.get(&test.admin, &path).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert!(message.contains("not fully exported"));
    test.get(&test.admin, &format!("{path}&allow_partial=True")).await.ok();
    test.spans(&test.admin, "0", json!([span(1, 2, Some(1), "child")])).await.ok();
    test.get(&test.admin, &path).await.ok();
}

#[tokio::test]
async fn pages_follow_each_other() {
    let test = TestApp::new().await;
    for number in 0..5 {
        test.trace(&test.admin, "0", &format!("tr-{number}")).await;
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let body = json!({"locations": [{"mlflow_experiment": {"experiment_id": "0"}}], "max_results": 2,
            "order_by": ["name ASC", "timestamp DESC"], "page_token": token});
        let page = test.post(&test.admin, &format!("{ROOT}/traces/search"), body).await.ok();
        seen.extend(page["traces"].as_array().unwrap().iter().map(|trace| trace["trace_id"].clone()));
        match page["next_page_token"].as_str() {
            Some(next) => token = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, ["tr-0", "tr-1", "tr-2", "tr-3", "tr-4"]);
    for (name, value) in [("page_token", json!("x")), ("max_results", json!(501)), ("order_by", json!(["password"]))] {
        let body = json!({"locations": [{"mlflow_experiment": {"experiment_id": "0"}}], name: value});
        test.post(&test.admin, &format!("{ROOT}/traces/search"), body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

/// Fault class 5 (CVE-2025-15381, 2026-0545, 2026-2652): traces, assessments and spans without a right to the experiment.
#[tokio::test]
async fn nobody_reaches_the_traces_of_another_experiment() {
    let test = TestApp::new().await;
    let mine = test.experiment(&test.admin, "mine").await;
    let theirs = test.experiment(&test.admin, "theirs").await;
    test.spans(&test.admin, &theirs, json!([span(1, 1, None, "secret")])).await.ok();
    let eve = test.user("eve", &[(&format!("experiment:{mine}"), "MANAGE")]).await;
    let theirs_id = id(1);
    for path in [
        format!("{ROOT}/traces/{theirs_id}"),
        format!("{ROOT}/traces/get?trace_id={theirs_id}"),
        format!("/api/2.0/mlflow/traces/{theirs_id}/info"),
        format!("/api/2.0/mlflow/get-trace-artifact?request_id={theirs_id}"),
        format!("{ROOT}/traces/{theirs_id}/assessments/a-1"),
        format!("/api/2.0/mlflow-artifacts/artifacts/{theirs}/traces/{theirs_id}/artifacts/traces.json"),
        // The right experiment beside another one's trace.
        format!("/api/2.0/mlflow-artifacts/artifacts/{mine}/traces/{theirs_id}/artifacts/traces.json"),
    ] {
        test.get(&eve, &path).await.error(403, "PERMISSION_DENIED");
    }
    let judged = json!({"assessment": {"assessment_name": "a", "feedback": {"value": 1}}});
    test.post(&eve, &format!("{ROOT}/traces/{theirs_id}/assessments"), judged).await.error(403, "PERMISSION_DENIED");
    // Spans that say they belong to another experiment's trace.
    test.spans(&eve, &mine, json!([span(1, 9, Some(1), "forged")])).await.error(403, "PERMISSION_DENIED");
    let spans = test.get(&test.admin, &format!("{ROOT}/traces/get?trace_id={theirs_id}")).await.ok();
    assert_eq!(spans["trace"]["spans"].as_array().unwrap().len(), 1);
    // A trace as a whole under the id of another experiment's.
    let info = json!({"trace_id": theirs_id, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
        "trace_location": {"mlflow_experiment": {"experiment_id": mine}}});
    let taken = json!({"trace": {"trace_info": info}});
    test.post(&eve, &format!("{ROOT}/traces"), taken).await.error(403, "PERMISSION_DENIED");
    // Deleting by id in one's own experiment.
    let delete = json!({"experiment_id": mine, "request_ids": [theirs_id]});
    let deleted = test.post(&eve, &format!("{ROOT}/traces/delete-traces"), delete).await.ok();
    assert_eq!(deleted["traces_deleted"], 0);
    // Linking to one's own run.
    let run = test.run(&test.admin, &mine).await;
    let link = json!({"run_id": run, "trace_ids": [theirs_id]});
    test.mlflow(&eve, "traces/link-to-run", link).await.error(403, "PERMISSION_DENIED");
    // Both kinds of batches, and a search.
    let batch = test.get(&eve, &format!("{ROOT}/traces/batchGet?trace_ids={theirs_id}")).await.ok();
    assert_eq!(batch, json!({}));
    let infos = test.post(&eve, &format!("{ROOT}/traces/batchGetInfos"), json!({"trace_ids": [theirs_id]})).await.ok();
    assert_eq!(infos, json!({}));
    let both = json!({"locations": [{"mlflow_experiment": {"experiment_id": mine}},
        {"mlflow_experiment": {"experiment_id": theirs}}]});
    assert_eq!(test.post(&eve, &format!("{ROOT}/traces/search"), both.clone()).await.ok(), json!({}));
    let found = test.post(&test.admin, &format!("{ROOT}/traces/search"), both).await.ok();
    assert_eq!(found["traces"][0]["trace_id"], theirs_id);
    let only = json!({"locations": [{"mlflow_experiment": {"experiment_id": theirs}}]});
    test.post(&eve, &format!("{ROOT}/traces/search"), only).await.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn deletion_takes_spans_and_artifacts_and_is_in_the_ledger_once() {
    let test = TestApp::new().await;
    for number in 1..4 {
        test.spans(&test.admin, "0", json!([span(number, 1, None, "root")])).await.ok();
    }
    let before = test.ledger().await.len();
    let path = format!("0/traces/{}/artifacts/attachments/5f0c1bde-0000-4000-8000-000000000001", id(1));
    test.upload(&test.admin, &path, "image").await.ok();
    let asked = format!("{ROOT}/get-trace-artifact?request_id={}&path=5f0c1bde-0000-4000-8000-000000000001", id(1));
    assert_eq!(test.get(&test.admin, &asked).await.bytes.unwrap(), "image");
    for bad in ["..", "../x", "5F0C1BDE-0000-4000-8000-000000000001", "x"] {
        let asked = format!("{ROOT}/get-trace-artifact?request_id={}&path={bad}", id(1));
        test.get(&test.admin, &asked).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    // What is written to traces is data; only its removal is an act.
    assert_eq!(test.ledger().await.len(), before);
    let delete = json!({"experiment_id": "0", "max_timestamp_millis": "1900000000000", "max_traces": 2});
    let deleted = test.mlflow(&test.admin, "traces/delete-traces", delete).await.ok();
    assert_eq!(deleted["traces_deleted"], 2);
    let ledger = test.ledger().await;
    let acts: Vec<&Value> = ledger[before..].iter().map(|event| &event["act"]).collect();
    assert_eq!(acts, ["traces-deleted"]);
    assert_eq!(ledger[before]["traces"], 2);
    test.get(&test.admin, &asked).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(search(&test, &test.admin, "0", "").await, [id(3)]);
    for bad in [
        json!({"experiment_id": "0"}),
        json!({"experiment_id": "0", "max_timestamp_millis": 5, "request_ids": ["a"]}),
        json!({"experiment_id": "0", "max_traces": 1, "request_ids": ["a"]}),
        json!({"experiment_id": "0", "max_timestamp_millis": 5, "max_traces": 0}),
        json!({"experiment_id": "0", "request_ids": ["../x"]}),
    ] {
        test.mlflow(&test.admin, "traces/delete-traces", bad).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn assessments_override_each_other() {
    let test = TestApp::new().await;
    test.trace(&test.admin, "0", "tr-1").await;
    let path = format!("{ROOT}/traces/tr-1/assessments");
    let judged = json!({"assessment": {"assessment_name": "q", "feedback": {"value": {"rating": 4.0}},
        "source": {"source_type": "HUMAN", "source_id": "ada"}, "metadata": {"a": "1"}, "assessment_id": "mine"}});
    let first = test.post(&test.admin, &path, judged).await.ok()["assessment"].clone();
    let first_id = first["assessment_id"].as_str().unwrap().to_owned();
    assert_ne!(first_id, "mine");
    assert_eq!((&first["feedback"]["value"]["rating"], &first["valid"]), (&json!(4), &json!(true)));
    let update = json!({"assessment": {"assessment_name": "r", "metadata": {"b": "2"}, "rationale": "no"},
        "update_mask": "assessmentName,metadata"});
    let one = format!("{path}/{first_id}");
    let updated = test.call(&test.admin, Method::PATCH, &one, update.to_string()).await.ok();
    assert_eq!(updated["assessment"]["assessment_name"], "r");
    assert_eq!(updated["assessment"]["metadata"], json!({"a": "1", "b": "2"}));
    assert_eq!(updated["assessment"]["rationale"], Value::Null);
    let wrong = json!({"assessment": {"expectation": {"value": 1}}, "update_mask": "expectation"});
    test.call(&test.admin, Method::PATCH, &one, wrong.to_string()).await.error(400, "INVALID_PARAMETER_VALUE");
    let over = json!({"assessment": {"assessment_name": "q", "feedback": {"value": true}, "overrides": first_id}});
    let second = test.post(&test.admin, &path, over).await.ok()["assessment"]["assessment_id"].clone();
    assert_eq!(test.get(&test.admin, &one).await.ok()["assessment"]["valid"], false);
    let second = format!("{path}/{}", second.as_str().unwrap());
    test.call(&test.admin, Method::DELETE, &second, "").await.ok();
    test.get(&test.admin, &second).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert_eq!(test.get(&test.admin, &one).await.ok()["assessment"]["valid"], true);
    let expected = json!({"assessment": {"assessment_name": "e",
        "expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "[1, 2]"}}}});
    let expected = test.post(&test.admin, &path, expected).await.ok();
    assert_eq!(expected["assessment"]["expectation"]["serialized_value"]["value"], "[1,2]");
    for bad in [
        json!({}),
        json!({"assessment": {"assessment_name": "x"}}),
        json!({"assessment": {"feedback": {"value": 1}}}),
        json!({"assessment": {"assessment_name": "x", "feedback": {"value": 1}, "expectation": {"value": 1}}}),
        json!({"assessment": {"assessment_name": "x", "expectation": {}}}),
        json!({"assessment": {"assessment_name": "x", "feedback": {"value": 1}, "source": {"source_type": "GOD"}}}),
    ] {
        test.post(&test.admin, &path, bad).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn older_clients_begin_and_end_traces() {
    let test = TestApp::new().await;
    let start = json!({"experiment_id": "0", "timestamp_ms": 1000, "request_metadata": [{"key": "m", "value": "1"}],
        "tags": [{"key": "mlflow.artifactLocation", "value": "file:///etc"}]});
    let made = test.mlflow(&test.admin, "traces", start).await.ok();
    let id = made["trace_info"]["request_id"].as_str().unwrap().to_owned();
    assert_eq!(made["trace_info"]["status"], "IN_PROGRESS");
    let location =
        json!({"key": "mlflow.artifactLocation", "value": format!("mlflow-artifacts:/0/traces/{id}/artifacts")});
    assert_eq!(made["trace_info"]["tags"], json!([location]));
    let end = json!({"timestamp_ms": 3000, "status": "OK", "request_metadata": [{"key": "n", "value": "2"}],
        "tags": [{"key": "mlflow.artifactLocation", "value": "file:///etc"}]});
    let ended =
        test.call(&test.admin, Method::PATCH, &format!("/api/2.0/mlflow/traces/{id}"), end.to_string()).await.ok();
    assert_eq!(ended["trace_info"]["execution_time_ms"], 2000);
    assert_eq!(ended["trace_info"]["tags"], json!([location]));
    let tag = json!({"key": "mlflow.artifactLocation", "value": "file:///etc"}).to_string();
    let tags = format!("/api/2.0/mlflow/traces/{id}/tags");
    test.call(&test.admin, Method::PATCH, &tags, tag).await.error(400, "INVALID_PARAMETER_VALUE");
    // The spans of theirs are an artifact.
    test.upload(&test.admin, &format!("0/traces/{id}/artifacts/traces.json"), "{\"spans\": []}").await.ok();
    let file = test.ask(&test.admin, &format!("get-trace-artifact?request_id={id}")).await;
    assert_eq!(file.bytes.unwrap(), "{\"spans\": []}");
    let found = test.ask(&test.admin, "traces?experiment_ids=0&filter=status%3D'OK'").await.ok();
    assert_eq!(found["traces"][0]["request_id"], id.as_str());
}

#[tokio::test]
async fn counts_are_given_by_group() {
    let test = TestApp::new().await;
    test.spans(&test.admin, "0", json!([span(1, 1, None, "root"), span(1, 2, Some(1), "child")])).await.ok();
    let ask = json!({"experiment_ids": ["0"], "view_type": "SPANS", "metric_name": "span_count",
        "aggregations": [{"aggregation_type": "COUNT"}], "dimensions": ["span_name"],
        "filters": ["trace.status = 'OK'"], "time_interval_seconds": 3600, "start_time_ms": 0, "end_time_ms": "1900000000000"});
    let found = test.post(&test.admin, &format!("{ROOT}/traces/metrics"), ask).await.ok();
    let expected = json!({"metric_name": "span_count", "values": {"COUNT": 1.0},
        "dimensions": {"span_name": "child", "time_bucket": "2026-01-01T00:00:00+00:00"}});
    assert_eq!(found["data_points"][0], expected);
    let bad = json!({"experiment_ids": ["0"], "view_type": "SPANS", "metric_name": "x", "aggregations": []});
    test.post(&test.admin, &format!("{ROOT}/traces/metrics"), bad).await.error(400, "INVALID_PARAMETER_VALUE");
}
