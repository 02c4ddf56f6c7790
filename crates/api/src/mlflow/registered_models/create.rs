//! `POST registered-models/create`.

use axum::Json;
use sealyard_app::{AppError, is_prompt};
use serde::{Deserialize, Serialize};

use super::super::view::{PairInput, RegisteredModelView, pairs};
use crate::http::{Answer, ApiError, ErrorCode, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    description: String,
    tags: Vec<PairInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    registered_model: RegisteredModelView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let tags = pairs(request.tags);
    let may = app.authorize_registered_model_creation(&caller, &request.name, is_prompt(&tags)).await?;
    let created = app.create_registered_model(&caller, &may, request.description, tags).await;
    let model = created.map_err(|error| match error {
        AppError::AlreadyExists { id, .. } => {
            ApiError::new(ErrorCode::ResourceAlreadyExists, format!("Registered Model (name={id}) already exists."))
        }
        other => other.into(),
    })?;
    Ok(Json(Response { registered_model: model.into() }))
}
