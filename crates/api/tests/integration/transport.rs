//! What holds for every answer whatever was asked, and what a listener has.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Method, Request};
use sealyard_api::metrics::{Certificates, MetricsState, metrics_router};
use sealyard_api::{RequestLimits, RouterConfig, ShownCertificate, Surface};
use sealyard_core::Redacted;
use sealyard_transport::{Metrics, Rate};
use serde_json::json;
use tower::ServiceExt as _;

use crate::test_app::{NOBODY, TestApp};

const EXPERIMENT: &str = "/api/2.0/mlflow/experiments/get?experiment_id=0";

#[tokio::test]
async fn every_answer_has_the_headers_of_its_kind() {
    let test = TestApp::with_pages(true).await;
    let mut paths = vec!["/health", "/version", "/", "/login", "/login/style.css", "/logout", "/nothing", EXPERIMENT];
    paths.extend(["/api/2.0/mlflow/runs/create", "/api/sealyard/v1/ledger/entries", "/static-files/none"]);
    for path in paths {
        for user in [&NOBODY, &test.admin] {
            let answer = test.get(user, path).await;
            let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            assert_eq!(header("strict-transport-security"), "max-age=31536000", "{path}");
            assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(header("x-frame-options"), "DENY", "{path}");
            assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert!(header("permissions-policy").contains("camera=()"), "{path}");
            assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
            assert!(["no-referrer", "same-origin"].contains(&header("referrer-policy").as_str()), "{path}");
            let cache = header("cache-control");
            assert!(cache == "no-store" || cache.starts_with("private"), "{path}: {cache}");
        }
    }
    // Refused before any route was looked for.
    let request = Request::get("/health").header("host", "rebound.example").body(Body::empty()).unwrap();
    let refused = test.send(request).await;
    assert_eq!((refused.status.as_u16(), refused.headers["x-frame-options"].as_bytes()), (403, &b"DENY"[..]));
    let plain = TestApp::with_pages(false).await;
    assert!(!plain.get(&NOBODY, "/health").await.headers.contains_key("strict-transport-security"));
}

fn from(address: &str, user: Option<&str>, path: &str) -> Request<Body> {
    let mut request = Request::get(path).header("host", "localhost");
    if let Some(authorization) = user {
        request = request.header("authorization", authorization);
    }
    let mut request = request.body(Body::empty()).unwrap();
    let address: SocketAddr = format!("{address}:9").parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(address));
    request
}

#[tokio::test]
async fn an_address_that_asks_too_often_has_to_wait() {
    let limits = RequestLimits::default().with_address_rate(Rate { per_second: 1, burst: 5 });
    let metrics = Arc::new(Metrics::default());
    let config = RouterConfig::loopback().with_limits(Arc::new(limits)).with_metrics(Arc::clone(&metrics));
    let test = TestApp::with_config(config).await;
    for _ in 0..5 {
        assert_eq!(test.send(from("192.0.2.1", None, "/health")).await.status, 200);
    }
    // Whatever it asks then: it costs no look at a password.
    for path in ["/health", EXPERIMENT, "/nothing"] {
        let answer = test.send(from("192.0.2.1", Some("Basic eDp5"), path)).await;
        assert_eq!(answer.headers["retry-after"], "1");
        assert_eq!(answer.json()["rules"], json!(["limit.address-rate"]));
        answer.error(429, "REQUEST_LIMIT_EXCEEDED");
    }
    assert_eq!(test.send(from("192.0.2.2", None, "/health")).await.status, 200, "another one");
    for host in 1..=5 {
        assert_eq!(test.send(from(&format!("[2001:db8::{host}]"), None, "/health")).await.status, 200);
    }
    assert_eq!(test.send(from("[2001:db8::ffff:6]", None, "/health")).await.status, 429, "the same network");
    let text = metrics.text(&sealyard_transport::Gauges::default());
    assert!(text.contains("sealyard_throttled_total{reason=\"address\"} 4"), "{text}");
}

