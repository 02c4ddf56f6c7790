use std::io::Write as _;

use axum::body::Body;
use http::Method;
use serde_json::json;

use crate::test_app::{NOBODY, TestApp};

/// A length-delimited field.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        out.push((length as u8) | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(bytes);
    out
}

fn export(name: &str, count: u8) -> Vec<u8> {
    let mut scope = Vec::new();
    for number in 1..=count {
        let span = [field(1, &[7; 16]), field(2, &[number; 8]), field(5, name.as_bytes())].concat();
        scope.extend(field(2, &span));
    }
    field(1, &field(2, &scope))
}

/// A span that says only its name.
fn export_without_ids() -> Vec<u8> {
    field(1, &field(2, &field(2, &field(5, b"a"))))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const EXPERIMENT: (&str, &str) = ("x-mlflow-experiment-id", "0");

async fn send(test: &TestApp, headers: &[(&str, &str)], body: Vec<u8>) -> crate::test_app::Answer {
    test.send_with(&test.admin, Method::POST, "/v1/traces", headers, Body::from(body)).await
}

#[tokio::test]
async fn protobuf_is_taken_plain_and_compressed() {
    let test = TestApp::new().await;
    let answer = send(&test, &[PROTOBUF, EXPERIMENT], export("a", 1)).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["content-type"]),
        (200, &"application/x-protobuf".parse().unwrap())
    );
    assert!(answer.bytes.unwrap().is_empty());
    send(&test, &[PROTOBUF, EXPERIMENT, ("content-encoding", "gzip")], gzip(&export("b", 3))).await.ok();
    let found =
        test.get(&test.admin, &format!("/api/3.0/mlflow/traces/get?trace_id=tr-{}", "07".repeat(16))).await.ok();
    assert_eq!(found["trace"]["spans"].as_array().unwrap().len(), 3);
}

/// Headers and body of a request.
type Case<'a> = (Vec<(&'a str, &'a str)>, Vec<u8>);

#[tokio::test]
async fn broken_requests_are_the_clients_fault() {
    let test = TestApp::new().await;
    let whole = export("a", 2);
    let bomb = gzip(&vec![0; 8 << 20]);
    let cut = whole[..whole.len() - 3].to_vec();
    let gzipped = ("content-encoding", "gzip");
    let cases: Vec<Case<'_>> = vec![
        (vec![PROTOBUF, EXPERIMENT, EXPERIMENT], whole.clone()),
        (vec![EXPERIMENT], whole.clone()),
        (vec![("content-type", "text/plain"), EXPERIMENT], whole.clone()),
        (vec![PROTOBUF, EXPERIMENT, ("content-encoding", "br")], whole.clone()),
        (vec![PROTOBUF, EXPERIMENT, gzipped, gzipped], gzip(&whole)),
        (vec![PROTOBUF, EXPERIMENT, gzipped], whole.clone()),
        (vec![PROTOBUF, EXPERIMENT, gzipped], [gzip(&whole), b"more".to_vec()].concat()),
        (vec![PROTOBUF, EXPERIMENT, gzipped], bomb),
        (vec![PROTOBUF, EXPERIMENT], Vec::new()),
        (vec![PROTOBUF, EXPERIMENT], cut),
        (vec![PROTOBUF, EXPERIMENT], vec![0xff; 100]),
        (vec![PROTOBUF, EXPERIMENT], export(&"x".repeat(5000), 1)),
        (vec![("content-type", "application/json"), EXPERIMENT], b"{\"resourceSpans\": 5}".to_vec()),
        (vec![("content-type", "application/json"), EXPERIMENT], "[".repeat(100_000).into_bytes()),
    ];
    for (headers, body) in cases {
        let answer = send(&test, &headers, body).await;
        assert_eq!(answer.status.as_u16(), 400, "{headers:?} {}", answer.json());
        assert!(answer.json()["error_code"].is_string());
    }
    // What can be read and not used: without an experiment, or a span's id.
    for (headers, body) in [(vec![PROTOBUF], whole.clone()), (vec![PROTOBUF, EXPERIMENT], export_without_ids())] {
        let answer = send(&test, &headers, body).await;
        assert_eq!(answer.status.as_u16(), 422, "{headers:?} {}", answer.json());
    }
    // An id that no experiment has is said after what is wrong with the rest.
    let other = ("x-mlflow-experiment-id", "no-id");
    for (headers, words) in [
        (vec![("content-type", "text/plain"), other], "Invalid Content-Type"),
        (vec![PROTOBUF, other], "Invalid experiment ID"),
    ] {
        let message = send(&test, &headers, whole.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains(words), "{message}");
    }
    let nobody = test.send_with(&NOBODY, Method::POST, "/v1/traces", &[PROTOBUF, EXPERIMENT], whole.clone()).await;
    nobody.error(401, "UNAUTHENTICATED");
    let reader = test.user("reader", &[("experiment:0", "READ")]).await;
    let refused = test.send_with(&reader, Method::POST, "/v1/traces", &[PROTOBUF, EXPERIMENT], whole).await;
    refused.error(403, "PERMISSION_DENIED");
}

#[tokio::test]
async fn spans_with_impossible_times_are_refused() {
    let test = TestApp::new().await;
    let span =
        json!({"traceId": "01".repeat(16), "spanId": "01".repeat(8), "startTimeUnixNano": "18446744073709551615"});
    test.spans(&test.admin, "0", json!([span])).await.error(400, "INVALID_PARAMETER_VALUE");
}

#[tokio::test]
async fn a_large_trace_is_written_in_pieces_and_read_back() {
    let test = TestApp::new().await;
    let spans: Vec<_> = (1..=1200u32)
        .map(|number| {
            json!({"traceId": "0a".repeat(16), "spanId": format!("{number:016x}"), "name": format!("step {number}"),
                "parentSpanId": if number == 1 { String::new() } else { format!("{:016x}", 1) },
                "startTimeUnixNano": "5000000", "endTimeUnixNano": "9000000",
                "attributes": [{"key": "n", "value": {"intValue": number}}]})
        })
        .collect();
    test.spans(&test.admin, "0", json!(spans)).await.ok();
    // Sent again after a broken connection: nothing is there twice.
    test.spans(&test.admin, "0", json!(spans)).await.ok();
    let found =
        test.get(&test.admin, &format!("/api/3.0/mlflow/traces/get?trace_id=tr-{}", "0a".repeat(16))).await.ok();
    assert_eq!(found["trace"]["spans"].as_array().unwrap().len(), 1200);
    assert_eq!(found["trace"]["trace_info"]["execution_duration"], "0.004s");
}
