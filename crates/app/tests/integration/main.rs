//! What the application promises: each contract, and each defence by a test that fails without it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a helper of a test fails by panicking, as the test does"
)]

mod aliases;
mod directories;
mod doctor;
mod downloads;
mod evidence;
mod federation;
mod finalising;
mod frozen;
mod gates;
mod grants;
mod harness;
mod identities;
mod import;
mod integrity;
mod ledger;
mod logins;
mod meddling;
mod records;
mod refused_often;
mod samples;
mod sessions;
mod sharing;
mod tokens;
mod uploads;
mod vault_keys;
mod versions;
