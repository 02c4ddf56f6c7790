use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ExtendedKeyPurpose, RootCertStore,
    SignatureScheme,
};
use serde::Deserialize;

use crate::files::read_public;
use crate::{CertificateNames, TransportError};

/// Whether clients show a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// They may. One that is shown and not good ends the connection all the same.
    #[default]
    Request,
    /// They must, or there is no connection.
    Require,
}

/// Which certificates of clients are good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificateSettings {
    /// PEM file with the authorities.
    pub authorities: PathBuf,
    /// PEM file with their revocation lists. With it, every certificate must be covered by a list that is not out of date.
    pub revoked: Option<PathBuf>,
    /// Whether one must be shown.
    pub authentication: ClientAuthentication,
}

impl ClientCertificateSettings {
    /// The files that it is made of.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        std::iter::once(self.authorities.clone()).chain(self.revoked.clone()).collect()
    }

    /// Reads the files.
    pub(crate) fn verifier(&self) -> Result<Arc<dyn ClientCertVerifier>, TransportError> {
        let path = &self.authorities;
        let bad = |error: &dyn std::fmt::Display| TransportError::content(path, error.to_string());
        let pem = read_public(path, "read the authorities of clients")?;
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let certificate = certificate.map_err(|error| bad(&error))?;
            roots.add(certificate).map_err(|error| bad(&error))?;
        }
        if roots.is_empty() {
            return Err(bad(&"it holds no certificate"));
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if let Some(path) = &self.revoked {
            let bad = |error: &dyn std::fmt::Display| TransportError::content(path, error.to_string());
            let pem = read_public(path, "read the revocation list")?;
            let lists = CertificateRevocationListDer::pem_slice_iter(pem.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| bad(&error))?;
            if lists.is_empty() {
                return Err(bad(&"it holds no revocation list"));
            }
            // A list that is out of date may lack who was revoked since.
            builder = builder.with_crls(lists).enforce_revocation_expiration();
        }
        if self.authentication == ClientAuthentication::Request {
            builder = builder.allow_unauthenticated();
        }
        let inner = builder.build().map_err(|error| TransportError::Tls(error.to_string()))?;
        Ok(Arc::new(ForClients(inner)))
    }
}

/// Takes only certificates that say they are for clients. One of a server, or one that says nothing of what it is for, is not
/// what its issuer gave out for this.
#[derive(Debug)]
struct ForClients(Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for ForClients {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self.0.verify_client_cert(end_entity, intermediates, now)?;
        let names =
            CertificateNames::read(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        if !names.is_for_clients() {
            return Err(Error::InvalidCertificate(CertificateError::InvalidPurposeContext {
                required: ExtendedKeyPurpose::ClientAuth,
                presented: Vec::new(),
            }));
        }
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
