//! Chains of X.509 certificates (RFC 5280, as far as code signing with ECDSA needs it).
//!
//! What is not understood is refused: other critical extensions, other algorithms, version 1 certificates.

use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm};
use sealyard_core::{Digest, Timestamp};
use x509_cert::Certificate;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::der::{Decode as _, Encode as _, Header, Reader as _, SliceReader};
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};

use crate::key::{Curve, KeyError, PublicKey};
use crate::pem;

const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const ECDSA_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

const MAX_CERTIFICATE_BYTES: usize = 64 * 1024;

/// Certificates of authorities that chains may end at.
#[derive(Debug, Clone, Default)]
pub struct TrustedRoots(Vec<Parsed>);

/// Whose key signed, according to a chain that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leaf {
    pub(crate) key: PublicKey,
    pub(crate) subject: String,
    pub(crate) fingerprint: Digest,
}

impl TrustedRoots {
    /// No roots: no chain holds.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts every certificate of a PEM text. Each is an anchor, also one that is not self-signed.
    ///
    /// # Errors
    /// [`ChainError`] when there is none, or one can't be read or is not an authority's.
    pub fn add_pem(&mut self, text: &str) -> Result<(), ChainError> {
        for der in certificates_from_pem(text)? {
            let root = Parsed::read(&der)?;
            root.check_authority(0)?;
            self.0.push(root);
        }
        Ok(())
    }

    /// Follows `chain` (DER, the leaf first) to a trusted root.
    pub(crate) fn validate(&self, chain: &[Vec<u8>], now: Timestamp) -> Result<Leaf, ChainError> {
        let mut given = chain.iter().map(|der| Parsed::read(der)).collect::<Result<Vec<_>, _>>()?.into_iter();
        let leaf = given.next().ok_or(ChainError::Empty)?;
        let mut others: Vec<_> = given.collect();
        leaf.check_time(now)?;
        leaf.check_signer()?;

        let mut current = leaf.clone();
        let mut intermediates = 0_u8;
        loop {
            // Several roots may have the same name and key, such as one that was renewed: one that holds is enough.
            let roots = self.0.iter().filter(|root| current.is_issued_by(root));
            let held = roots.map(|root| root.check_time(now).and_then(|()| root.check_authority(intermediates)));
            if let Some(held) = held.reduce(Result::or) {
                held?;
                let Parsed { key, fingerprint, .. } = leaf;
                let subject = leaf.certificate.tbs_certificate.subject.to_string();
                let subject = subject.chars().filter(|character| !character.is_control()).take(300).collect();
                return Ok(Leaf { key, subject, fingerprint });
            }
            let position = others.iter().position(|other| current.is_issued_by(other));
            let issuer = others.remove(position.ok_or_else(|| ChainError::NoRoot(current.issuer()))?);
            issuer.check_time(now)?;
            issuer.check_authority(intermediates)?;
            intermediates += 1;
            current = issuer;
        }
    }
}

/// The certificates of a PEM text as DER.
///
/// # Errors
/// [`ChainError`] when there is none or the text is corrupt.
pub fn certificates_from_pem(text: &str) -> Result<Vec<Vec<u8>>, ChainError> {
    if text.len() > pem::MAX_BYTES {
        return Err(ChainError::Malformed);
    }
    let blocks = pem::blocks(text).ok_or(ChainError::Malformed)?;
    let certificates: Vec<_> =
        blocks.into_iter().filter(|(label, _)| label == "CERTIFICATE").map(|(_, der)| der).collect();
    if certificates.is_empty() { Err(ChainError::Empty) } else { Ok(certificates) }
}

#[derive(Debug, Clone)]
struct Parsed {
    certificate: Certificate,
    /// The signed part, as received.
    signed: Vec<u8>,
    key: PublicKey,
    fingerprint: Digest,
}

