//! `GET model-versions/search`: versions of models that the caller may read.

use axum::Json;
use sealyard_app::search::{self, RegistryFilter, Searched};
use sealyard_app::{MODEL_VERSIONS_PER_PAGE, PageToken, SearchRegistry};
use serde::{Deserialize, Serialize};

use super::super::view::ModelVersionView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    filter: String,
    max_results: Option<Integer>,
    order_by: Texts,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    model_versions: Vec<ModelVersionView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let search = SearchRegistry {
        filter: RegistryFilter::parse(Searched::ModelVersions, &request.filter)?,
        order: search::order(Searched::ModelVersions, request.order_by.iter())?,
        // Clients ask for up to 200,000; a page holds fewer and says where to go on.
        max_results: request.max_results.map(|count| count.0.min(i64::from(MODEL_VERSIONS_PER_PAGE))),
        from: PageToken::new(Some(&request.page_token)),
    };
    let page = app.search_model_versions(&caller, search).await?;
    let model_versions = page.items.into_iter().map(ModelVersionView::from).collect();
    Ok(Json(Response { model_versions, next_page_token: page.next_page_token }))
}
