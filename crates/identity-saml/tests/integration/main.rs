//! Log-ins and attacks with documents that the tests sign themselves, written in canonical form by hand, so that the
//! canonicalisation under test has no part in making them. `dev/e2e/saml.py` has a real identity provider.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that can't go on ends")]

mod assertions;
mod idp;
mod log_in;
mod settings;
mod signatures;
mod wrapping;
