//! `POST traces/<id>/assessments`: a feedback, an expectation or a reference to an issue.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::{AssessmentInput, AssessmentView};
use crate::http::{Answer, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    assessment: AssessmentInput,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) assessment: AssessmentView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_trace(&caller, Edit, &id)).await?;
    let assessment = app.create_assessment(&may, &id, request.assessment.try_into()?).await?;
    Ok(Json(Response { assessment: assessment.into() }))
}
