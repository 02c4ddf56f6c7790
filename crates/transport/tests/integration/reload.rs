use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use sealyard_core::durable;
use sealyard_transport::TlsSlot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::authority::{Authority, Place, client_config, shake};

#[tokio::test]
async fn a_new_pair_is_used_and_an_open_connection_stays() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let (old, new) = (authority.server(), authority.server());
    let slot = TlsSlot::open(place.pair(&old), None).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(&slot);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = tokio_rustls::TlsAcceptor::from(server.config()).accept(stream).await.unwrap();
        while let Ok(byte) = stream.read_u8().await {
            stream.write_u8(byte).await.unwrap();
        }
    });
    let stream = TcpStream::connect(address).await.unwrap();
    let connector = tokio_rustls::TlsConnector::from(client_config(&authority, None));
    let mut open = connector.connect(ServerName::try_from("localhost").unwrap(), stream).await.unwrap();
    open.write_u8(1).await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), 1);

    place.pair(&new);
    slot.reload().unwrap();
    let (seen, _) = shake(&slot, client_config(&authority, None)).await.unwrap();
    assert_eq!(seen, new.chain[0].to_vec());
    open.write_u8(2).await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), 2, "the old connection goes on");
}

#[tokio::test]
async fn a_broken_or_mismatching_pair_keeps_the_old_one() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let (old, new) = (authority.server(), authority.server());
    let files = place.pair(&old);
    let slot = TlsSlot::open(files.clone(), None).unwrap();
    let before = slot.fingerprint();
    let write = |path: &std::path::Path, text: &str, mode| durable::write(path, text.as_bytes(), mode).unwrap();
    for (certificate, key, mode) in [
        (new.pem.as_str(), old.key_pem.as_str(), 0o600),
        (old.pem.as_str(), new.key_pem.as_str(), 0o600),
        ("", new.key_pem.as_str(), 0o600),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", new.key_pem.as_str(), 0o600),
        (new.pem.as_str(), "", 0o600),
        (&new.pem[..new.pem.len() / 2], new.key_pem.as_str(), 0o600),
        (new.pem.as_str(), new.key_pem.as_str(), 0o644),
    ] {
        write(&files.certificate, certificate, 0o644);
        write(&files.key, key, mode);
        assert!(slot.reload().is_err());
        assert_eq!(slot.fingerprint(), before);
        let (seen, _) = shake(&slot, client_config(&authority, None)).await.unwrap();
        assert_eq!(seen, old.chain[0].to_vec());
    }
    std::fs::remove_file(&files.key).unwrap();
    assert!(slot.reload().is_err());
    place.pair(&new);
    slot.reload().unwrap();
    assert_ne!(slot.fingerprint(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_change_are_noticed_in_the_middle_of_the_exchange_too() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let (old, new) = (authority.server(), authority.server());
    let files = place.pair(&old);
    let slot = TlsSlot::open(files.clone(), None).unwrap();
    let before = slot.fingerprint();
    let following = tokio::spawn(Arc::clone(&slot).follow(Duration::from_millis(20)));
    durable::write(&files.certificate, new.pem.as_bytes(), 0o644).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(slot.fingerprint(), before, "the key is still the old one");
    durable::write(&files.key, new.key_pem.as_bytes(), 0o600).unwrap();
    let changed = async {
        while slot.fingerprint() == before {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), changed).await.unwrap();
    following.abort();
}
