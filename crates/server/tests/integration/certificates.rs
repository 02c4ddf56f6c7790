use std::sync::Arc;
use std::time::Duration;

use sealyard_server::TlsMode;

use crate::running::{Authority, Open, Place, trusting, trusting_file};

const WHOAMI: &str = "/api/sealyard/v1/whoami";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_served_without_a_dropped_connection() {
    let (place, old, new) = (Place::new(), Authority::new(), Authority::new());
    let tls = place.own(&old.server());
    let server = place.start(tls, "[tls]\nreload_seconds = 1\n").await.unwrap();
    let mut open = Open::to(server.url(), Some(trusting(&old.pem(), None))).await.unwrap();
    assert_eq!(open.get("/health", None).await.unwrap().0, 200);
    let issued = new.server();
    // First a pair that does not go together: the old one stays.
    place.write("own.crt", &issued.pem, 0o644);
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(Open::to(server.url(), Some(trusting(&new.pem(), None))).await.is_err());
    assert!(Open::to(server.url(), Some(trusting(&old.pem(), None))).await.is_ok());
    place.own(&issued);
    let exchanged = async {
        while Open::to(server.url(), Some(trusting(&new.pem(), None))).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), exchanged).await.unwrap();
    assert_eq!(open.get("/health", None).await.unwrap().0, 200, "the old connection goes on");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_an_identity_until_it_is_revoked() {
    let (place, authority, stranger) = (Place::new(), Authority::new(), Authority::new());
    place.write("clients.pem", &authority.pem(), 0o644);
    place.write("revoked.pem", &authority.revoked(&[]), 0o644);
    let settings = r#"
        [tls]
        client_ca_file = "clients.pem"
        client_crl_file = "revoked.pem"
        reload_seconds = 1
        [listeners.strict]
        address = "127.0.0.1:0"
        client_auth = "require"
        client_ca_file = "clients.pem"
        [[identity.certificates.rules]]
        field = "uri"
        exact = "spiffe://corp/ops"
        user = "admin"
        [[identity.certificates.rules]]
        field = "uri"
        prefix = "spiffe://corp/sa/"
    "#;
    let server = place.start(TlsMode::Automatic, settings).await.unwrap();
    let own = std::fs::read_to_string(server.certificate().unwrap()).unwrap();
    let token = place.token();
    let (ops, job, other) = (
        authority.client("spiffe://corp/ops", 1),
        authority.client("spiffe://corp/sa/nobody-here", 2),
        stranger.client("spiffe://corp/ops", 3),
    );
    let mut nobody = Open::to(server.url(), Some(trusting(&own, None))).await.unwrap();
    assert_eq!(nobody.get(WHOAMI, None).await.unwrap().0, 401);
    let mut open = Open::to(server.url(), Some(trusting(&own, Some(&ops)))).await.unwrap();
    let (status, who) = open.get(WHOAMI, None).await.unwrap();
    assert!(status == 200 && who.contains("\"admin\""), "{who}");
    let mut unknown = Open::to(server.url(), Some(trusting(&own, Some(&job)))).await.unwrap();
    assert_eq!(unknown.get(WHOAMI, None).await.unwrap().0, 401, "an account that is not there is not made");
    assert_eq!(unknown.get(WHOAMI, Some(&token)).await.unwrap().0, 200, "with a token it is the token's");
    // With TLS 1.3 a client learns that its certificate was refused when it asks.
    let refused = async |config: Arc<rustls::ClientConfig>, url: &str| match Open::to(url, Some(config)).await {
        Err(_) => true,
        Ok(mut open) => open.get(WHOAMI, Some(&token)).await.is_err(),
    };
    assert!(refused(trusting(&own, Some(&other)), server.url()).await, "of an authority that is not ours");
    let strict = server.listeners()[0].1.clone();
    assert!(refused(trusting(&own, None), &strict).await, "none where one is required");
    let mut required = Open::to(&strict, Some(trusting(&own, Some(&ops)))).await.unwrap();
    assert_eq!(required.get(WHOAMI, None).await.unwrap().0, 200);

    place.write("revoked.pem", &authority.revoked(&[1]), 0o644);
    let revoked = async {
        loop {
            match open.get(WHOAMI, None).await {
                Ok((200, _)) => tokio::time::sleep(Duration::from_millis(100)).await,
                Ok((status, body)) => return (status, body),
                Err(error) => panic!("{error}"),
            }
        }
    };
    let (status, body) = tokio::time::timeout(Duration::from_secs(30), revoked).await.unwrap();
    assert!(status == 401 && body.contains("certificate.client"), "the open connection: {status} {body}");
    assert!(refused(trusting(&own, Some(&ops)), server.url()).await);
    // The lists hold wherever the same authority is believed.
    let strictly = async { while !refused(trusting(&own, Some(&ops)), &strict).await {} };
    tokio::time::timeout(Duration::from_secs(30), strictly).await.unwrap();
    let (status, body) = nobody.get("/api/sealyard/v1/ledger/entries?from=0&limit=200", Some(&token)).await.unwrap();
    assert!(status == 200 && body.contains("login-failed") && body.contains("certificate: no such account"), "{body}");
    server.stop().await;
}

