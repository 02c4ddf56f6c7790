//! `POST gateway/endpoints/create`: takes EDIT on the server or on all endpoints, and USE on each model definition. With
//! `usage_tracking`, which is so unless it is said otherwise, and no experiment it gets one of its own.

use axum::Json;
use sealyard_app::{MayCreateInGateway, NewEndpoint};
use sealyard_identity::GatewayEndpointId;
use serde::Deserialize;

use super::super::some;
use super::input::{FallbackInput, ModelInput, specified};
use super::view::Response;
use crate::http::{Answer, ApiError, Flag, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
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
    let may: MayCreateInGateway<GatewayEndpointId> = app.authorize_gateway_creation(&caller).await?;
    required("name", &request.name)?;
    let models = request.model_configs.into_iter().map(ModelInput::parse).collect::<Result<Vec<_>, ApiError>>()?;
    let new = NewEndpoint {
        name: request.name,
        models: app.authorize_gateway_models(&caller, models).await?,
        routing_strategy: specified(request.routing_strategy),
        fallback: request.fallback_config.map(FallbackInput::parse).transpose()?,
        experiment_id: some(request.experiment_id),
        usage_tracking: request.usage_tracking.is_none_or(|flag| flag.0),
    };
    Ok(Json(app.create_gateway_endpoint(&caller, &may, new).await?.into()))
}
