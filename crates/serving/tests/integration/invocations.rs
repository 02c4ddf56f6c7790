//! The scoring protocol: what is accepted, what is refused and how.

use proptest::prelude::*;
use sealyard_serving::Model;
use sealyard_serving::protocol::mlflow::{Limits, Response, invoke, ping, version};
use serde_json::{Value, json};

use crate::verified::{Files, fixture};

const COLUMNS: [&str; 10] = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"];

fn signature(kind: &str) -> String {
    let columns: Vec<Value> =
        COLUMNS.iter().map(|name| json!({ "name": name, "type": kind, "required": true })).collect();
    Value::Array(columns).to_string()
}

fn model(signature: Option<&str>) -> Model {
    Files::model(&fixture("ridge/pickle4.pkl"), signature).load().unwrap()
}

fn post(model: &Model, body: &str) -> Response {
    invoke(model, Some("application/json"), body.as_bytes(), &Limits::default())
}

fn body(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

/// The predictions for a row of ten numbers, from scikit-learn.
fn expected() -> (Value, f64) {
    let expected: Value = serde_json::from_slice(&fixture("ridge/expected.json")).unwrap();
    (expected["rows"][0].clone(), expected["predictions"][0].as_f64().unwrap())
}

fn assert_predicts(response: &Response, number: f64) {
    assert_eq!(response.status, 200, "{}", response.body.escape_ascii());
    let found = body(response)["predictions"][0].as_f64().unwrap();
    assert!((found - number).abs() < 1e-9 * number.abs(), "{found} {number}");
}

#[test]
fn all_four_forms_and_csv() {
    let (row, number) = expected();
    let model = model(Some(&signature("double")));
    let record: Value = COLUMNS.iter().zip(row.as_array().unwrap()).map(|(name, cell)| (*name, cell.clone())).collect();
    let lists: Value = COLUMNS.iter().zip(row.as_array().unwrap()).map(|(name, cell)| (*name, json!([cell]))).collect();
    let mut with_extra = record.clone();
    with_extra["note"] = json!("dropped");
    for request in [
        json!({ "inputs": [row] }),
        json!({ "inputs": lists }),
        json!({ "inputs": [record] }),
        json!({ "instances": [row], "params": {} }),
        json!({ "instances": [record] }),
        json!({ "dataframe_records": [record] }),
        json!({ "dataframe_records": [with_extra] }),
        json!({ "dataframe_split": { "columns": COLUMNS, "index": [0], "data": [row] } }),
        json!({ "dataframe_split": { "data": [row] } }),
    ] {
        assert_predicts(&post(&model, &request.to_string()), number);
    }
    let cells: Vec<String> = row.as_array().unwrap().iter().map(Value::to_string).collect();
    let csv = format!("extra,{}\nx,{}\n", COLUMNS.join(","), cells.join(","));
    assert_predicts(&invoke(&model, Some("text/csv; charset=utf-8"), csv.as_bytes(), &Limits::default()), number);
}

#[test]
fn tensor_signatures_take_split_without_columns() {
    let (row, number) = expected();
    let tensor = r#"[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 10]}}]"#;
    let model = model(Some(tensor));
    assert_predicts(&post(&model, &json!({ "dataframe_split": { "data": [row] } }).to_string()), number);
    assert_predicts(&post(&model, &json!({ "inputs": [row] }).to_string()), number);
}

#[test]
fn answers_are_shortest_and_round_trip() {
    let (row, _) = expected();
    let response = post(&model(None), &json!({ "inputs": [row] }).to_string());
    let text = String::from_utf8(response.body).unwrap();
    let number = text.trim_start_matches("{\"predictions\":[").trim_end_matches("]}");
    assert_eq!(number.parse::<f64>().unwrap().to_string(), number);
}

#[test]
fn content_types() {
    let model = model(None);
    let request = json!({ "inputs": [vec![0; 10]] }).to_string();
    for (kind, status) in [
        (None, 415),
        (Some(""), 415),
        (Some("text/plain"), 415),
        (Some("application/x-www-form-urlencoded"), 415),
        (Some("application/json; charset=latin1"), 415),
        (Some("application/json"), 200),
        (Some("Application/JSON; charset=UTF-8"), 200),
    ] {
        let response = invoke(&model, kind, request.as_bytes(), &Limits::default());
        assert_eq!(response.status, status, "{kind:?}");
        assert_eq!(response.content_type, "application/json");
    }
}

#[test]
fn bad_requests_say_what_without_an_echo() {
    let model = model(Some(&signature("double")));
    let zeros = vec![0; 10];
    for (request, code) in [
        ("hunter2".to_owned(), "BAD_REQUEST"),
        ("{}".to_owned(), "BAD_REQUEST"),
        (json!([zeros]).to_string(), "BAD_REQUEST"),
        (json!({ "hunter2": [zeros] }).to_string(), "BAD_REQUEST"),
        (json!({ "inputs": [zeros], "instances": [zeros] }).to_string(), "BAD_REQUEST"),
        (format!(r#"{{"inputs": [{zeros:?}], "inputs": [{zeros:?}]}}"#), "BAD_REQUEST"),
        (json!({ "inputs": [zeros], "params": "hunter2" }).to_string(), "BAD_REQUEST"),
        (json!({ "inputs": "hunter2" }).to_string(), "BAD_REQUEST"),
        (json!({ "inputs": [zeros, [1]] }).to_string(), "BAD_REQUEST"),
        (json!({ "dataframe_split": { "columns": ["a", "a"], "data": [[1, 2]] } }).to_string(), "BAD_REQUEST"),
        (json!({ "dataframe_split": { "columns": COLUMNS } }).to_string(), "BAD_REQUEST"),
        (json!({ "dataframe_split": { "hunter2": 1, "data": [zeros] } }).to_string(), "BAD_REQUEST"),
        (json!({ "inputs": [[1, 2]] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (json!({ "dataframe_records": [{ "hunter2": 1 }] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (json!({ "inputs": [["hunter2", 0, 0, 0, 0, 0, 0, 0, 0, 0]] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (json!({ "inputs": [[null, 0, 0, 0, 0, 0, 0, 0, 0, 0]] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (json!({ "inputs": [[[1], 0, 0, 0, 0, 0, 0, 0, 0, 0]] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (json!({ "inputs": [[1e308, 1e308, 0, 0, 1e308, 0, 0, 0, 1e308, 0]] }).to_string(), "INVALID_PARAMETER_VALUE"),
        (r#"{"inputs": [[NaN, 0, 0, 0, 0, 0, 0, 0, 0, 0]]}"#.to_owned(), "BAD_REQUEST"),
    ] {
        let response = post(&model, &request);
        assert_eq!(response.status, 400, "{request}");
        let answer = body(&response);
        assert_eq!(answer["error_code"], code, "{request}: {answer}");
        assert!(!answer.to_string().contains("hunter2"), "{request}: {answer}");
    }
}

#[test]
fn missing_columns_are_named() {
    let model = model(Some(&signature("double")));
    let response = post(&model, &json!({ "dataframe_split": { "columns": ["age"], "data": [[1]] } }).to_string());
    let message = body(&response)["message"].as_str().unwrap().to_owned();
    assert!(message.contains("sex, bmi") && !message.contains("age"), "{message}");
}

#[test]
fn floats_never_become_integers() {
    for (kind, cell, status) in [
        ("long", json!(1), 200),
        ("long", json!(1.0), 400),
        ("integer", json!(1_u64 << 40), 400),
        ("double", json!(1), 200),
        ("float", json!(1.5), 200),
        ("float", json!(1e300), 400),
        ("boolean", json!(true), 200),
        ("boolean", json!(1), 400),
        ("string", json!("a"), 400),
        ("double", json!(true), 400),
    ] {
        let model = model(Some(&signature(kind)));
        let response = post(&model, &json!({ "inputs": [vec![cell.clone(); 10]] }).to_string());
        assert_eq!(response.status, status, "{kind} {cell}: {}", response.body.escape_ascii());
    }
}

#[test]
fn bounds() {
    let model = model(None);
    let limits = Limits { body: 200, rows: 2, columns: 12, depth: 4 };
    let post = |body: &str| invoke(&model, Some("application/json"), body.as_bytes(), &limits).status;
    assert_eq!(post(&json!({ "inputs": [vec![0; 10]] }).to_string()), 200);
    assert_eq!(post(&" ".repeat(201)), 413);
    assert_eq!(post(&json!({ "inputs": [[0], [0], [0]] }).to_string()), 400);
    assert_eq!(post(&json!({ "inputs": [vec![0; 13]] }).to_string()), 400);
    let deep = format!(r#"{{"inputs": {}{}}}"#, "[".repeat(5), "]".repeat(5));
    let answer = invoke(&model, Some("application/json"), deep.as_bytes(), &limits);
    assert!(body(&answer)["message"].as_str().unwrap().contains("nesting"));
    let deepest = format!(r#"{{"inputs": {}"#, "[".repeat(1 << 20));
    assert_eq!(invoke(&model, Some("application/json"), deepest.as_bytes(), &Limits::default()).status, 400);
}

#[test]
fn health() {
    assert_eq!((ping().status, ping().body), (200, b"\n".to_vec()));
    assert_eq!(version().body, b"3.6.0");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bodies_never_panic(text in "\\PC{0,80}", json in "[\\[\\]{}\",:0-9a-z. \\-]{0,120}") {
        thread_local! { static MODEL: Model = model(None); }
        MODEL.with(|model| {
            for body in [text.clone(), format!("{{\"inputs\":{json}}}"), format!("{{\"dataframe_split\":{json}}}")] {
                for kind in ["application/json", "text/csv"] {
                    let response = invoke(model, Some(kind), body.as_bytes(), &Limits::default());
                    assert!(matches!(response.status, 200 | 400 | 413));
                }
            }
        });
    }
}
