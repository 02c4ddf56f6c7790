use sealyard_server::settings::Settings;
use sealyard_server::{ServerError, TlsMode};

use crate::running::{Open, Place, trusting_file};

const EXPERIMENT: &str = "/api/2.0/mlflow/experiments/get?experiment_id=0";
const OTHER: &str = "[listeners.x]\naddress = \"127.0.0.1:0\"\nclient_ca_file = \"other.pem\"\n";
const RULE: &str = "[[identity.certificates.rules]]\nfield = \"uri\"\nexact = \"a\"\n";
const LEDGER: &str = "/api/sealyard/v1/ledger/entries";

#[tokio::test(flavor = "multi_thread")]
async fn each_listener_has_its_own_routes_and_networks() {
    let place = Place::new();
    place.write("metrics.token", "hush\n", 0o600);
    let settings = r#"
        [listeners.main]
        allow = ["127.0.0.1", "127.0.0.9"]
        trusted_proxies = ["127.0.0.9"]
        [listeners.admin]
        address = "127.0.0.1:0"
        kind = "admin"
        allow = ["127.0.0.2"]
        [listeners.loading]
        address = "127.0.0.1:0"
        kind = "inference"
        [listeners.metrics]
        address = "127.0.0.1:0"
        kind = "metrics"
        tls = "off"
        token_file = "metrics.token"
        [limits]
        address_rate = { per_second = 20, burst = 100 }
    "#;
    let server = place.start(TlsMode::Automatic, settings).await.unwrap();
    let token = place.token();
    let tls = || Some(trusting_file(server.certificate().unwrap()));
    let url = |name: &str| server.listeners().iter().find(|(known, _)| known == name).unwrap().1.clone();

    let mut main = Open::to(server.url(), tls()).await.unwrap();
    assert_eq!(main.get(EXPERIMENT, Some(&token)).await.unwrap().0, 200);
    for path in [LEDGER, "/api/2.0/mlflow/users/list", "/metrics"] {
        assert_eq!(main.get(path, Some(&token)).await.unwrap().0, 404, "{path}");
    }
    assert!(Open::from("127.0.0.3", server.url(), tls()).await.is_err(), "not in the list");

    let mut admin = Open::from("127.0.0.2", &url("admin"), tls()).await.unwrap();
    assert_eq!(admin.get(LEDGER, Some(&token)).await.unwrap().0, 200);
    assert_eq!(admin.get(EXPERIMENT, Some(&token)).await.unwrap().0, 404);
    assert!(Open::to(&url("admin"), tls()).await.is_err(), "not in the list");

    let mut loading = Open::to(&url("loading"), tls()).await.unwrap();
    assert_eq!(loading.get(EXPERIMENT, Some(&token)).await.unwrap().0, 200);
    assert_eq!(loading.post("/api/2.0/mlflow/experiments/create", &token, "{}").await.unwrap().0, 404);

    let mut metrics = Open::to(&url("metrics"), None).await.unwrap();
    assert!(url("metrics").starts_with("http://"));
    assert_eq!(metrics.get("/metrics", None).await.unwrap().0, 401);
    assert_eq!(metrics.get(EXPERIMENT, Some("hush")).await.unwrap().0, 404);
    for open in [&mut main, &mut admin, &mut loading, &mut metrics] {
        for path in ["/health", "/version"] {
            assert_eq!(open.get(path, None).await.unwrap().0, 200);
        }
    }
    // Many at once from one address are too many.
    let mut last = 200;
    for _ in 0..400 {
        last = main.get("/health", None).await.unwrap().0;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
    let (status, text) = metrics.get("/metrics", Some("hush")).await.unwrap();
    assert_eq!(status, 200);
    for part in [
        "sealyard_connections_refused_total{reason=\"address\"} 2",
        "sealyard_throttled_total{reason=\"address\"} 1",
        "sealyard_certificate_expiry_timestamp_seconds{listener=\"admin\"}",
        "route=\"/api/2.0/mlflow/experiments/get\",status=\"200\"} 2",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    server.stop().await;
}

/// A list that was meant to have something in it lets nobody in rather than everybody.
#[test]
fn an_empty_list_of_networks_is_not_everybody() {
    let folder = std::path::Path::new("/");
    let error = Settings::parse("[listeners.main]\nallow = []", folder).unwrap_err();
    assert!(error.to_string().contains("empty"), "{error}");
    Settings::parse("[listeners.main]\nallow = [\"10.0.0.0/8\"]", folder).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_that_would_leave_a_hole_do_not_start() {
    let place = Place::new();
    place.write("ca.pem", "", 0o644);
    for (settings, problem) in [
        ("[listeners.x]\nkind = \"admin\"", "no address"),
        ("[listeners.x]\naddress = \"0.0.0.0:0\"\ntls = \"off\"", "loopback"),
        ("[listeners.x]\naddress = \"127.0.0.1:0\"\ntoken_file = \"t\"", "token_file"),
        ("[listeners.main]\nkind = \"admin\"", "main listener"),
        ("[listeners.main]\naddress = \"127.0.0.1:0\"", "main listener"),
        ("[tls]\nclient_auth = \"require\"", "client_ca_file"),
        ("[tls]\nclient_ca_file = \"ca.pem\"", "no certificate"),
        ("[tls]\nclient_ca_file = \"absent.pem\"", "absent.pem"),
        ("[listeners.x]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\nclient_ca_file = \"ca.pem\"", "without TLS"),
        ("[listeners.main]\nonly_proxies = true", "trusted_proxies"),
        ("[listeners.x]\naddress = \"127.0.0.1:0\"\ntls = \"off\"\nbehind_tls = true", "trusted_proxies"),
        ("[listeners.main]\nbehind_tls = true\ntrusted_proxies = [\"127.0.0.9\"]", "without TLS"),
        (&format!("[listeners.main]\nclient_ca_file = \"ca.pem\"\n{OTHER}{RULE}"), "must name the listener"),
        (&format!("{RULE}listener = \"nowhere\""), "nowhere"),
    ] {
        let error = place.start(TlsMode::Automatic, settings).await.map(|_| ()).unwrap_err();
        let text = sealyard_core::with_causes(&error);
        assert!(text.contains(problem), "{settings}: {text}");
        assert!(!matches!(error, ServerError::InUse(_)));
    }
}
