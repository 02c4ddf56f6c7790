//! `POST issues/search` of version 3: issues of experiments that the caller may read.

use axum::Json;
use sealyard_app::SearchIssues;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::IssueView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    filter_string: String,
    max_results: Option<Integer>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    issues: Vec<IssueView>,
    next_page_token: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = match request.experiment_id.as_str() {
        "" => None,
        id => Some(app.authorize_experiment(&caller, Read, id).await?),
    };
    let search = SearchIssues {
        experiment,
        filter: request.filter_string,
        max_results: request.max_results.map(|count| count.0),
        page_token: request.page_token,
    };
    let (issues, next) = app.search_issues(&caller, search).await?;
    Ok(Json(Response {
        issues: issues.into_iter().map(IssueView::from).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}
