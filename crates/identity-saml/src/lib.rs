//! Sign-in by a SAML 2.0 identity provider: this server is a service provider of the Web Browser SSO profile.
//!
//! What is believed is read from the bytes that a signature was checked over, and from nothing else. An element whose
//! signature is asked for is canonicalised, its digest compared, and *that text* is parsed again; the document it came in is
//! dropped. A signature counts for the element that it is a child of and names by its ID, so nothing can be wrapped around or
//! beside it; comments are gone before a name is read; there are no DTDs, so no entities. Signatures are RSA (PKCS #1) or
//! ECDSA with SHA-2, by keys of the settings: a key or an algorithm that a message brings along counts for nothing.
//!
//! Why not by a library: `docs/src/decisions`.
#![forbid(unsafe_code)]

mod assertion;
mod c14n;
mod error;
mod key;
mod metadata;
mod names;
mod provider;
mod request;
mod response;
mod sealed;
mod settings;
mod signature;
mod xml;

pub use error::{SamlError, SamlSettingsError};
pub use provider::{Begun, Finished, Provider};
pub use sealed::StateKey;
pub use settings::SamlSettings;
