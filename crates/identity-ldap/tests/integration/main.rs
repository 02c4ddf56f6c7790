//! A directory against servers of the tests' own, most of them bad ones. `dev/e2e/ldap.py` has a real one.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that can't go on ends")]

mod attacks;
mod fake;
mod groups;
mod sign_in;
