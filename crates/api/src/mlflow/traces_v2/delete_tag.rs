//! `DELETE traces/<id>/tags`: as in v3.

pub(super) use super::super::traces::delete_tag::handler;
