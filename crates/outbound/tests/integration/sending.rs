//! What goes over the wire, to servers on this machine.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sealyard_outbound::{AllowList, LONGEST_ANSWER, Outbound, OutboundError, Resolver, Response};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// A server that gives every connection the same answer, and counts them.
struct Server {
    port: u16,
    connections: Arc<AtomicUsize>,
    received: Arc<std::sync::Mutex<String>>,
}

async fn server(answer: impl Into<String>) -> Server {
    let answer = answer.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let received = Arc::new(std::sync::Mutex::new(String::new()));
    let (count, seen) = (Arc::clone(&connections), Arc::clone(&received));
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            count.fetch_add(1, Ordering::SeqCst);
            let mut buffer = [0; 4096];
            let read = stream.read(&mut buffer).await.unwrap();
            seen.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    Server { port, connections, received }
}

/// Answers with the addresses in turn, as a rebinding name server does.
#[derive(Debug)]
struct Turns(Vec<IpAddr>, AtomicUsize);

impl Resolver for Turns {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        let turn = self.1.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(vec![self.0[turn.min(self.0.len() - 1)]]) })
    }
}

/// All addresses at once.
#[derive(Debug)]
struct Fixed(Vec<IpAddr>);

impl Resolver for Fixed {
    fn resolve<'a>(
        &'a self,
        _: &'a str,
    ) -> std::pin::Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send + 'a>> {
        Box::pin(async move { Ok(self.0.clone()) })
    }
}

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn outbound(allow: &[&str]) -> Outbound {
    Outbound::new(AllowList::parse(allow).unwrap()).with_time_limit(Duration::from_secs(5))
}

async fn post(outbound: &Outbound, url: &str) -> Result<Response, OutboundError> {
    outbound.post(url, &[("x-test", "1".to_owned())], Bytes::from_static(b"{}")).await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi";

#[tokio::test]
async fn an_allowed_loopback_gets_it() {
    let server = server(OK).await;
    let answer = post(&outbound(&["127.0.0.1"]), &format!("http://127.0.0.1:{}/a?b=c", server.port)).await.unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"hi".as_slice()));
    let received = server.received.lock().unwrap().clone();
    assert!(received.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{received}");
    assert!(received.contains("x-test: 1\r\n") && received.ends_with("\r\n\r\n{}"), "{received}");
}

