//! `PATCH logged-models/<id>`: ends the upload. The folder is scanned as a whole and its files are frozen. A status given a second time is no error when it is the one the model has: clients repeat themselves.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::{Edit, Read};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::view::{LoggedModelView, logged_model_status};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    model_id: String,
    status: Option<Value>,
    status_message: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    model: LoggedModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_logged_model(&caller, Edit, &id)).await?;
    if !request.model_id.is_empty() && request.model_id != id {
        return Err(ApiError::invalid("the path and 'model_id' name different models"));
    }
    let status =
        request.status.as_ref().ok_or_else(|| ApiError::invalid("Missing value for required parameter 'status'."))?;
    let status = logged_model_status(status)?;
    let found = app.logged_model(&may.weaken::<Read>(), &id).await?;
    if found.status == status {
        return Ok(Json(Response { model: found.into() }));
    }
    let model = app.finalise_logged_model(&caller, &may, &id, status, request.status_message).await?;
    Ok(Json(Response { model: model.into() }))
}
