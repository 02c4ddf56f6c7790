//! `POST logged-models/search`. Each experiment that is named takes READ.

use axum::Json;
use sealyard_app::search::{self, LoggedModelOrder};
use sealyard_app::{PageToken, SearchLoggedModels};
use sealyard_store::model::DatasetRef;
use serde::{Deserialize, Serialize};

use super::super::view::LoggedModelView;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
    filter: String,
    datasets: Vec<Dataset>,
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
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    if request.experiment_ids.len() > 1000 {
        return Err(ApiError::invalid("a search names at most 1000 experiments"));
    }
    let may = app.authorize_search(&caller, &request.experiment_ids).await?;
    let keys: Vec<LoggedModelOrder> = request.order_by.into_iter().map(LoggedModelOrder::from).collect();
    let datasets = request.datasets.into_iter().map(DatasetRef::from).collect();
    let (filter, order) = search::logged_models(&request.filter, datasets, &keys)?;
    let search = SearchLoggedModels {
        filter,
        order,
        max_results: request.max_results.map(|count| count.0),
        from: PageToken::new(Some(&request.page_token)),
    };
    let page = app.search_logged_models(&may, search).await?;
    let models = page.items.into_iter().map(LoggedModelView::from).collect();
    Ok(Json(Response { models, next_page_token: page.next_page_token }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Order {
    field_name: String,
    ascending: Option<bool>,
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
}

impl From<Order> for LoggedModelOrder {
    fn from(order: Order) -> Self {
        Self {
            field: order.field_name,
            ascending: order.ascending.unwrap_or(true),
            dataset_name: order.dataset_name,
            dataset_digest: order.dataset_digest,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Dataset {
    dataset_name: String,
    dataset_digest: Option<String>,
}

impl From<Dataset> for DatasetRef {
    fn from(dataset: Dataset) -> Self {
        Self { name: dataset.dataset_name, digest: dataset.dataset_digest }
    }
}
