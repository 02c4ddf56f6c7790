//! `PATCH issues/<id>` of version 3.

use axum::Json;
use axum::extract::Path;
use sealyard_app::ChangeIssue;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::create::Response;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    issue_id: String,
    name: Option<String>,
    description: Option<String>,
    status: Option<String>,
    severity: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, (may, _)) = body.read(|| app.authorize_issue(&caller, Edit, &id)).await?;
    if !request.issue_id.is_empty() && request.issue_id != id {
        return Err(ApiError::invalid("the path and 'issue_id' name different issues"));
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let change = ChangeIssue {
        name: given(request.name),
        description: given(request.description),
        status: given(request.status),
        severity: given(request.severity),
    };
    Ok(Json(Response { issue: app.update_issue(&may, &id, change).await?.into() }))
}
