//! `POST runs/explain`: how `runs/search` with the same request goes about it and what that costs: rows counted, the plan, the
//! database's own words, the time. It runs the search. Administrators only.

use axum::Json;
use sealyard_app::SearchRuns;
use sealyard_app::search::{self, Searched};
use sealyard_identity::{Administer, ServerWide};
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Integer, Strict};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
    filter: String,
    max_results: Option<Integer>,
    order_by: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    plan: Vec<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    let search = SearchRuns {
        filter: search::filter(Searched::Runs, &request.filter)?,
        order: search::order(Searched::Runs, request.order_by.iter().map(String::as_str))?,
        max_results: request.max_results.map(|count| count.0),
        ..SearchRuns::default()
    };
    Ok(Json(Response { plan: app.explain_runs(&may, request.experiment_ids, search).await? }))
}
