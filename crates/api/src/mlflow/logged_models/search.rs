//! `POST logged-models/search`. Each experiment that is named takes READ.

use axum::Json;
use axum::extract::State;
use sealyard_app::search::{self, Searched};
use sealyard_app::{PageToken, SearchLoggedModels};
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::super::view::{LoggedModelView, next_token};
use crate::http::{Answer, ApiError, ApiState, Identified, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
    filter: String,
    max_results: Option<Integer>,
    order_by: Vec<Order>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models: Vec<LoggedModelView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.len() > 1000 {
        return Err(ApiError::invalid("a search names at most 1000 experiments"));
    }
    let mut may = Vec::with_capacity(request.experiment_ids.len());
    for id in &request.experiment_ids {
        may.push(app.authorize_experiment(&caller, Read, id).await?);
    }
    let order: Vec<String> = request.order_by.iter().map(Order::clause).collect();
    let search = SearchLoggedModels {
        filter: search::filter(Searched::LoggedModels, &request.filter)?,
        order: search::order(Searched::LoggedModels, order.iter().map(String::as_str))?,
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::parse(Some(&request.page_token))?,
    };
    let page = app.search_logged_models(&may, search).await?;
    let models = page.items.into_iter().map(LoggedModelView::from).collect();
    Ok(Json(Response { models, next_page_token: next_token(page.next) }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Order {
    field_name: String,
    ascending: Option<bool>,
}

impl Order {
    /// As the other searches write it.
    fn clause(&self) -> String {
        let direction = if self.ascending.unwrap_or(true) { "ASC" } else { "DESC" };
        format!("{} {direction}", self.field_name)
    }
}
