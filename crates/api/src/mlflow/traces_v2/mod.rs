//! Traces as clients before 3 send them, and what has no newer form.

mod delete;
mod delete_tag;
mod end;
mod file;
mod get_info;
mod link_prompts;
mod link_to_run;
mod search;
mod set_tag;
mod start;

use crate::http::Takes::{Edit, Manage, Read};
use crate::http::routes::{Routes, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/traces", post(Edit, start::handler).get(Read, search::handler))
        .route("/traces/{request_id}", patch(Edit, end::handler))
        .route("/traces/{request_id}/info", get(Read, get_info::handler))
        .route("/traces/{request_id}/tags", patch(Edit, set_tag::handler).delete(Edit, delete_tag::handler))
        .route("/traces/delete-traces", post(Manage, delete::handler))
        .route("/traces/link-to-run", post(Edit, link_to_run::handler))
        .route("/traces/link-prompts", post(Edit, link_prompts::handler))
        .route("/get-trace-artifact", get(Read, file::handler))
}