impl Parsed {
    fn read(der: &[u8]) -> Result<Self, ChainError> {
        if der.len() > MAX_CERTIFICATE_BYTES {
            return Err(ChainError::Malformed);
        }
        let certificate = Certificate::from_der(der).map_err(|_| ChainError::Malformed)?;
        let signed = signed_part(der).map_err(|_| ChainError::Malformed)?;
        let tbs = &certificate.tbs_certificate;
        if certificate.signature_algorithm != tbs.signature {
            return Err(ChainError::Malformed);
        }
        let spki = tbs.subject_public_key_info.to_der().map_err(|_| ChainError::Malformed)?;
        let key =
            PublicKey::from_spki_der(&spki).map_err(|source| ChainError::Key { of: name(&certificate), source })?;
        let understood = [BasicConstraints::OID, KeyUsage::OID, ExtendedKeyUsage::OID, SubjectAltName::OID];
        for extension in tbs.extensions.iter().flatten() {
            if extension.critical && !understood.contains(&extension.extn_id) {
                return Err(ChainError::Critical { of: name(&certificate), extension: extension.extn_id.to_string() });
            }
        }
        Ok(Self { signed, key, fingerprint: Digest::of(der), certificate })
    }

    fn issuer(&self) -> String {
        self.certificate.tbs_certificate.issuer.to_string().chars().take(200).collect()
    }

    fn is_issued_by(&self, issuer: &Self) -> bool {
        if self.certificate.tbs_certificate.issuer != issuer.certificate.tbs_certificate.subject {
            return false;
        }
        let algorithm = &self.certificate.signature_algorithm;
        let Some(algorithm) = ecdsa(issuer.key.curve(), &algorithm.oid).filter(|_| algorithm.parameters.is_none())
        else {
            return false;
        };
        let Some(signature) = self.certificate.signature.as_bytes() else { return false };
        issuer.key.verify_as(algorithm, &self.signed, signature).is_ok()
    }

    fn check_time(&self, now: Timestamp) -> Result<(), ChainError> {
        let validity = &self.certificate.tbs_certificate.validity;
        let millis =
            |time: &x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX);
        // Both ends are part of the window; the last second is wholly.
        let (from, until) = (millis(&validity.not_before), millis(&validity.not_after).saturating_add(999));
        let now = now.as_millis();
        if now < from {
            return Err(ChainError::NotYetValid { of: name(&self.certificate), from: validity.not_before.to_string() });
        }
        if now > until {
            return Err(ChainError::Expired { of: name(&self.certificate), until: validity.not_after.to_string() });
        }
        Ok(())
    }

    fn extensions(&self) -> Result<Extensions, ChainError> {
        let tbs = &self.certificate.tbs_certificate;
        let constraints = tbs.get::<BasicConstraints>().map_err(|_| ChainError::Malformed)?;
        let usage = tbs.get::<KeyUsage>().map_err(|_| ChainError::Malformed)?;
        let purposes = tbs.get::<ExtendedKeyUsage>().map_err(|_| ChainError::Malformed)?;
        Ok(Extensions {
            constraints: constraints.map(|(_, constraints)| constraints),
            usage: usage.map(|(_, usage)| usage),
            purposes: purposes.map(|(_, ExtendedKeyUsage(purposes))| purposes),
        })
    }

    /// May this certificate sign models? Its usages must say so where it has any, and it must have some.
    fn check_signer(&self) -> Result<(), ChainError> {
        let refuse = |why| Err(ChainError::Usage { of: name(&self.certificate), why });
        let Extensions { constraints, usage, purposes } = self.extensions()?;
        if constraints.is_some_and(|constraints| constraints.ca) {
            return refuse("it is an authority's, not a signer's");
        }
        if usage.is_none() && purposes.is_none() {
            return refuse("it says nothing of what its key may be used for");
        }
        if usage.is_some_and(|usage| !usage.digital_signature()) {
            return refuse("its key may not be used for signatures (keyUsage without digitalSignature)");
        }
        if purposes.is_some_and(|purposes| !purposes.contains(&CODE_SIGNING)) {
            return refuse("its key may not be used for code signing (extendedKeyUsage without codeSigning)");
        }
        Ok(())
    }

    /// May this certificate issue one below which there are `intermediates` more authorities?
    fn check_authority(&self, intermediates: u8) -> Result<(), ChainError> {
        let refuse = |why| Err(ChainError::Usage { of: name(&self.certificate), why });
        let Extensions { constraints, usage, purposes } = self.extensions()?;
        let Some(constraints) = constraints.filter(|constraints| constraints.ca) else {
            return refuse("it is not an authority's (basicConstraints without CA)");
        };
        if constraints.path_len_constraint.is_some_and(|limit| intermediates > limit) {
            return refuse("more authorities follow it than its path length allows");
        }
        if usage.is_some_and(|usage| !usage.key_cert_sign()) {
            return refuse("its key may not issue certificates (keyUsage without keyCertSign)");
        }
        if purposes.is_some_and(|purposes| !purposes.contains(&CODE_SIGNING)) {
            return refuse("it may not issue for code signing (extendedKeyUsage without codeSigning)");
        }
        Ok(())
    }
}

