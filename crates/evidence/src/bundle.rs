//! Sigstore bundles, v0.3 JSON: an envelope and what helps to find out who signed it.

use sealyard_core::Digest;
use serde::{Deserialize, Serialize};

use crate::dsse::{Envelope, IN_TOTO};
use crate::encoding;
use crate::key::{KeyError, SigningKey};
use crate::statement::{Statement, StatementError};
use crate::unique;

/// The one media type that is written.
pub const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Room for the signature of a model of some hundred thousand files.
pub const MAX_BYTES: usize = 32 << 20;

const MAX_CERTIFICATES: usize = 10;

/// A bundle as it was received. It proves nothing until [`verify`](crate::verify) was asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    text: String,
    digest: Digest,
    material: VerificationMaterial,
    envelope: Envelope,
}

/// Who the bundle says signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerificationMaterial {
    /// A key, perhaps with a hint at which.
    PublicKey {
        /// Hex SHA-256 of the key's PEM text, as OMS writes it.
        hint: Option<String>,
    },
    /// A certificate and those up to, or with, a root; DER.
    CertificateChain(Vec<Vec<u8>>),
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// [`BundleError`] when it is too large, not a bundle of version 0.3, or not around an in-toto statement.
    pub fn parse(bytes: &[u8]) -> Result<Self, BundleError> {
        if bytes.len() > MAX_BYTES {
            return Err(BundleError::TooLarge(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| BundleError::NotText)?;
        unique::check(bytes).map_err(BundleError::Json)?;
        let raw: RawBundle = serde_json::from_str(text).map_err(BundleError::Json)?;
        if !matches!(raw.media_type.as_str(), MEDIA_TYPE | "application/vnd.dev.sigstore.bundle+json;version=0.3") {
            return Err(BundleError::MediaType(raw.media_type.chars().take(120).collect()));
        }
        if raw.message_signature.is_some() {
            return Err(BundleError::Content);
        }
        if raw.dsse_envelope.payload_type != IN_TOTO {
            return Err(BundleError::PayloadType(raw.dsse_envelope.payload_type.chars().take(120).collect()));
        }
        let RawMaterial { public_key, x509_certificate_chain, certificate, .. } = raw.verification_material;
        let material = match (public_key, x509_certificate_chain, certificate) {
            (Some(key), None, None) => {
                VerificationMaterial::PublicKey { hint: key.hint.filter(|hint| !hint.is_empty()) }
            }
            (None, Some(chain), None) => {
                if chain.certificates.is_empty() || chain.certificates.len() > MAX_CERTIFICATES {
                    return Err(BundleError::Certificates(chain.certificates.len()));
                }
                let certificates = chain.certificates.into_iter().map(|certificate| certificate.raw_bytes);
                VerificationMaterial::CertificateChain(certificates.collect())
            }
            (None, None, Some(certificate)) => VerificationMaterial::CertificateChain(vec![certificate.raw_bytes]),
            _ => return Err(BundleError::Material),
        };
        Ok(Self { text: text.to_owned(), digest: Digest::of(bytes), material, envelope: raw.dsse_envelope })
    }

    /// Signs `statement` with a key.
    ///
    /// # Errors
    /// [`BundleError::Sign`] or [`BundleError::Statement`] when it can't be signed or written.
    pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, BundleError> {
        let hint = Some(key.public_key().key_id().to_string());
        let material = RawMaterial { public_key: Some(RawPublicKey { hint }), ..RawMaterial::default() };
        Self::sign_with(statement, key, material)
    }

    /// Signs `statement` with a certificate's key; `chain` is DER, the leaf first.
    ///
    /// # Errors
    /// As [`Bundle::sign`]; [`BundleError::Certificates`] without a certificate.
    pub fn sign_with_chain(statement: &Statement, key: &SigningKey, chain: &[Vec<u8>]) -> Result<Self, BundleError> {
        let certificates = chain.iter().map(|der| RawCertificate { raw_bytes: der.clone() }).collect();
        let material =
            RawMaterial { x509_certificate_chain: Some(RawChain { certificates }), ..RawMaterial::default() };
        Self::sign_with(statement, key, material)
    }

    fn sign_with(statement: &Statement, key: &SigningKey, material: RawMaterial) -> Result<Self, BundleError> {
        let payload = statement.to_json().map_err(BundleError::Statement)?;
        let dsse_envelope = Envelope::sign(IN_TOTO, payload, key).map_err(BundleError::Sign)?;
        let raw = RawBundle {
            media_type: MEDIA_TYPE.to_owned(),
            verification_material: material,
            dsse_envelope,
            message_signature: None,
        };
        let text = serde_json::to_string(&raw).map_err(BundleError::Json)?;
        // What is written must be readable again, within the same bounds.
        Self::parse(text.as_bytes())
    }

    /// The bytes as received: store these.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The digest of [`Bundle::text`]; how decisions and the ledger name this piece of evidence.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Who it says signed it.
    #[must_use]
    pub const fn material(&self) -> &VerificationMaterial {
        &self.material
    }

    /// The signed envelope.
    #[must_use]
    pub const fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// What the bundle *claims*, unverified: to index and to show it, never to decide by it.
    ///
    /// # Errors
    /// [`StatementError`] when the payload is no statement.
    pub fn claimed_statement(&self) -> Result<Statement, StatementError> {
        Statement::parse(&self.envelope.payload)
    }
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bundle({})", self.digest)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawBundle {
    media_type: String,
    verification_material: RawMaterial,
    dsse_envelope: Envelope,
    /// The other kind of content that a bundle can have instead.
    #[serde(default, skip_serializing)]
    message_signature: Option<serde_json::Value>,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawMaterial {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<RawPublicKey>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<RawChain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<RawCertificate>,
    /// Log entries are kept in the text; nothing here rests on them.
    #[serde(default)]
    tlog_entries: Vec<serde_json::Value>,
}

/// Older writers put the key itself in `rawBytes`; it says no more than the hint does and is not read.
#[derive(Serialize, Deserialize)]
struct RawPublicKey {
    #[serde(default)]
    hint: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct RawChain {
    certificates: Vec<RawCertificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCertificate {
    #[serde(with = "encoding")]
    raw_bytes: Vec<u8>,
}

/// The bytes are no bundle we can read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// Too large.
    #[error("the bundle has {0} bytes, more than the {MAX_BYTES} allowed")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("the bundle is not text")]
    NotText,
    /// Not JSON, or not of the right shape.
    #[error("the bundle is not well-formed")]
    Json(#[source] serde_json::Error),
    /// Another version.
    #[error("the bundle is of type {0:?}, expected {MEDIA_TYPE}")]
    MediaType(String),
    /// Something else was signed.
    #[error("the bundle's payload is of type {0:?}, expected {IN_TOTO}")]
    PayloadType(String),
    /// It has a `messageSignature` beside its envelope; readers could differ in which they check.
    #[error("the bundle has two kinds of content, a messageSignature beside its dsseEnvelope")]
    Content,
    /// None or several ways to verify.
    #[error("the bundle must say who signed in exactly one of publicKey, x509CertificateChain and certificate")]
    Material,
    /// None, or too many.
    #[error("the bundle has {0} certificates, expected 1 to {MAX_CERTIFICATES}")]
    Certificates(usize),
    /// The key did not sign.
    #[error("the statement could not be signed")]
    Sign(#[source] KeyError),
    /// The statement can't be written.
    #[error("the statement could not be written")]
    Statement(#[source] StatementError),
}
