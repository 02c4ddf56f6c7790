//! `POST webhooks`: administrators only. The URL's name is resolved when something is sent, not now.

use axum::Json;
use sealyard_app::NewWebhook;
use sealyard_identity::{Administer, ServerWide};
use serde::Deserialize;

use super::view::{EventView, Response, status};
use crate::http::{Answer, Identified, InWorkspace, Input, SecretText, required};

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
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, ServerWide).await?;
    required("name", &request.name)?;
    required("url", &request.url)?;
    let new = NewWebhook {
        name: request.name,
        description: request.description,
        url: request.url,
        events: EventView::parse_all(&request.events)?,
        secret: Some(request.secret.0).filter(|secret| !secret.expose().is_empty()),
        active: status(&request.status)?.unwrap_or(true),
    };
    Ok(Json(app.create_webhook(&caller, &may, new).await?.into()))
}
