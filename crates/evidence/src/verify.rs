use std::collections::BTreeMap;

use sealyard_core::{Digest, Subject, Timestamp};

use crate::bundle::{Bundle, VerificationMaterial};
use crate::dsse::DsseError;
use crate::key::{KeyId, PublicKey};
use crate::predicate::{Predicate, PredicateError};
use crate::statement::{Statement, StatementError};
use crate::x509::{ChainError, TrustedRoots};

/// Public keys under the names that policies use. A key has one name and a name one key, so that whoever signed has
/// exactly one name.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys(BTreeMap<KeyId, (String, PublicKey)>);

impl TrustedKeys {
    /// No keys: nothing verifies.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts `key` as `name`, which may hold letters, digits, `.`, `_` and `-`.
    ///
    /// # Errors
    /// [`TrustError`] on a bad name, and when the name or the key is there already.
    pub fn insert(&mut self, name: &str, key: PublicKey) -> Result<(), TrustError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if name.is_empty() || name.len() > 100 || !name.bytes().all(plain) {
            return Err(TrustError::Name(name.chars().take(100).collect()));
        }
        if self.get(name).is_some() {
            return Err(TrustError::NameTwice(name.to_owned()));
        }
        let id = key.key_id();
        if let Some((first, _)) = self.0.get(&id) {
            return Err(TrustError::KeyTwice { first: first.clone(), second: name.to_owned() });
        }
        self.0.insert(id, (name.to_owned(), key));
        Ok(())
    }

    /// The key called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&PublicKey> {
        self.0.values().find(|(known, _)| known == name).map(|(_, key)| key)
    }

    /// Names and keys, in the order of the keys' ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &PublicKey)> {
        self.0.values().map(|(name, key)| (name.as_str(), key))
    }
}

/// The keys can't be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// Not a plain name.
    #[error("{0:?} can't be a key's name: letters, digits, `.`, `_` and `-` can")]
    Name(String),
    /// Two keys of one name.
    #[error("two keys are called {0}")]
    NameTwice(String),
    /// Two names for one key: separate duties need separate keys.
    #[error("{first} and {second} are the same key; each duty needs a key of its own")]
    KeyTwice {
        /// The name it has already.
        first: String,
        /// The name it was to have too.
        second: String,
    },
}

/// Everything a verifier may trust.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// Keys.
    pub keys: TrustedKeys,
    /// Roots of certificates.
    pub roots: TrustedRoots,
}

/// Who signed a verified piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signer {
    /// A trusted key.
    Key {
        /// The name it is trusted by.
        name: String,
        /// Which key.
        id: KeyId,
    },
    /// The holder of a certificate that a trusted root leads to.
    Certificate {
        /// The leaf's subject, as RFC 4514 writes it.
        subject: String,
        /// SHA-256 of the leaf's DER.
        fingerprint: Digest,
    },
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key { name, .. } => f.write_str(name),
            Self::Certificate { subject, .. } => write!(f, "certificate:{subject}"),
        }
    }
}

/// A statement whose signature was checked. Made by [`verify`] and [`verify_at`] only.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedEvidence {
    signer: Signer,
    predicate: Predicate,
    subjects: Vec<Subject>,
    bundle_digest: Digest,
}

impl VerifiedEvidence {
    /// Who signed.
    #[must_use]
    pub const fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The trusted key's name; `None` for a certificate, whose subject must not pass for a key's name.
    #[must_use]
    pub fn signer_name(&self) -> Option<&str> {
        match &self.signer {
            Signer::Key { name, .. } => Some(name),
            Signer::Certificate { .. } => None,
        }
    }

    /// What is said.
    #[must_use]
    pub const fn predicate(&self) -> &Predicate {
        &self.predicate
    }

    /// What it is said of.
    #[must_use]
    pub fn subjects(&self) -> &[Subject] {
        &self.subjects
    }

    /// Whether one of the subjects has `digest`.
    #[must_use]
    pub fn is_about(&self, digest: &Digest) -> bool {
        self.subjects.iter().any(|subject| subject.digest == *digest)
    }

    /// The digest of the bundle it came in.
    #[must_use]
    pub const fn bundle_digest(&self) -> Digest {
        self.bundle_digest
    }
}

/// Verifies a bundle that a trusted key signed.
///
/// # Errors
/// [`VerifyError`]; a bundle signed by certificate is refused, [`verify_at`] takes those.
pub fn verify(bundle: &Bundle, trust: &TrustedKeys) -> Result<VerifiedEvidence, VerifyError> {
    let VerificationMaterial::PublicKey { hint } = bundle.material() else {
        return Err(VerifyError::CertificateNotAccepted);
    };
    if trust.0.is_empty() {
        return Err(VerifyError::NoTrust);
    }
    let mut candidates = trust.0.iter().filter(|(id, _)| hint.as_ref().is_none_or(|hint| *hint == id.to_string()));
    let mut refused =
        VerifyError::UnknownKey(hint.as_ref().map_or_else(String::new, |hint| hint.chars().take(80).collect()));
    // Without a hint every trusted key is tried; with one, at most one matches.
    candidates
        .find_map(|(id, (name, key))| match bundle.envelope().verify(key) {
            Ok(payload) => Some((Signer::Key { name: name.clone(), id: *id }, payload)),
            Err(error) => {
                refused = VerifyError::Signature(error);
                None
            }
        })
        .ok_or(())
        .map_or_else(|()| Err(refused), |(signer, payload)| evidence(bundle, signer, payload))
}

/// Verifies a bundle that a trusted key signed, or the holder of a certificate that is valid at `now` and that a
/// trusted root leads to.
///
/// # Errors
/// [`VerifyError`].
pub fn verify_at(bundle: &Bundle, trust: &Trust, now: Timestamp) -> Result<VerifiedEvidence, VerifyError> {
    let VerificationMaterial::CertificateChain(chain) = bundle.material() else {
        return verify(bundle, &trust.keys);
    };
    let leaf = trust.roots.validate(chain, now)?;
    let payload = bundle.envelope().verify(&leaf.key)?;
    evidence(bundle, Signer::Certificate { subject: leaf.subject, fingerprint: leaf.fingerprint }, payload)
}

/// The payload is read only here, after its signature held.
fn evidence(bundle: &Bundle, signer: Signer, payload: &[u8]) -> Result<VerifiedEvidence, VerifyError> {
    let statement = Statement::parse(payload)?;
    let subjects = statement.subjects()?;
    let predicate = Predicate::parse(statement.predicate_type(), statement.predicate())?;
    Ok(VerifiedEvidence { signer, predicate, subjects, bundle_digest: bundle.digest() })
}

/// The bundle does not verify.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Nothing to verify with.
    #[error("no key is trusted, so nothing can be verified")]
    NoTrust,
    /// A key nobody trusts; the hint at it.
    #[error("it is signed by a key that is not trusted: {0:?}")]
    UnknownKey(String),
    /// By certificate where a key is needed.
    #[error("it is signed by certificate, and only keys are trusted here")]
    CertificateNotAccepted,
    /// The certificates do not hold.
    #[error("its certificates do not hold")]
    Chain(#[from] ChainError),
    /// The signature does not match.
    #[error(transparent)]
    Signature(#[from] DsseError),
    /// Signed, but no statement.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Signed, but of an unknown or malformed type.
    #[error(transparent)]
    Predicate(#[from] PredicateError),
}
