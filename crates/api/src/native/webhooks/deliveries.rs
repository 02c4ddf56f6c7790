//! `GET webhooks/<id>/deliveries`: what was sent to a webhook and what waits, newest first. `limit` is 200 at most,
//! `page_token` goes on where a page ended. Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_app::{DeliverySummary, PageToken};
use sealyard_identity::{Administer, ServerWide};
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Identified, InWorkspace, Integer, Strict};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    limit: Option<Integer>,
    page_token: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    deliveries: Vec<DeliverySummary>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_token: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Strict(request): Strict<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    let from = PageToken::new(Some(&request.page_token));
    let limit = request.limit.and_then(|limit| u32::try_from(limit.0).ok()).unwrap_or(50);
    let page = app.webhook_deliveries(&may, &id, &from, limit).await?;
    Ok(Json(Response { deliveries: page.items, next_page_token: page.next_page_token }))
}
