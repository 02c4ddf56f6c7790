use std::path::Path;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{PostgresOptions, PostgresStore, PostgresUrl};

use super::server::Server;

/// An authority in `ca.pem`, and in `server.crt` and `server.key` what it gave to `localhost`.
fn certificates(directory: &Path) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&key).unwrap();
    std::fs::write(directory.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = Issuer::new(authority, key);
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(directory.join("server.crt"), leaf.pem()).unwrap();
    std::fs::write(directory.join("server.key"), key.serialize_pem()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_believed_under_its_name_and_with_a_trusted_certificate_only() {
    let directory = tempfile::tempdir().unwrap();
    certificates(directory.path());
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    let server = Server::start_with_tls(directory.path());
    let plain = server.empty_url().await;
    let open = |host: &str, authority: &Path| {
        let url = plain.replace("127.0.0.1", host);
        let url = format!("{url}&sslmode=verify-full&sslrootcert={}", authority.join("ca.pem").display());
        PostgresStore::open(&PostgresUrl::parse(&url).unwrap(), PostgresOptions::default())
    };
    assert!(matches!(open("127.0.0.1", directory.path()), Err(StoreError::Backend(_) | StoreError::Unavailable)));
    assert!(matches!(open("localhost", other.path()), Err(StoreError::Backend(_) | StoreError::Unavailable)));
    let missing = open("localhost", Path::new("/nowhere"));
    assert!(matches!(missing, Err(StoreError::Invalid(_))), "{missing:?}");
    let store: Arc<dyn Store> = Arc::new(open("localhost", directory.path()).unwrap());
    store.write(|tx| tx.put_setting("a", "b")).await.unwrap();
    let encrypted = server
        .sql(
            server.url(),
            "SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'sealyard'",
        )
        .await
        .unwrap();
    assert_eq!(encrypted, ["t"]);
}

/// A server that offers no TLS gets no password and no data.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_tls_is_refused_where_tls_is_asked_for() {
    let url = format!("{}&sslmode=require", Server::shared().empty_url().await);
    let refused = PostgresStore::open(&PostgresUrl::parse(&url).unwrap(), PostgresOptions::default()).map(drop);
    assert!(matches!(refused, Err(StoreError::Backend(_) | StoreError::Unavailable)), "{refused:?}");
}
