//! `GET webhooks`: administrators only.

use axum::Json;
use sealyard_app::PageToken;
use sealyard_identity::{Administer, ServerWide};
use serde::{Deserialize, Serialize};

use super::view::WebhookView;
use crate::http::{Answer, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    max_results: Option<Integer>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    webhooks: Vec<WebhookView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    let from = PageToken::new(Some(&request.page_token));
    let page = app.webhooks(&may, request.max_results.map(|count| count.0), &from).await?;
    let webhooks = page.items.into_iter().map(WebhookView::from).collect();
    Ok(Json(Response { webhooks, next_page_token: page.next_page_token }))
}
