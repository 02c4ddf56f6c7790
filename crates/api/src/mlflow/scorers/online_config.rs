//! `PUT scorers/online-config`: which share of the traces, and of those only which, a scorer is to judge as they come.

use axum::Json;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::online_configs::ConfigView;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Number, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    sample_rate: Option<Number>,
    filter_string: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    config: ConfigView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let experiment = required("experiment_id", &request.experiment_id)?;
    let may = app.authorize_experiment(&caller, Edit, experiment).await?;
    let name = required("name", &request.name)?;
    let missing = || ApiError::invalid("Missing value for required parameter 'sample_rate'.");
    let rate = request.sample_rate.ok_or_else(missing)?.0;
    let set = app.set_online_scoring(&caller, &may, name, rate, request.filter_string).await?;
    Ok(Json(Response { config: set.into() }))
}