/// What `[tls]` asks of clients is asked at a listener with a certificate of its own too.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_its_own_opens_no_listener() {
    let (place, authority) = (Place::new(), Authority::new());
    place.write("clients.pem", &authority.pem(), 0o644);
    place.own(&authority.server());
    let settings = r#"
        [tls]
        client_ca_file = "clients.pem"
        client_auth = "require"
        [listeners.other]
        address = "127.0.0.1:0"
        certificate = "own.crt"
        key = "own.key"
    "#;
    let server = place.start(TlsMode::Automatic, settings).await.unwrap();
    let (token, other) = (place.token(), server.listeners()[0].1.clone());
    let enters = async |config: Arc<rustls::ClientConfig>| match Open::to(&other, Some(config)).await {
        Err(_) => false,
        Ok(mut open) => open.get(WHOAMI, Some(&token)).await.is_ok(),
    };
    let known = authority.client("spiffe://corp/ops", 1);
    assert!(enters(trusting(&authority.pem(), Some(&known))).await);
    assert!(!enters(trusting(&authority.pem(), None)).await);
    server.stop().await;
}

/// An authority vouches for people at the listener that believes it, and nowhere else.
#[tokio::test(flavor = "multi_thread")]
async fn a_rule_can_be_of_one_listener() {
    let (place, authority) = (Place::new(), Authority::new());
    place.write("clients.pem", &authority.pem(), 0o644);
    let settings = r#"
        [tls]
        client_ca_file = "clients.pem"
        [listeners.other]
        address = "127.0.0.1:0"
        [[identity.certificates.rules]]
        field = "uri"
        exact = "spiffe://corp/ops"
        user = "admin"
        listener = "other"
    "#;
    let server = place.start(TlsMode::Automatic, settings).await.unwrap();
    let own = std::fs::read_to_string(server.certificate().unwrap()).unwrap();
    let (other, ops) = (server.listeners()[0].1.clone(), authority.client("spiffe://corp/ops", 1));
    for (url, status) in [(other.as_str(), 200), (server.url(), 401)] {
        let mut open = Open::to(url, Some(trusting(&own, Some(&ops)))).await.unwrap();
        assert_eq!(open.get(WHOAMI, None).await.unwrap().0, status, "{url}");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fingerprint_is_the_one_of_what_is_served() {
    let place = Place::new();
    let server = place.start(TlsMode::Automatic, "").await.unwrap();
    let mut open = Open::to(server.url(), Some(trusting_file(server.certificate().unwrap()))).await.unwrap();
    assert_eq!(open.get("/health", None).await.unwrap().0, 200);
    assert_eq!(server.fingerprint().unwrap().len(), 32 * 3 - 1);
    server.stop().await;
}
