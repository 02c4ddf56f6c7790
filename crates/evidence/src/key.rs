//! ECDSA keys on the NIST curves: P-256 with SHA-256, P-384 with SHA-384, P-521 with SHA-512.

use std::fmt;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, KeyPair as _};
use sealyard_core::{Digest, Redacted, Rng};

use crate::pem;

/// A key's curve; the hash goes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "the names are the field's own")]
pub enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    const fn signing(self) -> &'static EcdsaSigningAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1_SIGNING,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1_SIGNING,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1_SIGNING,
        }
    }

    const fn verification(self) -> &'static EcdsaVerificationAlgorithm {
        match self {
            Self::P256 => &signature::ECDSA_P256_SHA256_ASN1,
            Self::P384 => &signature::ECDSA_P384_SHA384_ASN1,
            Self::P521 => &signature::ECDSA_P521_SHA512_ASN1,
        }
    }

    /// Everything of a DER `SubjectPublicKeyInfo` before the uncompressed point, which has a fixed length.
    const fn spki_prefix(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00",
            Self::P384 => b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00",
            Self::P521 => {
                b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23\x03\x81\x86\x00"
            }
        }
    }

    /// DER of the curve's object identifier, as it stands in private keys.
    const fn oid(self) -> &'static [u8] {
        match self {
            Self::P256 => b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07",
            Self::P384 => b"\x06\x05\x2b\x81\x04\x00\x22",
            Self::P521 => b"\x06\x05\x2b\x81\x04\x00\x23",
        }
    }

    const fn scalar_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        })
    }
}

/// A private key that signs.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a new key: scalars are drawn until one is in the curve's range.
    ///
    /// # Errors
    /// [`KeyError::Crypto`] when none is found, which randomness does not bring about.
    pub fn generate(curve: Curve, rng: &dyn Rng) -> Result<Self, KeyError> {
        for _ in 0..64 {
            let scalar = Redacted::new(random_scalar(curve, rng));
            let der = Redacted::new(sec1(curve, scalar.expose()));
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve.signing(), der.expose()) {
                return Self::of_pair(curve, pair);
            }
        }
        Err(KeyError::Crypto("making a key"))
    }

    /// Reads an unencrypted PEM private key, SEC1 (`EC PRIVATE KEY`) or PKCS#8 (`PRIVATE KEY`).
    ///
    /// # Errors
    /// [`KeyError`] says what the file is instead, and what to do.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let blocks = read_pem(text)?;
        let labels = || blocks.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>().join(", ");
        for (label, content) in &blocks {
            match label.as_str() {
                "ENCRYPTED PRIVATE KEY" => return Err(KeyError::Encrypted),
                "EC PRIVATE KEY" | "PRIVATE KEY" if content.is_empty() => return Err(KeyError::Encrypted),
                "EC PRIVATE KEY" | "PRIVATE KEY" => {
                    for curve in Curve::ALL {
                        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve.signing(), content) {
                            return Self::of_pair(curve, pair);
                        }
                    }
                    return Err(KeyError::Unusable);
                }
                // `openssl ecparam -genkey` writes the curve in front of the key.
                "EC PARAMETERS" => {}
                "PUBLIC KEY" => return Err(KeyError::PublicGiven),
                _ => return Err(KeyError::Unexpected { found: labels(), expected: "a private key" }),
            }
        }
        Err(KeyError::Unexpected { found: labels(), expected: "a private key" })
    }

    /// The key as PKCS#8 PEM, to be stored where only its owner reads it.
    ///
    /// # Errors
    /// [`KeyError::Crypto`] when it can't be written.
    pub fn to_pkcs8_pem(&self) -> Result<Redacted<String>, KeyError> {
        let der = self.pair.to_pkcs8v1().map_err(|_| KeyError::Crypto("writing a private key"))?;
        Ok(Redacted::new(pem::encode("PRIVATE KEY", der.as_ref())))
    }

    /// The public half.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.public.clone()
    }

    /// Signs `message`; the signature is in DER.
    ///
    /// # Errors
    /// [`KeyError::Crypto`] when the key can't sign.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Crypto("signing"))?;
        Ok(signature.as_ref().to_vec())
    }

    fn of_pair(curve: Curve, pair: EcdsaKeyPair) -> Result<Self, KeyError> {
        let public = PublicKey::from_point(curve, pair.public_key().as_ref())?;
        Ok(Self { pair, public })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(private half of {})", self.public.key_id())
    }
}

fn random_scalar(curve: Curve, rng: &dyn Rng) -> Vec<u8> {
    let mut scalar = vec![0; curve.scalar_bytes()];
    rng.fill(&mut scalar);
    if curve == Curve::P521 {
        // 521 bits in 66 bytes: all but one bit of the first are beyond the range.
        if let Some(first) = scalar.first_mut() {
            *first &= 1;
        }
    }
    scalar
}

/// RFC 5915 without the public half, which is computed from the scalar.
fn sec1(curve: Curve, scalar: &[u8]) -> Vec<u8> {
    // Every length is below 128 bytes, so one byte each says it.
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    let mut body = vec![2, 1, 1, 4, length(scalar)];
    body.extend_from_slice(scalar);
    body.extend_from_slice(&[0xa0, length(curve.oid())]);
    body.extend_from_slice(curve.oid());
    let mut der = vec![0x30, length(&body)];
    der.append(&mut body);
    der
}

