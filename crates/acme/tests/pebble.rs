//! Against a real ACME server, which checks each proof over the network: pebble.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can't go on ends")]

use std::net::{SocketAddr, TcpListener as Probe};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair};
use sealyard_acme::{Acme, AcmeSettings, Challenge, HttpChallenges};
use sealyard_core::{SystemClock, SystemRng, durable};
use sealyard_transport::{KeyPairFiles, TlsSlot};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

const DOMAIN: &str = "ml.example.org";

fn free() -> u16 {
    Probe::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A pebble, and the name server that tells it that every name is this machine.
struct Pebble {
    children: Vec<Child>,
    port: u16,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn self_signed(folder: &Path, name: &str, names: &[&str]) -> KeyPairFiles {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(names).unwrap().self_signed(&key).unwrap();
    let files =
        KeyPairFiles { certificate: folder.join(format!("{name}.crt")), key: folder.join(format!("{name}.key")) };
    durable::write(&files.certificate, certificate.pem().as_bytes(), 0o644).unwrap();
    durable::write(&files.key, key.serialize_pem().as_bytes(), 0o600).unwrap();
    files
}

impl Pebble {
    async fn start(folder: &Path, tls: u16, http: u16, life: u32) -> Self {
        let own = self_signed(folder, "pebble", &["localhost", "127.0.0.1"]);
        let (port, management, dns, other) = (free(), free(), free(), free());
        let configuration = serde_json::json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{port}"), "managementListenAddress": format!("127.0.0.1:{management}"),
            "certificate": own.certificate, "privateKey": own.key, "tlsPort": tls, "httpPort": http,
            "ocspResponderURL": "", "externalAccountBindingRequired": false, "certificateValidityPeriod": life,
        }});
        let file = folder.join("pebble.json");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let spawn = |program: &str, arguments: &[&str]| {
            Command::new(program)
                .args(arguments)
                .env("PEBBLE_VA_NOSLEEP", "1")
                .env_remove("PEBBLE_VA_ALWAYS_VALID")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| panic!("{program}: {error}; on Debian: apt-get install pebble"))
        };
        let (dns, other) = (format!("127.0.0.1:{dns}"), format!("127.0.0.1:{other}"));
        let names = [
            "-defaultIPv6",
            "",
            "-dns01",
            &dns,
            "-http01",
            "",
            "-https01",
            "",
            "-tlsalpn01",
            "",
            "-management",
            &other,
        ];
        let children = vec![
            spawn("pebble-challtestsrv", &names),
            spawn("pebble", &["-config", file.to_str().unwrap(), "-dnsserver", &dns]),
        ];
        let pebble = Self { children, port };
        let up = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                sleep(Duration::from_millis(100)).await;
            }
        };
        timeout(Duration::from_secs(30), up).await.unwrap();
        pebble
    }

    fn settings(&self, folder: &Path, challenge: Challenge) -> AcmeSettings {
        AcmeSettings {
            directory: format!("https://localhost:{}/dir", self.port),
            authorities: Some(folder.join("pebble.crt")),
            contact: vec!["mailto:ops@example.org".to_owned()],
            domains: vec![DOMAIN.to_owned()],
            challenge,
            keys: folder.to_owned(),
            retry: Duration::from_secs(1),
        }
    }
}

/// Answers handshakes as a listener does.
async fn listen(slot: Arc<TlsSlot>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let slot = Arc::clone(&slot);
            tokio::spawn(async move {
                let acceptor = tokio_rustls::LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream);
                let Ok(begun) = acceptor.await else { return };
                let (config, _) = slot.config_for(&begun.client_hello());
                if let Ok(mut stream) = begun.into_stream(config).await {
                    let _ = stream.shutdown().await;
                }
            });
        }
    });
    address
}

