mod create;
mod create_promptlab_run;
mod delete;
mod delete_tag;
pub(super) mod get;
mod log_batch;
mod log_inputs;
mod log_metric;
mod log_model;
mod log_parameter;
mod outputs;
mod restore;
pub(super) mod search;
mod set_tag;
mod update;

use crate::http::ApiError;
use crate::http::Takes::{Edit, Manage, Read};
use crate::http::routes::{Routes, get, post};

#[cfg(feature = "fuzzing")]
pub(crate) use log_batch::{fuzz_body, fuzz_query};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/runs/create", post(Edit, create::handler))
        .route("/runs/get", get(Read, get::handler))
        .route("/runs/update", post(Edit, update::handler))
        .route("/runs/delete", post(Manage, delete::handler))
        .route("/runs/restore", post(Manage, restore::handler))
        .route("/runs/search", post(Read, search::handler))
        .route("/runs/log-metric", post(Edit, log_metric::handler))
        .route("/runs/log-parameter", post(Edit, log_parameter::handler))
        .route("/runs/set-tag", post(Edit, set_tag::handler))
        .route("/runs/delete-tag", post(Edit, delete_tag::handler))
        .route("/runs/log-batch", post(Edit, log_batch::handler))
        .route("/runs/log-inputs", post(Edit, log_inputs::handler))
        .route("/runs/outputs", post(Edit, outputs::handler))
        .route("/runs/create-promptlab-run", post(Edit, create_promptlab_run::handler))
        .route("/runs/log-model", post(Edit, log_model::handler))
}

/// Clients name a run twice, by its new and its old field. Two different names are no name: one of them could be what
/// was authorized, the other what is changed.
pub(super) fn run_id<'a>(run_id: &'a str, run_uuid: &'a str) -> Result<&'a str, ApiError> {
    match (run_id, run_uuid) {
        ("", "") => Err(ApiError::invalid("Missing value for required parameter 'run_id'.")),
        (id, "") | ("", id) => Ok(id),
        (id, uuid) if id == uuid => Ok(id),
        _ => Err(ApiError::invalid("'run_id' and 'run_uuid' name different runs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_must_be_one() {
        assert_eq!(run_id("a", "").unwrap(), "a");
        assert_eq!(run_id("", "a").unwrap(), "a");
        assert_eq!(run_id("a", "a").unwrap(), "a");
        assert!(run_id("a", "b").is_err());
        assert!(run_id("", "").is_err());
    }
}
