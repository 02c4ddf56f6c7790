//! Hand-made greetings, as no library of today would write them.

use std::sync::Arc;

use sealyard_transport::TlsSlot;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::authority::{Authority, Place};

/// A ClientHello of `version`, with these suites and a group and signature schemes that the server knows.
fn hello(version: u16, suites: &[u16]) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).unwrap().to_be_bytes());
    for suite in suites {
        body.extend(suite.to_be_bytes());
    }
    body.extend([1, 0]);
    let mut extensions = Vec::new();
    // Groups: P-256. Points: uncompressed. Signatures: ECDSA and RSA with SHA-256, and both with SHA-1.
    extensions.extend([0, 10, 0, 4, 0, 2, 0, 23]);
    extensions.extend([0, 11, 0, 2, 1, 0]);
    extensions.extend([0, 13, 0, 10, 0, 8, 4, 3, 4, 1, 2, 3, 2, 1]);
    extensions.extend([0, 23, 0, 0]);
    body.extend(u16::try_from(extensions.len()).unwrap().to_be_bytes());
    body.extend(extensions);
    let mut handshake = vec![1, 0];
    handshake.extend(u16::try_from(body.len()).unwrap().to_be_bytes());
    handshake.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend(u16::try_from(handshake.len()).unwrap().to_be_bytes());
    record.extend(handshake);
    record
}

/// The first record that comes back: its type, and the version and suite of a ServerHello or the alert.
async fn answer(slot: &Arc<TlsSlot>, greeting: &[u8]) -> (u8, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::clone(slot);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let _ = tokio_rustls::TlsAcceptor::from(server.config()).accept(stream).await;
    });
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(greeting).await.unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut body).await.unwrap();
    (head[0], body)
}

/// What our client can: ECDHE with AES-GCM.
const GOOD: &[u16] = &[0xc02b, 0xc02f, 0xc02c, 0xc030];
/// AES-CBC with and without ECDHE, RSA key exchange, 3DES, RC4, NULL, export, anonymous.
const WEAK: &[u16] = &[
    0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc027, 0x002f, 0x0035, 0x003c, 0x009c, 0x009d, 0x009e, 0x000a, 0xc012,
    0x0004, 0x0005, 0x0000, 0x0001, 0x0002, 0x003b, 0x0003, 0x0008, 0x0018, 0x0034, 0xc018,
];

#[tokio::test]
async fn old_versions_and_weak_suites_are_refused() {
    let (authority, place) = (Authority::new("one"), Place::new());
    let slot = TlsSlot::open(place.pair(&authority.server()), None).unwrap();
    // The greeting itself is good: with TLS 1.2 it is answered by a ServerHello.
    let (kind, body) = answer(&slot, &hello(0x0303, GOOD)).await;
    assert_eq!((kind, body[0], &body[4..6]), (22, 2, &[3, 3][..]));
    for version in [0x0300, 0x0301, 0x0302] {
        let (kind, alert) = answer(&slot, &hello(version, &[GOOD, WEAK].concat())).await;
        assert_eq!((kind, alert.as_slice()), (21, &[2, 70][..]), "protocol_version, for {version:04x}");
    }
    for suite in WEAK {
        let (kind, alert) = answer(&slot, &hello(0x0303, &[*suite])).await;
        assert_eq!((kind, alert.as_slice()), (21, &[2, 40][..]), "handshake_failure, for {suite:04x}");
    }
}
