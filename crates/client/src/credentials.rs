use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use sealyard_core::Redacted;

use crate::ClientError;

/// Where a server is and how to prove who asks.
#[derive(Debug, Clone)]
pub struct Connection {
    /// Such as `https://127.0.0.1:5000`.
    pub url: String,
    /// PEM of the certificate to trust; `None` trusts the system's store.
    pub certificate: Option<String>,
    /// A bearer token.
    pub token: Option<Redacted<String>>,
    /// A name and password, where there is no token.
    pub basic: Option<(String, Redacted<String>)>,
}

/// The connection can't be described.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectionError {
    /// A file could not be read.
    #[error("could not read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl Connection {
    pub(crate) fn tls_config(&self) -> Result<ClientConfig, ClientError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = |error: &dyn std::fmt::Display| ClientError::Tls(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .map_err(|error| tls(&error))?;
        let mut roots = RootCertStore::empty();
        let mut pinned = Vec::new();
        match &self.certificate {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(|error| tls(&error))?;
                    roots.add(certificate.clone()).map_err(|error| tls(&error))?;
                    pinned.push(certificate);
                }
                if pinned.is_empty() {
                    return Err(ClientError::Tls("the file to trust holds no certificate".to_owned()));
                }
            }
            None => {
                for certificate in rustls_native_certs::load_native_certs().certs {
                    let _ = roots.add(certificate);
                }
            }
        }
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build();
        let config = match usual {
            Ok(usual) => {
                builder.dangerous().with_custom_certificate_verifier(Arc::new(PinnedOrChained { pinned, usual }))
            }
            Err(_) => builder.with_root_certificates(RootCertStore::empty()),
        };
        Ok(config.with_no_client_auth())
    }
}

/// Accepts what the usual verifier accepts; and a leaf that is, byte for byte, one of the certificates the user named,
/// because a self-signed certificate is its own end entity, which the usual verifier won't have as an authority. The
/// name must match in both cases.
#[derive(Debug)]
struct PinnedOrChained {
    pinned: Vec<CertificateDer<'static>>,
    usual: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for PinnedOrChained {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.pinned.iter().any(|pinned| pinned == end_entity) {
            let parsed = rustls::server::ParsedCertificate::try_from(end_entity)?;
            rustls::client::verify_server_name(&parsed, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}
