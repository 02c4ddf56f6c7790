//! Against a service that answers what it was asked.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "a test that can't go on ends")]

use sealyard_core::Redacted;
use sealyard_master_key::{MasterKey as _, Transit, TransitConfig};
use sealyard_vault::KeyId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const TOKEN: &str = "hvs.CAESIJlU9JMYEhOPYv4igdhm9PnZ";

/// Answers each request with itself, as status 403 or 503 and as a proxy that helps to find errors would.
async fn repeating(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let read = stream.read_buf(&mut request).await.unwrap();
                assert!(read > 0);
            }
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", request.len());
            stream.write_all(head.as_bytes()).await.unwrap();
            // The last part of the request first: what is cut off must not hide what is shown.
            let half = request.len() / 2;
            request.rotate_left(half);
            stream.write_all(&request).await.unwrap();
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn what_repeats_a_secret_is_not_passed_on() {
    for status in ["403 Forbidden", "503 Service Unavailable"] {
        let transit = Transit::new(TransitConfig {
            url: repeating(status).await,
            key: "sealyard".to_owned(),
            mount: "transit".to_owned(),
            namespace: None,
            token: Redacted::new(TOKEN.to_owned()),
            ca: None,
        });
        let error = transit.unwrap().wrap(KeyId::of(&[7; 32]), &Redacted::new([7; 32])).await.unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(said.contains("repeats a secret") && said.contains(&status[..3]), "{said}");
        assert!(!said.contains("hvs.") && !said.contains("BwcHBwcHBwcH"), "{said}");
    }
}
