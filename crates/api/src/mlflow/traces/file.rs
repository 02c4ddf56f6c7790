//! `GET get-trace-artifact`: the spans of a trace as MLflow's trace data, or one of its attachments, as a file.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use sealyard_app::TraceFile;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;
use serde::Deserialize;

use super::super::stream;
use crate::http::{ApiError, ErrorCode, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::mlflow) struct Request {
    request_id: String,
    path: Option<String>,
}

pub(in crate::mlflow) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let id = request.request_id;
    if id.is_empty() {
        let message = "Request must include the \"request_id\" query parameter.";
        return Err(ApiError::new(ErrorCode::BadRequest, message));
    }
    let may = app.authorize_trace(&caller, Read, &id).await?;
    let attachment = request.path.as_deref().filter(|path| !path.is_empty());
    match app.trace_file(&may, &id, attachment).await? {
        TraceFile::Data(json) => {
            let headers =
                [(CONTENT_TYPE, "application/octet-stream"), (CONTENT_DISPOSITION, "attachment; filename=traces.json")];
            Ok((headers, json).into_response())
        }
        TraceFile::Artifact(path) => {
            let download = app.download(&caller, &may, &ArtifactOwner::Trace(id), &path).await?;
            Ok(stream(download, path.file_name()))
        }
    }
}
