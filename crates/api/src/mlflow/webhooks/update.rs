//! `PATCH webhooks/<id>`: administrators only. What is absent or empty stays as it is.

use axum::Json;
use axum::extract::Path;
use sealyard_app::WebhookChange;
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use super::missing;
use super::view::{EventView, Response, status};
use crate::http::{Answer, Identified, InWorkspace, SecretText, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    description: String,
    url: String,
    events: Vec<EventView>,
    secret: SecretText,
    status: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize(&caller, Administer, ServerWide)).await?;
    let some = |text: String| Some(text).filter(|text| !text.is_empty());
    let change = WebhookChange {
        name: some(request.name),
        description: some(request.description),
        url: some(request.url),
        events: if request.events.is_empty() { None } else { Some(EventView::parse_all(&request.events)?) },
        secret: Some(request.secret.0).filter(|secret| !secret.expose().is_empty()),
        active: status(&request.status)?,
    };
    Ok(Json(app.update_webhook(&caller, &may, &id, change).await.map_err(missing)?.into()))
}