struct Extensions {
    constraints: Option<BasicConstraints>,
    usage: Option<KeyUsage>,
    purposes: Option<Vec<ObjectIdentifier>>,
}

/// The bytes of the `TBSCertificate`: what the issuer signed, never encoded anew.
fn signed_part(der: &[u8]) -> x509_cert::der::Result<Vec<u8>> {
    let mut reader = SliceReader::new(der)?;
    Header::decode(&mut reader)?;
    Ok(reader.tlv_bytes()?.to_vec())
}

fn ecdsa(curve: Curve, oid: &ObjectIdentifier) -> Option<&'static EcdsaVerificationAlgorithm> {
    Some(match (curve, *oid) {
        (Curve::P256, ECDSA_SHA256) => &signature::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, ECDSA_SHA384) => &signature::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, ECDSA_SHA512) => &signature::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, ECDSA_SHA256) => &signature::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, ECDSA_SHA384) => &signature::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, ECDSA_SHA512) => &signature::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, ECDSA_SHA256) => &signature::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, ECDSA_SHA384) => &signature::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, ECDSA_SHA512) => &signature::ECDSA_P521_SHA512_ASN1,
        _ => return None,
    })
}

fn name(certificate: &Certificate) -> String {
    let subject = certificate.tbs_certificate.subject.to_string();
    subject.chars().filter(|character| !character.is_control()).take(200).collect()
}

/// The chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// No certificate.
    #[error("there is no certificate")]
    Empty,
    /// Not a certificate.
    #[error("a certificate is malformed")]
    Malformed,
    /// A key of another kind.
    #[error("the key of the certificate {of:?} can't be used")]
    Key {
        /// Whose certificate.
        of: String,
        /// Why.
        source: KeyError,
    },
    /// A rule we don't know, which must not be passed over.
    #[error("the certificate {of:?} has the critical extension {extension}, which is not understood here")]
    Critical {
        /// Whose certificate.
        of: String,
        /// The extension's identifier.
        extension: String,
    },
    /// Too early.
    #[error("the certificate {of:?} is not valid before {from}")]
    NotYetValid {
        /// Whose certificate.
        of: String,
        /// When it begins.
        from: String,
    },
    /// Too late.
    #[error("the certificate {of:?} was valid until {until}")]
    Expired {
        /// Whose certificate.
        of: String,
        /// When it ended.
        until: String,
    },
    /// Not made for this.
    #[error("the certificate {of:?} can't be used so: {why}")]
    Usage {
        /// Whose certificate.
        of: String,
        /// Which rule.
        why: &'static str,
    },
    /// Leads nowhere we trust.
    #[error("no trusted certificate leads on: nothing here is issued by {0:?} with a signature that holds")]
    NoRoot(String),
}
