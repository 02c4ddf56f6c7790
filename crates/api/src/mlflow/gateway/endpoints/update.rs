//! `POST gateway/endpoints/update`: what is absent or empty stays as it is. Models take the place of all there were, and USE
//! on each model definition.

use axum::Json;
use sealyard_app::EndpointChange;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::super::some;
use super::input::{FallbackInput, ModelInput, specified};
use super::view::Response;
use crate::http::{Answer, ApiError, Flag, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    endpoint_id: String,
    name: String,
    model_configs: Vec<ModelInput>,
    routing_strategy: String,
    fallback_config: Option<FallbackInput>,
    experiment_id: String,
    usage_tracking: Option<Flag>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_gateway(&caller, Edit, required("endpoint_id", &request.endpoint_id)?).await?;
    let models = request.model_configs.into_iter().map(ModelInput::parse).collect::<Result<Vec<_>, ApiError>>()?;
    let models = if models.is_empty() { None } else { Some(app.authorize_gateway_models(&caller, models).await?) };
    let change = EndpointChange {
        name: some(request.name),
        models,
        routing_strategy: specified(request.routing_strategy),
        fallback: request.fallback_config.map(FallbackInput::parse).transpose()?,
        experiment_id: some(request.experiment_id),
        usage_tracking: request.usage_tracking.map(|flag| flag.0),
    };
    Ok(Json(app.update_gateway_endpoint(&caller, &may, change).await?.into()))
}
