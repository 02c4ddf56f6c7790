//! `GET get-trace-artifact`: as in v3.

pub(super) use super::super::traces::file::handler;
