//! Every field of the top is answered by the handler of the REST endpoint of the same name: whoever may not ask that,
//! may not ask this.

use axum::Json as Body;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use super::super::{artifacts, experiments, metrics, model_versions, runs};
use super::schema::Endpoint;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Scoped};

pub(super) async fn resolve(
    state: &Scoped,
    caller: &Identified,
    endpoint: Endpoint,
    request: Json,
) -> Result<Json, ApiError> {
    match endpoint {
        Endpoint::GetExperiment => ask(state, caller, request, experiments::get::handler).await,
        Endpoint::GetRun => ask(state, caller, request, runs::get::handler).await,
        Endpoint::SearchRuns => ask(state, caller, request, runs::search::handler).await,
        Endpoint::SearchModelVersions => ask(state, caller, request, model_versions::search::handler).await,
        Endpoint::ListArtifacts => ask(state, caller, request, artifacts::list_of_run::handler).await,
        Endpoint::Echo => Ok(json!({ "output": request })),
        Endpoint::HistoryBulkInterval => ask(state, caller, request, metrics::get_history_bulk_interval::handler).await,
        Endpoint::SearchDatasets => ask(state, caller, request, experiments::search_datasets::handler).await,
    }
}

/// The experiment with this id.
pub(super) async fn experiment(state: &Scoped, caller: &Identified, id: &str) -> Result<Json, ApiError> {
    let answer = resolve(state, caller, Endpoint::GetExperiment, json!({ "experiment_id": id })).await?;
    Ok(answer.get("experiment").cloned().unwrap_or_default())
}

/// The versions that were made of this run and that the caller may read.
pub(super) async fn versions_of_run(state: &Scoped, caller: &Identified, id: &str) -> Result<Json, ApiError> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_') {
        return Ok(json!([]));
    }
    let request = json!({ "filter": format!("run_id = '{id}'") });
    let answer = resolve(state, caller, Endpoint::SearchModelVersions, request).await?;
    Ok(answer.get("model_versions").cloned().unwrap_or_default())
}

async fn ask<Q, R, F>(
    state: &Scoped,
    caller: &Identified,
    request: Json,
    handler: impl FnOnce(InWorkspace, Identified, Input<Q>) -> F,
) -> Result<Json, ApiError>
where
    Q: DeserializeOwned,
    R: Serialize,
    F: Future<Output = Answer<R>>,
{
    let request = serde_json::from_value(request).map_err(|error| {
        let text: String = error.to_string().chars().take(300).collect();
        ApiError::invalid(format!("Invalid parameter: {text}"))
    })?;
    let Body(answer) = handler(InWorkspace(state.clone()), caller.clone(), Input(request)).await?;
    serde_json::to_value(answer).map_err(|error| ApiError::internal(format!("an answer could not be written: {error}")))
}
