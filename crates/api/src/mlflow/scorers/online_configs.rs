//! `GET scorers/online-configs`: what is set for scorers, by their ids.

use axum::Json;
use sealyard_store::model::OnlineScoring;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Texts};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    scorer_ids: Texts,
}

#[derive(Debug, Serialize)]
pub(super) struct ConfigView {
    online_scoring_config_id: String,
    scorer_id: String,
    sample_rate: f64,
    experiment_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    filter_string: Option<String>,
}

impl From<OnlineScoring> for ConfigView {
    fn from(scoring: OnlineScoring) -> Self {
        Self {
            online_scoring_config_id: scoring.id,
            scorer_id: scoring.scorer_id,
            sample_rate: scoring.sample_rate,
            experiment_id: scoring.experiment_id,
            filter_string: scoring.filter,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    configs: Vec<ConfigView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let ids: Vec<String> = request.scorer_ids.iter().map(str::to_owned).collect();
    if ids.is_empty() {
        return Err(ApiError::invalid("Missing value for required parameter 'scorer_ids'."));
    }
    let found = state.app().online_scoring(&caller, ids).await?;
    Ok(Json(Response { configs: found.into_iter().map(ConfigView::from).collect() }))
}
