//! Evidence: signed statements about subjects, and the one way to come by a verified one.
//!
//! A [`Bundle`] is bytes somebody handed over: a [DSSE](dsse) envelope around an in-toto
//! [`Statement`], with a hint at who signed it. [`verify`] checks the signature over the
//! *received* bytes against keys the caller trusts and only then reads the statement. What comes out,
//! [`VerifiedEvidence`], can be made nowhere else, so a function that takes one needs no further proof:
//!
//! ```compile_fail,E0451
//! use sealyard_evidence::{VerifiedEvidence, predicate::Predicate};
//! fn forge(predicate: Predicate) -> VerifiedEvidence {
//!     VerifiedEvidence { predicate, ..todo!() }
//! }
//! ```
//!
//! A new type of evidence is one file in [`predicate`] and one line in its registry.
#![forbid(unsafe_code)]

pub mod bundle;
pub mod dsse;
mod encoding;
pub mod key;
pub mod oms;
mod pem;
pub mod predicate;
pub mod statement;
mod time;
mod unique;
mod verify;
pub mod x509;

pub use bundle::{Bundle, BundleError};
pub use key::{Curve, KeyError, KeyId, PublicKey, SigningKey};
pub use predicate::{Predicate, PredicateType};
pub use statement::{Statement, StatementError};
pub use verify::{Signer, Trust, TrustError, TrustedKeys, VerifiedEvidence, VerifyError, verify, verify_at};
pub use x509::{ChainError, TrustedRoots};
