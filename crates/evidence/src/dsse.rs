//! Dead Simple Signing Envelopes, <https://github.com/secure-systems-lab/dsse>.

use serde::{Deserialize, Serialize};

use crate::key::{KeyError, PublicKey, SigningKey};

/// The payload type of in-toto statements.
pub const IN_TOTO: &str = "application/vnd.in-toto+json";

/// What is signed: DSSE's pre-authentication encoding of a payload and its type.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

/// A payload, its type, and signatures over both.
///
/// Holds the payload's bytes as they were received: they are what was signed, so they are never written anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The signed bytes.
    #[serde(with = "crate::encoding")]
    pub payload: Vec<u8>,
    /// What the bytes are.
    pub payload_type: String,
    /// Signatures over [`pae`] of both.
    pub signatures: Vec<Signature>,
}

/// One signature of an [`Envelope`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// ECDSA in DER.
    #[serde(with = "crate::encoding")]
    pub sig: Vec<u8>,
    /// A hint that nothing rests on.
    #[serde(default)]
    pub keyid: Option<String>,
}

impl Envelope {
    /// Signs `payload`.
    ///
    /// # Errors
    /// [`KeyError`] when the key can't sign.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Result<Self, KeyError> {
        let sig = key.sign(&pae(payload_type, &payload))?;
        let signatures = vec![Signature { sig, keyid: Some(String::new()) }];
        Ok(Self { payload, payload_type: payload_type.to_owned(), signatures })
    }

    /// Checks that `key` made the one signature, and lends the payload out.
    ///
    /// # Errors
    /// [`DsseError`] when there is not exactly one signature or it is not by `key`.
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], DsseError> {
        let [signature] = self.signatures.as_slice() else {
            return Err(DsseError::Signatures(self.signatures.len()));
        };
        key.verify(&pae(&self.payload_type, &self.payload), &signature.sig).map_err(|_| DsseError::Signature)?;
        Ok(&self.payload)
    }
}

/// The envelope does not hold.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DsseError {
    /// A bundle's envelope has exactly one.
    #[error("the envelope has {0} signatures, expected exactly one")]
    Signatures(usize),
    /// The bytes or the signature were changed, or another key signed.
    #[error("the signature does not match the content: one of them was changed, or another key signed")]
    Signature,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Curve;
    use sealyard_core::FixedRng;

    #[test]
    fn pae_is_the_specification_example() {
        assert_eq!(
            pae("http://example.com/HelloWorld", b"hello world"),
            b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        );
    }

    #[test]
    fn payload_type_signature_and_count_are_bound() {
        let key = SigningKey::generate(Curve::P256, &FixedRng::seeded(1)).unwrap();
        let public = key.public_key();
        let good = Envelope::sign(IN_TOTO, b"{}".to_vec(), &key).unwrap();
        assert_eq!(good.verify(&public).unwrap(), b"{}");

        let payload = Envelope { payload: b"{ }".to_vec(), ..good.clone() };
        let payload_type = Envelope { payload_type: "text/plain".into(), ..good.clone() };
        let mut broken = good.clone();
        broken.signatures[0].sig[10] ^= 1;
        for bad in [payload, payload_type, broken] {
            assert!(matches!(bad.verify(&public), Err(DsseError::Signature)));
        }
        let none = Envelope { signatures: vec![], ..good.clone() };
        let mut two = good.clone();
        two.signatures.push(good.signatures[0].clone());
        for bad in [none, two] {
            assert!(matches!(bad.verify(&public), Err(DsseError::Signatures(_))));
        }
    }
}