/// Answers the requests of a proof over plain HTTP.
async fn answer(proofs: Arc<HttpChallenges>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = vec![0; 4096];
            let length = stream.read(&mut head).await.unwrap();
            let head = String::from_utf8_lossy(head.get(..length).unwrap()).into_owned();
            let token = head.split(' ').nth(1).unwrap_or_default().rsplit('/').next().unwrap_or_default();
            let proof = proofs.answer(token).unwrap_or_default();
            let text =
                format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{proof}", proof.len());
            let _ = stream.write_all(text.as_bytes()).await;
        }
    });
    address
}

/// Until another certificate is in use.
async fn exchanged(slot: &TlsSlot, before: &str) -> String {
    let changed = async {
        while slot.fingerprint() == before {
            sleep(Duration::from_millis(100)).await;
        }
        slot.fingerprint()
    };
    timeout(Duration::from_secs(60), changed).await.expect("no certificate came")
}

fn acme(settings: AcmeSettings, slot: &Arc<TlsSlot>, proofs: &Arc<HttpChallenges>) -> Acme {
    let (clock, rng) = (Arc::new(SystemClock), Arc::new(SystemRng));
    Acme::new(settings, vec![Arc::clone(slot)], Arc::clone(proofs), clock, rng).unwrap()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_alpn_01_gives_a_certificate_and_it_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let slot = TlsSlot::open(self_signed(folder.path(), "tls", &["localhost"]), None).unwrap();
    let own = slot.fingerprint();
    let address = listen(Arc::clone(&slot)).await;
    let pebble = Pebble::start(folder.path(), address.port(), free(), 24).await;
    let proofs = Arc::default();
    let running = tokio::spawn(acme(pebble.settings(folder.path(), Challenge::TlsAlpn), &slot, &proofs).run());
    let first = exchanged(&slot, &own).await;
    assert!(slot.certificate_pem().matches("BEGIN CERTIFICATE").count() > 1, "a chain");
    assert_eq!((mode(&folder.path().join("acme.pem")), mode(&folder.path().join("acme-account.json"))), (0o600, 0o600));
    let account = std::fs::read(folder.path().join("acme-account.json")).unwrap();
    exchanged(&slot, &first).await;
    assert_eq!(std::fs::read(folder.path().join("acme-account.json")).unwrap(), account, "by the same account");
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn http_01_gives_a_certificate_that_a_later_start_uses() {
    let folder = tempfile::tempdir().unwrap();
    let files = self_signed(folder.path(), "tls", &["localhost"]);
    let slot = TlsSlot::open(files.clone(), None).unwrap();
    let own = slot.fingerprint();
    let proofs: Arc<HttpChallenges> = Arc::default();
    let address = answer(Arc::clone(&proofs)).await;
    let pebble = Pebble::start(folder.path(), free(), address.port(), 86_400).await;
    let settings = pebble.settings(folder.path(), Challenge::Http);
    let running = tokio::spawn(acme(settings.clone(), &slot, &proofs).run());
    let first = exchanged(&slot, &own).await;
    running.abort();
    drop(pebble);
    let later = TlsSlot::open(files, None).unwrap();
    acme(settings.clone(), &later, &proofs).resume();
    assert_eq!(later.fingerprint(), first, "without a directory");
    let other = AcmeSettings { domains: vec!["other.example.org".to_owned()], ..settings };
    let without = TlsSlot::open(self_signed(folder.path(), "tls", &["localhost"]), None).unwrap();
    acme(other, &without, &proofs).resume();
    assert_ne!(without.fingerprint(), first, "it is not for that name");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_proof_there_is_no_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let slot = TlsSlot::open(self_signed(folder.path(), "tls", &["localhost"]), None).unwrap();
    let own = slot.fingerprint();
    // The directory looks where nobody answers.
    let pebble = Pebble::start(folder.path(), free(), free(), 86_400).await;
    let proofs = Arc::default();
    let running = tokio::spawn(acme(pebble.settings(folder.path(), Challenge::TlsAlpn), &slot, &proofs).run());
    sleep(Duration::from_secs(8)).await;
    assert_eq!(slot.fingerprint(), own);
    assert!(folder.path().join("acme-account.json").exists() && !folder.path().join("acme.pem").exists());
    running.abort();
}
