//! `POST upload-artifact`: a small file into a run, from the pages. It is scanned like every upload.

use axum::Json;
use axum::extract::Request;
use http::header::CONTENT_LENGTH;
use sealyard_app::Upload;
use sealyard_identity::Edit;
use sealyard_store::model::ArtifactOwner;
use serde::Deserialize;

use super::file_parameter;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, query_parameters};

/// Larger files go through the proxy.
const LARGEST: u64 = 10 * 1024 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Parameters {
    run_uuid: String,
    path: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Answer<Empty> {
    let app = state.app();
    let parameters: Parameters = query_parameters(request.uri())?;
    if parameters.run_uuid.is_empty() {
        return Err(ApiError::invalid("Request must specify run_uuid."));
    }
    if parameters.path.is_empty() {
        return Err(ApiError::invalid("Request must specify path."));
    }
    let path = file_parameter(app, &caller, "path", &parameters.path).await?;
    let may = app.authorize_run(&caller, Edit, &parameters.run_uuid).await?;
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    match announced {
        Some(0) => return Err(ApiError::invalid("Request must specify data.")),
        Some(bytes) if bytes > LARGEST => {
            return Err(ApiError::invalid("Artifact size is too large. Max size is 10MB."));
        }
        _ => {}
    }
    let upload = Upload { owner: ArtifactOwner::Run(parameters.run_uuid), path, limit: LARGEST };
    app.upload(&caller, &may, upload, request.into_body().into_data_stream()).await?;
    Ok(Json(Empty {}))
}
