//! The router over a real catalog and a real vault in a temporary folder.
#![allow(missing_docs, reason = "tests")]

mod artifacts;
mod authentication;
mod experiments;
mod logged_models;
mod matrix;
mod native;
mod registry;
mod runs;
mod test_app;
