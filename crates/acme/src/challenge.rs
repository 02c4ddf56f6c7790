use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use instant_acme::KeyAuthorization;
use rcgen::{CertificateParams, CustomExtension, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use crate::AcmeError;

/// The answers that are given over plain HTTP now, by their tokens.
#[derive(Debug, Default)]
pub struct HttpChallenges(Mutex<HashMap<String, String>>);

impl HttpChallenges {
    /// What to answer to `GET /.well-known/acme-challenge/{token}`.
    #[must_use]
    pub fn answer(&self, token: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub(crate) fn set(&self, token: &str, answer: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(token.to_owned(), answer.to_owned());
    }

    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The certificate that proves a name in a handshake (RFC 8737): signed by itself, with the digest of the key authorization.
pub(crate) fn proof(domain: &str, authorization: &KeyAuthorization) -> Result<Arc<CertifiedKey>, AcmeError> {
    let mut params = CertificateParams::new(vec![domain.to_owned()])?;
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(authorization.digest().as_ref())];
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    // Not `from_der`, which reads the certificate as a client would and stops at the extension: it is critical, so that no client
    // takes the proof for a certificate.
    let key = provider.key_provider.load_private_key(private);
    let key = key.map_err(|error| AcmeError::Unexpected(format!("asks what can't be answered: {error}")))?;
    Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
}
