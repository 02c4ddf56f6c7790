//! The router over a real catalog and a real vault in a temporary folder.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a test that can't go on ends"
)]

mod access;
mod account_pages;
mod accounts;
mod artifacts;
mod authentication;
mod bounds;
mod browser;
mod datasets;
mod experiments;
mod faults;
mod gateway;
mod graphql;
mod inference;
mod ledger;
mod lingering;
mod logged_models;
mod matrix;
mod native;
mod oidc;
#[path = "../../../identity-oidc/tests/integration/fake.rs"]
mod oidc_provider;
mod otlp;
mod parts;
mod proofs;
mod registry;
mod roles;
mod runs;
mod scim;
mod second_factor;
mod test_app;
mod traces;
mod transport;
mod unseen;
mod webhooks;
mod workspaces;