#[tokio::test]
async fn an_account_that_asks_too_often_has_to_wait_wherever_it_asks_from() {
    let limits = RequestLimits::default().with_account_rate(Rate { per_second: 1, burst: 20 });
    let test = TestApp::with_config(RouterConfig::loopback().with_limits(Arc::new(limits))).await;
    let other = test.user("other", &[]).await;
    let (mine, theirs) = (test.admin.authorization(), other.authorization());
    let mut refused = None;
    for number in 0..30 {
        let address = format!("192.0.2.{number}");
        let answer = test.send(from(&address, Some(&mine), "/api/sealyard/v1/whoami")).await;
        if answer.status == 429 {
            refused = Some((number, answer));
            break;
        }
    }
    let (number, answer) = refused.unwrap();
    assert!((10..=20).contains(&number), "{number}");
    assert!(answer.headers.contains_key("retry-after"));
    assert!(answer.error(429, "REQUEST_LIMIT_EXCEEDED").contains("limit.account-rate"));
    assert_eq!(test.send(from("192.0.2.1", Some(&theirs), "/api/sealyard/v1/whoami")).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_has_only_so_many_requests_under_way() {
    let limits = RequestLimits::default().with_requests_at_once(1).with_time(Duration::from_millis(700));
    let test = TestApp::with_config(RouterConfig::loopback().with_limits(Arc::new(limits))).await;
    // A body of which nothing comes keeps its request under way, until it took too long.
    let stuck = || {
        Request::post("/api/2.0/mlflow/experiments/create")
            .header("host", "localhost")
            .header("authorization", test.admin.authorization())
            .body(Body::from_stream(futures::stream::pending::<Result<axum::body::Bytes, std::io::Error>>()))
            .unwrap()
    };
    let whoami = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        test.get(&test.admin, "/api/sealyard/v1/whoami").await
    };
    let (first, second) = tokio::join!(test.send(stuck()), whoami);
    assert!(second.error(429, "REQUEST_LIMIT_EXCEEDED").contains("limit.requests-at-once"));
    first.error(503, "TEMPORARILY_UNAVAILABLE");
    test.get(&test.admin, "/api/sealyard/v1/whoami").await.ok();
}

/// Who asks for files and does not take them has as few under way as anybody.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_taken_is_under_way() {
    let limits = RequestLimits::default().with_requests_at_once(1);
    let test = TestApp::with_config(RouterConfig::loopback().with_limits(Arc::new(limits))).await;
    let request = || {
        let request = Request::get("/api/sealyard/v1/whoami").header("host", "localhost");
        request.header("authorization", test.admin.authorization()).body(Body::empty()).unwrap()
    };
    let held = test.answer(request()).await;
    assert_eq!(held.status(), 200);
    assert!(test.send(request()).await.error(429, "REQUEST_LIMIT_EXCEEDED").contains("limit.requests-at-once"));
    drop(held);
    test.send(request()).await.ok();
}

#[tokio::test]
async fn administration_is_only_where_it_belongs() {
    let test = TestApp::new().await;
    let ask = async |surface, user: Option<String>, method: &str, path: &str| {
        let router = sealyard_api::router(Arc::clone(&test.app), RouterConfig::loopback().with_surface(surface));
        let request = Request::builder().method(method).uri(path).header("host", "localhost");
        let request = user.iter().fold(request, |request, user| request.header("authorization", user));
        let answer = router.oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        (status, body["error_code"] == "ENDPOINT_NOT_FOUND")
    };
    let admin = || Some(test.admin.authorization());
    let administration = [
        ("GET", "/api/sealyard/v1/ledger/entries"),
        ("GET", "/api/sealyard/v1/tokens"),
        ("POST", "/api/sealyard/v1/grants"),
        ("POST", "/api/sealyard/v1/users"),
        ("GET", "/api/2.0/mlflow/users/list"),
        ("GET", "/ajax-api/3.0/mlflow/roles/list"),
        ("POST", "/api/2.0/mlflow/experiments/permissions/create"),
    ];
    let rest = [("GET", EXPERIMENT), ("POST", "/api/2.0/mlflow/experiments/create")];
    for (surface, there, absent) in [
        (Surface::WithoutAdministration, &rest[..], &administration[..]),
        (Surface::Administration, &administration[..], &rest[..]),
        (Surface::Loading, &rest[..1], &[&administration[..], &rest[1..]].concat()[..]),
    ] {
        for (method, path) in there {
            let (status, absent) = ask(surface, admin(), method, path).await;
            assert!(!absent && status != 405, "{surface:?} {method} {path}");
        }
        for (method, path) in absent {
            assert_eq!(ask(surface, admin(), method, path).await, (404, true), "{surface:?} {method} {path}");
        }
        for path in ["/health", "/version"] {
            assert_eq!(ask(surface, None, "GET", path).await.0, 200);
        }
        // What needs no login is no way in either.
        let parts = "/api/2.0/mlflow-artifacts/mpu/parts/x/1";
        let hidden = surface != Surface::WithoutAdministration;
        assert_eq!(ask(surface, None, "PUT", parts).await == (404, true), hidden, "{surface:?}");
        // Who is nobody can't tell what is hidden.
        for path in ["/api/sealyard/v1/ledger/entries", EXPERIMENT, "/nothing"] {
            assert_eq!(ask(surface, None, "GET", path).await.0, 401);
        }
    }
}

