//! A server in a temporary folder, and clients made by hand.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber,
    date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use sealyard_core::{SystemClock, SystemRng, durable};
use sealyard_server::settings::Settings;
use sealyard_server::{Config, Server, ServerError, TlsMode};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) {
        durable::write(&self.path(name), text.as_bytes(), mode).unwrap();
    }

    /// A server with these settings; the token of its administrator is in `token`.
    pub(crate) async fn start(&self, tls: TlsMode, settings: &str) -> Result<Server, ServerError> {
        let settings = Settings::parse(settings, self.0.path()).unwrap();
        let config = Config {
            data_directory: self.path("data"),
            artifacts: None,
            database: None,
            database_password: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls,
            policy: None,
            admin_password: None,
            bootstrap_token_file: Some(self.path("token")),
            ready_file: None,
            no_auth: false,
            ui: None,
            external_sources: false,
            workspaces: false,
            hosts: Vec::new(),
            webhook_allow: Vec::new(),
            accept_ledger_rollback: false,
            master_key: None,
            settings,
        };
        Server::start(config, Arc::new(SystemClock), Arc::new(SystemRng)).await
    }

    pub(crate) fn token(&self) -> String {
        std::fs::read_to_string(self.path("token")).unwrap().trim().to_owned()
    }

    /// A pair of files for a server's own certificate.
    pub(crate) fn own(&self, issued: &Issued) -> TlsMode {
        self.write("own.crt", &issued.pem, 0o644);
        self.write("own.key", &issued.key_pem, 0o600);
        TlsMode::Files { certificate: self.path("own.crt"), key: self.path("own.key") }
    }
}

/// An authority of our own.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

#[derive(Debug)]
pub(crate) struct Issued {
    pub(crate) pem: String,
    pub(crate) key_pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "authority");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Issued {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Issued { pem: certificate.pem(), key_pem: key.serialize_pem() }
    }

    pub(crate) fn server(&self) -> Issued {
        self.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth])
    }

    pub(crate) fn client(&self, uri: &str, serial: u64) -> Issued {
        self.issue(|params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            params.subject_alt_names = vec![SanType::URI(uri.try_into().unwrap())];
            params.serial_number = Some(SerialNumber::from(serial));
        })
    }

    pub(crate) fn revoked(&self, serials: &[u64]) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.0).unwrap().pem().unwrap()
    }
}

/// What a client trusts, and what it shows.
pub(crate) fn trusting(pem: &str, shown: Option<&Issued>) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    Arc::new(match shown {
        None => builder.with_no_client_auth(),
        Some(issued) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(issued.pem.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(issued.key_pem.as_bytes()).unwrap(),
            )
            .unwrap(),
    })
}

pub(crate) fn trusting_file(path: &Path) -> Arc<ClientConfig> {
    trusting(&std::fs::read_to_string(path).unwrap(), None)
}

pub(crate) fn address(url: &str) -> SocketAddr {
    url.split_once("://").unwrap().1.parse().unwrap()
}

/// An open connection, to be asked again and again.
pub(crate) struct Open(Box<dyn Stream>);

trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for T {}

impl Open {
    pub(crate) async fn to(url: &str, config: Option<Arc<ClientConfig>>) -> std::io::Result<Self> {
        Self::from("127.0.0.1", url, config).await
    }

    pub(crate) async fn from(own: &str, url: &str, config: Option<Arc<ClientConfig>>) -> std::io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(format!("{own}:0").parse().unwrap())?;
        let stream: TcpStream = socket.connect(address(url)).await?;
        Ok(match config {
            None => Self(Box::new(stream)),
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                Self(Box::new(tokio_rustls::TlsConnector::from(config).connect(name, stream).await?))
            }
        })
    }

    /// Status and body.
    pub(crate) async fn get(&mut self, path: &str, token: Option<&str>) -> std::io::Result<(u16, String)> {
        let authorization = token.map_or(String::new(), |token| format!("Authorization: Bearer {token}\r\n"));
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n")).await
    }

    pub(crate) async fn post(&mut self, path: &str, token: &str, body: &str) -> std::io::Result<(u16, String)> {
        let length = body.len();
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: {length}\r\n\r\n{body}"
        ))
        .await
    }

    async fn send(&mut self, request: &str) -> std::io::Result<(u16, String)> {
        self.0.write_all(request.as_bytes()).await?;
        self.0.flush().await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await?);
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.to_ascii_lowercase();
        let length =
            length.split("content-length: ").nth(1).map_or(0, |rest| rest.split('\r').next().unwrap().parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok((status, String::from_utf8(body).unwrap()))
    }
}
