use std::path::PathBuf;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sealyard_core::{Digest, durable};

use crate::TransportError;
use crate::files::read_public;

/// More certificates in a chain are no chain.
const LONGEST_CHAIN: usize = 16;

/// A certificate's chain and its key, as two PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPairFiles {
    /// The chain, leaf first.
    pub certificate: PathBuf,
    /// Its key, which nobody but its owner may read.
    pub key: PathBuf,
}

/// What was read of them.
#[derive(Debug)]
pub(crate) struct KeyPair {
    pub(crate) certified: CertifiedKey,
    pub(crate) pem: String,
    pub(crate) fingerprint: String,
}

impl KeyPairFiles {
    /// Reads the pair. The key must be the one of the leaf.
    pub(crate) fn read(&self) -> Result<KeyPair, TransportError> {
        let pem = read_public(&self.certificate, "read the certificate")?;
        let secret = durable::read_private(&self.key)
            .and_then(|secret| secret.ok_or_else(|| std::io::ErrorKind::NotFound.into()))
            .map_err(|source| TransportError::File {
                what: "read the certificate's key",
                path: self.key.clone(),
                source,
            })?;
        let bad = |error: &dyn std::fmt::Display| TransportError::content(&self.certificate, error.to_string());
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
            .take(LONGEST_CHAIN + 1)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| bad(&error))?;
        if chain.len() > LONGEST_CHAIN {
            return Err(bad(&"it holds too many certificates for a chain"));
        }
        let Some(leaf) = chain.first() else { return Err(bad(&"it holds no certificate")) };
        let fingerprint = fingerprint(leaf);
        let private = PrivateKeyDer::from_pem_slice(&secret)
            .map_err(|error| TransportError::content(&self.key, error.to_string()))?;
        let certified = CertifiedKey::from_der(chain, private, &aws_lc_rs::default_provider()).map_err(|error| {
            let key = self.key.display();
            TransportError::Tls(format!("{} and {key} can't be used together: {error}", self.certificate.display()))
        })?;
        Ok(KeyPair { certified, pem, fingerprint })
    }
}

/// SHA-256 of a certificate in upper-case pairs, as browsers and `openssl x509 -fingerprint` show it.
#[must_use]
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let pairs: Vec<_> = Digest::of(certificate).as_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    pairs.join(":")
}
