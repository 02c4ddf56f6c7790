//! `POST gateway/endpoints/models/attach`: one more model. Takes USE on its definition too.

use axum::Json;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::input::ModelInput;
use super::view::MappingView;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
    model_config: Option<ModelInput>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    mapping: MappingView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    let missing = || ApiError::invalid("Missing value for required parameter 'model_config'.");
    let model = request.model_config.ok_or_else(missing)?.parse()?;
    let model = app.authorize_gateway_models(&caller, vec![model]).await?;
    Ok(Json(Response { mapping: app.attach_gateway_model(&caller, &may, model).await?.into() }))
}
