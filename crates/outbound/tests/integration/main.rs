//! The guard, and what it lets through.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that can't go on ends")]

mod sending;
