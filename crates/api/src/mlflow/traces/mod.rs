//! Traces (v3).

mod batch_get;
mod batch_get_infos;
mod correlation;
pub(super) mod delete;
pub(super) mod delete_tag;
pub(super) mod file;
mod get;
mod get_info;
mod metrics;
mod search;
pub(super) mod set_tag;
mod start;

use sealyard_app::{App, Caller};
use sealyard_identity::{Authorized, ExperimentId, Read};

use crate::http::ApiError;
use crate::http::Takes::{self, Edit, Manage, Somebody};
use crate::http::routes::{Routes, get, patch, post};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/traces", post(Edit, start::handler))
        .route("/traces/get", get(Takes::Read, get::handler))
        .route("/traces/batchGet", get(Somebody, batch_get::handler))
        .route("/traces/batchGetInfos", post(Somebody, batch_get_infos::handler))
        .route("/traces/search", post(Takes::Read, search::handler))
        .route("/traces/delete-traces", post(Manage, delete::handler))
        .route("/traces/calculate-filter-correlation", post(Takes::Read, correlation::handler))
        .route("/traces/metrics", post(Takes::Read, metrics::handler))
        .route("/traces/{trace_id}", get(Takes::Read, get_info::handler))
        .route("/traces/{trace_id}/tags", patch(Edit, set_tag::handler).delete(Edit, delete_tag::handler))
        .route("/get-trace-artifact", get(Takes::Read, file::handler))
}

/// Most experiments of one question.
const MAX_EXPERIMENTS: usize = 1000;

/// READ on those of the experiments that the caller may read.
pub(super) async fn readable(
    app: &App,
    caller: &Caller,
    ids: impl Iterator<Item = &str>,
) -> Result<Vec<Authorized<Read, ExperimentId>>, ApiError> {
    let mut named: Vec<String> = Vec::new();
    for id in ids {
        if named.iter().any(|known| known == id) {
            continue;
        }
        if named.len() == MAX_EXPERIMENTS {
            return Err(ApiError::invalid(format!("a request names at most {MAX_EXPERIMENTS} experiments")));
        }
        named.push(id.to_owned());
    }
    Ok(app.authorize_search(caller, &named).await?)
}
