//! Certificates: made for a first start, or the user's own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sealyard_core::{Digest, durable};

use crate::{ServerError, TlsMode};

/// The listener's certificate and key.
#[derive(Debug)]
pub struct Identity {
    /// The chain as PEM: what clients are told to trust when it is self-signed.
    pub certificate_pem: String,
    /// What the listener uses.
    pub config: Arc<ServerConfig>,
    /// SHA-256 of the leaf, as people compare it.
    pub fingerprint: String,
}

impl Identity {
    /// The certificate that `mode` asks for; `None` for plain HTTP.
    ///
    /// # Errors
    /// [`ServerError::Tls`], [`ServerError::File`].
    pub fn load(mode: &TlsMode, keys: &Path, names: &[String]) -> Result<Option<Self>, ServerError> {
        match mode {
            TlsMode::Off => Ok(None),
            TlsMode::Files { certificate, key } => Self::read(certificate, key).map(Some),
            TlsMode::Automatic => {
                let (certificate, key) = (keys.join("tls.crt"), keys.join("tls.key"));
                if !certificate.exists() || !key.exists() {
                    make(&certificate, &key, names)?;
                }
                Self::read(&certificate, &key).map(Some)
            }
        }
    }

    fn read(certificate: &Path, key: &Path) -> Result<Self, ServerError> {
        let file = |what, path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::File { what, path, source }
        };
        let pem = std::fs::read_to_string(certificate).map_err(file("read the certificate", certificate))?;
        let secret = durable::read_private(key)
            .and_then(|secret| secret.ok_or_else(|| std::io::ErrorKind::NotFound.into()))
            .map_err(file("read the certificate's key", key))?;
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
        let chain = chain.map_err(|error| ServerError::Tls(format!("{}: {error}", certificate.display())))?;
        let Some(leaf) = chain.first() else {
            return Err(ServerError::Tls(format!("{} holds no certificate", certificate.display())));
        };
        let fingerprint = fingerprint(leaf);
        let private = PrivateKeyDer::from_pem_slice(&secret)
            .map_err(|error| ServerError::Tls(format!("{}: {error}", key.display())))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain.clone(), private))
            .map_err(|error| ServerError::Tls(error.to_string()))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { certificate_pem: pem, config: Arc::new(config), fingerprint })
    }
}

/// SHA-256 of a certificate in upper-case pairs, as browsers and `openssl x509 -fingerprint` show it.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<_> = Digest::of(certificate).as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}

/// The names and addresses this server is reached by: what a certificate made for it says, and what clients may put into
/// their `Host` header.
pub(crate) fn names(listen: SocketAddr, more: &[String]) -> Vec<String> {
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let address = (!listen.ip().is_unspecified()).then(|| listen.ip().to_string());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").map(|host| host.trim().to_owned()).ok();
    for name in address.into_iter().chain(host).chain(more.iter().cloned()) {
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A self-signed certificate for this machine. Its key never leaves the keys' directory.
fn make(certificate: &Path, key: &Path, names: &[String]) -> Result<(), ServerError> {
    let failed = |error: rcgen::Error| ServerError::Tls(error.to_string());
    let mut params = CertificateParams::new(names).map_err(failed)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Sealyard self-signed");
    params.distinguished_name = subject;
    let pair = KeyPair::generate().map_err(failed)?;
    let made = params.self_signed(&pair).map_err(failed)?;
    let write = |path: &Path, text: &str, mode| {
        durable::write(path, text.as_bytes(), mode).map_err(|source| ServerError::File {
            what: "write",
            path: path.to_owned(),
            source,
        })
    };
    write(key, &pair.serialize_pem(), 0o600)?;
    write(certificate, &made.pem(), 0o644)
}