#[derive(Debug)]
struct One;

impl Certificates for One {
    fn expiries(&self) -> Vec<(String, i64)> {
        vec![("main".to_owned(), 1_900_000_000)]
    }
}

#[tokio::test]
async fn counts_are_given_to_who_has_their_token() {
    let metrics = Arc::new(Metrics::default());
    let test = TestApp::with_config(RouterConfig::loopback().with_metrics(Arc::clone(&metrics))).await;
    test.get(&test.admin, "/api/2.0/mlflow/experiments/get?experiment_id=0&name=person@example.org").await;
    test.get(&NOBODY, "/private/person@example.org").await;
    let app = Arc::clone(&test.app);
    let state = MetricsState::new(app, Arc::clone(&metrics), Arc::new(One), RouterConfig::loopback(), "1.2.3");
    let open = metrics_router(state.clone());
    let closed = metrics_router(state.with_token(&Redacted::new("hush".to_owned())));
    let ask = async |router: &axum::Router, path: &str, headers: &[(&str, &str)]| {
        let request = Request::get(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    };
    let host = ("host", "localhost");
    let (status, text) = ask(&open, "/metrics", &[host]).await;
    assert_eq!(status, 200);
    for part in [
        "sealyard_build_info{version=\"1.2.3\",mlflow_protocol=\"3.12.0\"} 1",
        "route=\"/api/2.0/mlflow/experiments/get\",status=\"200\"} 1",
        "route=\"none\",status=\"401\"} 1",
        "sealyard_sessions 0",
        "sealyard_ledger_entries ",
        "sealyard_certificate_expiry_timestamp_seconds{listener=\"main\"} 1900000000",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(!text.contains("example.org") && !text.contains("admin"), "{text}");
    for wrong in [&[host][..], &[host, ("authorization", "Bearer no")], &[host, ("authorization", "hush")]] {
        assert_eq!(ask(&closed, "/metrics", wrong).await.0, 401);
    }
    assert_eq!(ask(&closed, "/metrics", &[host, ("authorization", "Bearer hush")]).await.0, 200);
    assert_eq!(ask(&open, "/metrics", &[("host", "rebound.example")]).await.0, 403);
    for (path, status) in [("/health", 200), ("/version", 200), (EXPERIMENT, 404), ("/", 404)] {
        assert_eq!(ask(&closed, path, &[host]).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn a_certificate_is_the_account_that_the_rules_say() {
    let test = TestApp::new().await;
    test.user("trainer", &[]).await;
    let whoami = |account: Option<&str>, expires: i64, headers: &[(&str, &str)], method: Method| {
        let mut request = Request::builder().method(method).uri("/api/sealyard/v1/whoami").header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        request.extensions_mut().insert(ShownCertificate { account: account.map(str::to_owned), expires });
        test.send(request)
    };
    let later = 1_900_000_000;
    let who = whoami(Some("trainer"), later, &[], Method::GET).await.ok();
    assert_eq!((&who["name"], &who["admin"]), (&json!("trainer"), &json!(false)));
    for (account, expires) in [(None, later), (Some("nobody"), later), (Some("trainer"), 1_700_000_000)] {
        whoami(account, expires, &[], Method::GET).await.error(401, "UNAUTHENTICATED");
    }
    // A browser shows the certificate for any page that asks.
    let cross = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    whoami(Some("trainer"), later, &cross, Method::GET).await.error(403, "PERMISSION_DENIED");
    let foreign = [("origin", "https://evil.example")];
    whoami(Some("trainer"), later, &foreign, Method::POST).await.error(403, "PERMISSION_DENIED");
    // What a client says of itself is stronger than what its connection says, and is not made good by that.
    let token = test.admin.authorization();
    let who = whoami(Some("trainer"), later, &[("authorization", &token)], Method::GET).await.ok();
    assert_eq!(who["name"], "admin");
    whoami(Some("trainer"), later, &[("authorization", "Bearer sy_x")], Method::GET)
        .await
        .error(401, "UNAUTHENTICATED");
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "login-failed", "actor": "anonymous", "outcome": "refused"})));
}