/// A public key that signatures are checked against.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    curve: Curve,
    /// DER `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
}

impl PublicKey {
    /// Reads PEM (`PUBLIC KEY`).
    ///
    /// # Errors
    /// [`KeyError`] says what the file is instead.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let blocks = read_pem(text)?;
        match blocks.as_slice() {
            [(label, content)] if label == "PUBLIC KEY" => Self::from_spki_der(content),
            blocks => {
                if blocks.iter().any(|(label, _)| label.ends_with("PRIVATE KEY")) {
                    return Err(KeyError::PrivateGiven);
                }
                let found = blocks.iter().map(|(label, _)| label.as_str()).collect::<Vec<_>>().join(", ");
                Err(KeyError::Unexpected { found, expected: "one public key" })
            }
        }
    }

    /// Reads DER `SubjectPublicKeyInfo` of a named curve with an uncompressed point; there is one spelling of each key.
    ///
    /// # Errors
    /// [`KeyError::Unusable`] for any other key.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyError> {
        for curve in Curve::ALL {
            if let Some(point) = der.strip_prefix(curve.spki_prefix()) {
                return Self::from_point(curve, point);
            }
        }
        Err(KeyError::Unusable)
    }

    fn from_point(curve: Curve, point: &[u8]) -> Result<Self, KeyError> {
        let uncompressed = point.first() == Some(&4) && point.len() == 1 + 2 * curve.scalar_bytes();
        let on_curve = signature::UnparsedPublicKey::new(curve.verification(), point).parse().is_ok();
        if !uncompressed || !on_curve {
            return Err(KeyError::Unusable);
        }
        let mut spki = curve.spki_prefix().to_vec();
        spki.extend_from_slice(point);
        Ok(Self { curve, spki })
    }

    /// The key as PEM with a newline at the end, the text [`KeyId`] is the digest of.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode("PUBLIC KEY", &self.spki)
    }

    /// DER `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// The curve it is on.
    #[must_use]
    pub const fn curve(&self) -> Curve {
        self.curve
    }

    /// The key's name by content: SHA-256 of its PEM text, which is also the hint in OMS bundles.
    #[must_use]
    pub fn key_id(&self) -> KeyId {
        KeyId(Digest::of(self.to_pem().as_bytes()))
    }

    /// Checks an ECDSA signature in DER over `message`, hashed as the curve asks.
    ///
    /// # Errors
    /// [`KeyError::BadSignature`] when this key did not make it.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), KeyError> {
        self.verify_as(self.curve.verification(), message, signature)
    }

    pub(crate) fn verify_as(
        &self,
        algorithm: &'static EcdsaVerificationAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), KeyError> {
        let point = self.spki.strip_prefix(self.curve.spki_prefix()).unwrap_or_default();
        signature::UnparsedPublicKey::new(algorithm, point)
            .verify(message, signature)
            .map_err(|_| KeyError::BadSignature)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.curve, self.key_id())
    }
}

/// SHA-256 of a public key's PEM text. Written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(Digest);

impl KeyId {
    /// The digest itself.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn read_pem(text: &str) -> Result<Vec<(String, Vec<u8>)>, KeyError> {
    if text.len() > pem::MAX_BYTES {
        return Err(KeyError::TooLarge(text.len()));
    }
    match pem::blocks(text) {
        Some(blocks) if !blocks.is_empty() => Ok(blocks),
        Some(_) => Err(KeyError::NotPem),
        None => Err(KeyError::Corrupt),
    }
}

/// The key can't be read or used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// No PEM block at all.
    #[error("it is no PEM file: there is no -----BEGIN line in it")]
    NotPem,
    /// A block without its end, or with content that is not base64.
    #[error("the PEM text is cut off or corrupt")]
    Corrupt,
    /// Larger than any key.
    #[error("it has {0} bytes, more than any key has")]
    TooLarge(usize),
    /// Protected by a password.
    #[error("the private key is encrypted; decrypt it first: openssl pkcs8 -topk8 -nocrypt -in KEY -out PLAIN")]
    Encrypted,
    /// Public where private is needed.
    #[error("it is a public key, but signing needs the private one")]
    PublicGiven,
    /// Private where public is needed.
    #[error("it is a private key, but a public one is asked for; make it with: openssl pkey -in KEY -pubout")]
    PrivateGiven,
    /// Another kind of PEM.
    #[error("it holds {found}, expected {expected}")]
    Unexpected {
        /// The labels found.
        found: String,
        /// What is asked for.
        expected: &'static str,
    },
    /// RSA, Ed25519, another curve, or broken.
    #[error(
        "the key is not usable: expected an EC key on P-256, P-384 or P-521, such as openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes"
    )]
    Unusable,
    /// The signature is not by this key.
    #[error("the signature is not by this key, or what it signs was changed")]
    BadSignature,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed at {0}")]
    Crypto(&'static str),
}
