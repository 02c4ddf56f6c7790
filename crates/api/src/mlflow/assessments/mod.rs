//! Judgements of traces.

mod create;
mod delete;
mod get;
mod update;

use crate::http::Takes::{Edit, Read};
use crate::http::routes::{Routes, get, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/traces/{trace_id}/assessments", post(Edit, create::handler)).route(
        "/traces/{trace_id}/assessments/{assessment_id}",
        get(Read, get::handler).patch(Edit, update::handler).delete(Edit, delete::handler),
    )
}
