//! `POST runs/log-model`: what clients before 3.x say of a model, kept in the tag that they read it from.

use axum::Json;
use sealyard_identity::{Edit, Read};
use sealyard_store::model::{Pair, RunBatch};
use serde::Deserialize;
use serde_json::Value;

use super::run_id;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Input};

const HISTORY_TAG: &str = "mlflow.log-model.history";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    model_json: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let mut model: Value = serde_json::from_str(&request.model_json)
        .map_err(|_| ApiError::invalid("Malformed model info. The provided model_json is not valid JSON."))?;
    let missing =
        ["artifact_path", "flavors", "utc_time_created", "run_id"].into_iter().find(|key| model.get(key).is_none());
    if let Some(missing) = missing {
        return Err(ApiError::invalid(format!("Model json is missing mandatory field {missing}")));
    }
    // The configuration of a flavor may be large and is in the MLmodel file anyway.
    if let Some(flavors) = model.get_mut("flavors").and_then(Value::as_object_mut) {
        for flavor in flavors.values_mut().filter_map(Value::as_object_mut) {
            flavor.remove("config");
        }
    }
    let run = app.run(&may.weaken::<Read>(), id).await?;
    let known = run.data.tags.into_iter().find(|tag| tag.key == HISTORY_TAG).map(|tag| tag.value);
    let mut history: Vec<Value> = known.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    history.push(model);
    let value = serde_json::to_string(&history).map_err(|error| ApiError::internal(error.to_string()))?;
    let tags = vec![Pair::new(HISTORY_TAG, value)];
    app.log_batch(&may, id, RunBatch { tags, ..RunBatch::default() }).await?;
    Ok(Json(Empty {}))
}
