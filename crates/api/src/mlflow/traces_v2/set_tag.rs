//! `PATCH traces/<id>/tags`: as in v3.

pub(super) use super::super::traces::set_tag::handler;
