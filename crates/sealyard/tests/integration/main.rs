//! Tests of the workspace and of the command as a whole.
#![allow(missing_docs, reason = "tests")]

mod commands;
mod layering;