#[tokio::test]
async fn a_name_that_means_the_machine_itself_is_refused() {
    let server = server(OK).await;
    for address in [
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "100.64.0.1",
        "64:ff9b::7f00:1",
        "0.0.0.0",
    ] {
        let outbound = outbound(&[]).with_resolver(Arc::new(Fixed(addresses(&[address]))));
        let refused = post(&outbound, &format!("https://hooks.example.org:{}/", server.port)).await.unwrap_err();
        assert_eq!(refused.rule(), Some("outgoing.address"), "{address}");
        assert!(!refused.to_string().contains(address), "{refused}");
    }
    // One bad address among good ones is enough.
    let mixed = outbound(&[]).with_resolver(Arc::new(Fixed(addresses(&["93.184.215.14", "127.0.0.1"]))));
    let refused = post(&mixed, &format!("https://hooks.example.org:{}/", server.port)).await.unwrap_err();
    assert_eq!(refused.rule(), Some("outgoing.address"));
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

/// The name is looked up once, and what was looked at is what is connected to: a second answer is never asked for.
#[tokio::test]
async fn a_name_that_changes_its_address_reaches_the_one_that_was_checked() {
    let server = server(OK).await;
    let turns = Arc::new(Turns(addresses(&["127.0.0.1", "10.255.255.1"]), AtomicUsize::new(0)));
    let outbound = outbound(&["rebind.example"]).with_resolver(Arc::clone(&turns) as Arc<dyn Resolver>);
    let answer = post(&outbound, &format!("http://rebind.example:{}/", server.port)).await.unwrap();
    assert_eq!((answer.status, turns.1.load(Ordering::SeqCst)), (200, 1));
    // The other way round: public when it was kept, inner when it is sent.
    let turns = Arc::new(Turns(addresses(&["127.0.0.1"]), AtomicUsize::new(0)));
    let outbound = self::outbound(&[]).with_resolver(turns);
    assert!(outbound.check("https://rebind.example/").is_ok());
    assert_eq!(post(&outbound, "https://rebind.example/").await.unwrap_err().rule(), Some("outgoing.address"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inner = server(OK).await;
    let location = format!("http://127.0.0.1:{}/", inner.port);
    let outer = server(format!("HTTP/1.1 307 X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n")).await;
    let answer = post(&outbound(&["127.0.0.1"]), &format!("http://127.0.0.1:{}/", outer.port)).await.unwrap();
    assert_eq!((answer.status, inner.connections.load(Ordering::SeqCst)), (307, 0));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let server = server(format!("HTTP/1.1 200 OK\r\nretry-after: 7\r\n\r\n{}", "x".repeat(1 << 20))).await;
    let answer = post(&outbound(&["127.0.0.1"]), &format!("http://127.0.0.1:{}/", server.port)).await.unwrap();
    assert_eq!((answer.body.len(), answer.retry_after), (LONGEST_ANSWER, Some(7)));
}

#[tokio::test]
async fn a_silent_receiver_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let outbound = outbound(&["127.0.0.1"]).with_time_limit(Duration::from_millis(300));
    assert!(matches!(post(&outbound, &url).await, Err(OutboundError::TimedOut)));
}

#[tokio::test]
async fn no_proxy_is_used() {
    // Cargo runs tests with this process's environment; reqwest reads it when a client is built.
    let proxy = server(OK).await;
    let server = server(OK).await;
    let status = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["sending::beside_a_proxy", "--exact", "--ignored"])
        .env("http_proxy", format!("http://127.0.0.1:{}", proxy.port))
        .env("HTTP_PROXY", format!("http://127.0.0.1:{}", proxy.port))
        .env("ALL_PROXY", format!("http://127.0.0.1:{}", proxy.port))
        .env("TEST_RECEIVER", format!("http://127.0.0.1:{}/", server.port))
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.await.unwrap().success());
    assert_eq!(proxy.connections.load(Ordering::SeqCst), 0);
    assert_eq!(server.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
#[ignore = "run by the test above, with a proxy in its environment"]
async fn beside_a_proxy() {
    let url = std::env::var("TEST_RECEIVER").unwrap();
    assert_eq!(post(&outbound(&["127.0.0.1"]), &url).await.unwrap().status, 200);
}

#[tokio::test]
async fn errors_do_not_show_the_path() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = post(&outbound(&["127.0.0.1"]), &format!("http://{address}/services/s3cret")).await.unwrap_err();
    assert!(!error.to_string().contains("s3cret"), "{error}");
}

/// A certificate that nobody vouches for, or for another name, ends it before anything is sent.
#[tokio::test]
async fn certificates_are_checked() {
    let made = rcgen::generate_simple_self_signed(["hooks.example.org".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.der().clone(), made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], rustls::pki_types::PrivatePkcs8KeyDer::from(key).into())
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _ = stream.read(&mut [0; 1024]).await;
                let _ = stream.write_all(OK.as_bytes()).await;
            }
        }
    });
    let resolver = || Arc::new(Fixed(addresses(&["127.0.0.1"])));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let trusting = outbound(&["127.0.0.1"]).with_resolver(resolver()).with_roots(roots);
    let doubting = outbound(&["127.0.0.1"]).with_resolver(resolver()).with_roots(rustls::RootCertStore::empty());
    let url = |name: &str| format!("https://{name}:{port}/");
    assert_eq!(post(&trusting, &url("hooks.example.org")).await.unwrap().status, 200);
    assert!(matches!(post(&trusting, &url("other.example.org")).await, Err(OutboundError::Transport(_))));
    assert!(matches!(post(&doubting, &url("hooks.example.org")).await, Err(OutboundError::Transport(_))));
}
