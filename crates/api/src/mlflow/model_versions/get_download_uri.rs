//! `GET model-versions/get-download-uri`: where a stock client finds the files. Always the artifact proxy, which checks
//! again; a loader of ours takes the native routes, which serve what was frozen.

use axum::Json;
use axum::extract::State;
use sealyard_app::VersionReference;
use sealyard_identity::Read;
use sealyard_store::model::ModelVersion;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiState, Identified, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    name: String,
    version: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    artifact_uri: String,
}

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Read, &request.name).await?;
    let version = VersionReference::parse(&request.version)?;
    let found = app.model_version(&may, version).await?;
    Ok(Json(Response { artifact_uri: proxied(&found) }))
}

/// The source as a URI of the artifact proxy. The source was checked when the version was made; which logged model its
/// maker says that it is beside that was not judged by any gate and must not be what clients load.
fn proxied(version: &ModelVersion) -> String {
    let experiment = &version.experiment_id;
    if let Some(model) = version.source.strip_prefix("models:/") {
        return format!("mlflow-artifacts:/{experiment}/models/{}/artifacts", model.trim_matches('/'));
    }
    if let Some(rest) = version.source.strip_prefix("runs:/") {
        let (run, path) = rest.trim_matches('/').split_once('/').unwrap_or((rest, ""));
        let root = format!("mlflow-artifacts:/{experiment}/{run}/artifacts");
        return if path.is_empty() { root } else { format!("{root}/{path}") };
    }
    version.source.clone()
}
