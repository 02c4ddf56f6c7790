//! `GET registered-models/search`: what the caller may read.

use axum::Json;
use sealyard_app::search::{self, RegistryFilter, Searched};
use sealyard_app::{PageToken, SearchRegistry};
use serde::{Deserialize, Serialize};

use super::super::view::RegisteredModelView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    filter: String,
    max_results: Option<Integer>,
    order_by: Texts,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered_models: Vec<RegisteredModelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let search = SearchRegistry {
        filter: RegistryFilter::parse(Searched::RegisteredModels, &request.filter)?,
        order: search::order(Searched::RegisteredModels, request.order_by.iter())?,
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::new(Some(&request.page_token)),
    };
    let page = app.search_registered_models(&caller, search).await?;
    let registered_models = page.items.into_iter().map(RegisteredModelView::from).collect();
    Ok(Json(Response { registered_models, next_page_token: page.next_page_token }))
}
