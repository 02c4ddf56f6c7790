use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use super::{Target, all_routes};

#[tokio::test]
async fn fault_07_rebound_names() {
    let target = Target::new().await;
    let test = &target.test;
    for (method, endpoint) in all_routes() {
        let path = target.fill(&endpoint.path, None);
        for host in
            ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:5000", "evil.example:5000", "[::2]", "0"]
        {
            let request = Request::builder()
                .method(method.clone())
                .uri(&path)
                .header("host", host)
                .body(Body::from("{}"))
                .unwrap();
            let answer = test.send(request).await;
            assert_eq!(
                (answer.status.as_u16(), &answer.json()["rules"]),
                (403, &json!(["http.host"])),
                "{method} {path} {host}"
            );
        }
        let request = Request::builder().method(method.clone()).uri(&path).body(Body::from("{}")).unwrap();
        assert_eq!(test.send(request).await.status.as_u16(), 403, "{method} {path} without a host");
    }
}

/// Where a request could make the server ask somebody else: sources of versions (fault 2), and webhooks.
#[tokio::test]
async fn fault_08_requests_on_behalf_of_others() {
    let target = Target::new().await;
    let test = &target.test;
    let urls = [
        "http://127.0.0.1/",
        "https://127.0.0.1:5000/x",
        "https://localhost/",
        "https://[::1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://0.0.0.0/",
        "https://[::ffff:127.0.0.1]/",
        "https://[fd00::1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://user:pass@127.0.0.1/",
        "https://example.org@127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "ftp://127.0.0.1/",
        "https://",
        "",
        "javascript:alert(1)",
        "https://127.0.0.1#@example.org/",
        "https://[fe80::1%25eth0]/",
        "//127.0.0.1/",
        "https://metadata.google.internal/",
    ];
    let mounted = all_routes()
        .into_iter()
        .any(|(method, endpoint)| method == Method::POST && endpoint.path.ends_with("/webhooks"));
    for url in urls {
        let new = json!({"name": "hook", "url": url, "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}], "status": "ACTIVE"});
        let answer = test.mlflow(&test.admin, "webhooks", new).await;
        if mounted && answer.status.is_success() {
            // A name is looked up when it is asked, and the address that it has then must be a public one: asking it fails.
            let id = answer.json()["webhook"]["webhook_id"].as_str().unwrap().to_owned();
            let tried = test.mlflow(&test.admin, &format!("webhooks/{id}/test"), json!({})).await;
            assert_ne!(tried.json()["result"]["success"], json!(true), "{url}");
        } else {
            assert!((400..500).contains(&answer.status.as_u16()), "{url}: {}", answer.status);
        }
    }
}

fn nested(depth: usize) -> String {
    format!("{{\"name\":{}1{}}}", "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn fault_10_requests_that_cost_too_much() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let experiment = &target.experiment;
    let long = "x".repeat(1_000_000);
    let begun = std::time::Instant::now();
    // Deep and large bodies, on every route that takes one.
    for (method, endpoint) in all_routes() {
        if method == Method::GET || method == Method::PUT {
            continue;
        }
        let path = target.fill(&endpoint.path, None);
        for body in [nested(100_000), "[".repeat(100_000), format!("{{\"a\":{}", "{\"a\":".repeat(50_000))] {
            let status = test.call(admin, method.clone(), &path, body).await.status.as_u16();
            assert!(status < 500, "{method} {path}: {status}");
        }
    }
    // Names and values without end.
    let long_ones: [(&str, Value); 8] = [
        ("experiments/create", json!({"name": long})),
        ("registered-models/create", json!({"name": long})),
        ("runs/set-tag", json!({"run_id": target.run, "key": long, "value": "x"})),
        ("runs/log-parameter", json!({"run_id": target.run, "key": "k", "value": long})),
        ("runs/log-metric", json!({"run_id": target.run, "key": long, "value": 1, "timestamp": 1})),
        (
            "runs/log-batch",
            json!({"run_id": target.run, "params": (0..5000).map(|n| json!({"key": n.to_string(), "value": "x"})).collect::<Vec<_>>()}),
        ),
        (
            "runs/log-batch",
            json!({"run_id": target.run, "metrics": (0..5000).map(|n| json!({"key": n.to_string(), "value": 1, "timestamp": 1})).collect::<Vec<_>>()}),
        ),
        ("experiments/set-experiment-tag", json!({"experiment_id": experiment, "key": long, "value": long})),
    ];
    for (path, body) in long_ones {
        test.mlflow(admin, path, body).await.error(400, "INVALID_PARAMETER_VALUE");
    }
    // Patterns that take for ever in a naive matcher, conditions without end, parentheses.
    let bombs = [
        format!("params.a LIKE '{}'", "%a".repeat(5000)),
        format!("params.a LIKE '{}b'", "%_".repeat(10_000)),
        format!("tags.a ILIKE '{}'", "%".repeat(100_000)),
        vec!["metrics.a > 1"; 20_000].join(" AND "),
        "(".repeat(100_000),
        format!("attributes.run_id IN ({})", vec!["'x'"; 100_000].join(",")),
        format!("params.`{}` = 'x'", "a".repeat(500_000)),
    ];
    test.mlflow(admin, "runs/log-parameter", json!({"run_id": target.run, "key": "a", "value": "a".repeat(6000)}))
        .await
        .ok();
    for filter in &bombs {
        let answer = test.mlflow(admin, "runs/search", json!({"experiment_ids": [experiment], "filter": filter})).await;
        assert!(answer.status.as_u16() < 500, "{}: {}", &filter[..40], answer.status);
    }
    for (field, value) in [
        ("max_results", json!(1_000_000_000)),
        ("max_results", json!(-1)),
        ("page_token", json!("x".repeat(100_000))),
        ("order_by", json!(vec!["metrics.a"; 10_000])),
    ] {
        let answer = test.mlflow(admin, "runs/search", json!({"experiment_ids": [experiment], field: value})).await;
        assert!((400..500).contains(&answer.status.as_u16()), "{field}: {}", answer.status);
    }
    // GraphQL: many of the same in one request, by lists, aliases and fragments.
    let aliases: String = (0..2000)
        .map(|n| format!("a{n}: mlflowGetExperiment(input: {{experimentId: \"0\"}}) {{ experiment {{ name }} }} "))
        .collect();
    let fragments = format!(
        "query {{ ...a0 }} {}",
        (0..500)
            .map(|n| format!("fragment a{n} on Query {{ ...a{} ...a{} }} ", (n + 1) % 500, (n + 2) % 500))
            .collect::<String>()
    );
    let deep = format!("query {{ {} }}", "a { ".repeat(10_000));
    for query in [format!("query {{ {aliases} }}"), fragments, deep] {
        for body in [json!({"query": query, "variables": {}}), json!([{"query": query}, {"query": query}])] {
            let answer = test.post(admin, "/graphql", body).await;
            let status = answer.status.as_u16();
            let refused = (400..500).contains(&status) || answer.json()["errors"].is_array();
            assert!(refused, "{status} {}", answer.json());
        }
    }
    assert!(begun.elapsed().as_secs() < 120, "{:?}", begun.elapsed());
    target.is_untouched().await;
}
