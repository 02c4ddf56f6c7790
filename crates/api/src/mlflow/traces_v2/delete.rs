//! `POST traces/delete-traces`: as in v3.

pub(super) use super::super::traces::delete::handler;
