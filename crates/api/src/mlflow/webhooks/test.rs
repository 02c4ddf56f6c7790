//! `POST webhooks/<id>/test`: sends an example, signed and guarded as everything that is sent. Administrators only.

use axum::Json;
use axum::extract::Path;
use sealyard_app::WebhookTest;
use sealyard_identity::{Administer, ServerWide};
use serde::{Deserialize, Serialize};

use super::missing;
use super::view::EventView;
use crate::http::{Answer, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    event: Option<EventView>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    result: ResultView,
}

#[derive(Debug, Serialize)]
struct ResultView {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl From<WebhookTest> for ResultView {
    fn from(test: WebhookTest) -> Self {
        let WebhookTest { success, status, body, error } = test;
        Self { success, response_status: status, response_body: body, error_message: error }
    }
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize(&caller, Administer, ServerWide)).await?;
    let event = request.event.map(|event| event.parse()).transpose()?;
    let result = app.test_webhook(&caller, &may, &id, event).await.map_err(missing)?.into();
    Ok(Json(Response { result }))
}
