//! Keys of identity providers, and the algorithms that they are used with.

use aws_lc_rs::digest::{self, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, VerificationAlgorithm,
};
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

const RSA: &str = "1.2.840.113549.1.1.1";
const EC: &str = "1.2.840.10045.2.1";
const P256: &str = "1.2.840.10045.3.1.7";
const P384: &str = "1.3.132.0.34";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
}

/// A key that signs. When its certificate ends does not matter: in SAML a certificate is a wrapping for a key, and trusted
/// because the settings name it.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    kind: Kind,
    /// `RSAPublicKey`, or a point.
    bytes: Vec<u8>,
}

impl Key {
    /// Of a certificate in DER; `None` for keys that are not used here.
    pub(crate) fn of_certificate(der: &[u8]) -> Option<Self> {
        let certificate = Certificate::from_der(der).ok()?;
        let info = certificate.tbs_certificate.subject_public_key_info;
        let kind = match info.algorithm.oid.to_string().as_str() {
            RSA => Kind::Rsa,
            EC => {
                match info.algorithm.parameters?.decode_as::<x509_cert::der::asn1::ObjectIdentifier>().ok()?.to_string()
                {
                    curve if curve == P256 => Kind::P256,
                    curve if curve == P384 => Kind::P384,
                    _ => return None,
                }
            }
            _ => return None,
        };
        let key = Self { kind, bytes: info.subject_public_key.as_bytes()?.to_vec() };
        // One that is too small is found at the start and not at the first log-in.
        let algorithm: &'static dyn VerificationAlgorithm = match kind {
            Kind::Rsa => &RSA_PKCS1_2048_8192_SHA256,
            Kind::P256 => &ECDSA_P256_SHA256_FIXED,
            Kind::P384 => &ECDSA_P384_SHA384_FIXED,
        };
        ParsedPublicKey::new(algorithm, &key.bytes).ok()?;
        Some(key)
    }

    /// Whether `signature` over `message` is this key's by `algorithm`, which has to be one for keys of its kind.
    pub(crate) fn signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if self.kind != algorithm.kind {
            return false;
        }
        ParsedPublicKey::new(algorithm.check, &self.bytes).is_ok_and(|key| key.verify_sig(message, signature).is_ok())
    }
}

/// How something is signed.
#[derive(Clone, Copy)]
pub(crate) struct Algorithm {
    kind: Kind,
    check: &'static dyn VerificationAlgorithm,
}

impl Algorithm {
    /// By its name in XML. MD5, SHA-1 and all that takes a shared secret (HMAC) are not here.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let (kind, check): (_, &'static dyn VerificationAlgorithm) = match name {
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256" => (Kind::Rsa, &RSA_PKCS1_2048_8192_SHA256),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384" => (Kind::Rsa, &RSA_PKCS1_2048_8192_SHA384),
            "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512" => (Kind::Rsa, &RSA_PKCS1_2048_8192_SHA512),
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256" => (Kind::P256, &ECDSA_P256_SHA256_FIXED),
            "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384" => (Kind::P384, &ECDSA_P384_SHA384_FIXED),
            _ => return None,
        };
        Some(Self { kind, check })
    }
}

/// The digest of `bytes` by an algorithm's name in XML; `None` for one that is not used here.
pub(crate) fn digest(name: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match name {
        "http://www.w3.org/2001/04/xmlenc#sha256" => &SHA256,
        "http://www.w3.org/2001/04/xmldsig-more#sha384" => &SHA384,
        "http://www.w3.org/2001/04/xmlenc#sha512" => &SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, bytes).as_ref().to_vec())
}
