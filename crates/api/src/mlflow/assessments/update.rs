//! `PATCH traces/<id>/assessments/<assessment>`: the fields that its mask names.

use axum::Json;
use axum::extract::Path;
use sealyard_app::AssessmentUpdate;
use sealyard_identity::Edit;
use sealyard_store::model::Pair;
use serde::Deserialize;

use super::super::view::AssessmentInput;
use super::create::Response;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    assessment: AssessmentInput,
    update_mask: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path((trace_id, id)): Path<(String, String)>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_trace(&caller, Edit, &trace_id)).await?;
    let Request { mut assessment, update_mask } = request;
    let mut update = AssessmentUpdate::default();
    let mut valued = false;
    for field in required("update_mask", &update_mask)?.split(',') {
        match field.trim() {
            "assessmentName" | "assessment_name" => update.name = assessment.assessment_name.take(),
            "rationale" => update.rationale = assessment.rationale.take(),
            "metadata" => {
                let metadata = std::mem::take(&mut assessment.metadata);
                update.metadata = metadata.into_iter().map(|(key, value)| Pair { key, value }).collect();
            }
            "feedback" | "expectation" if valued => {
                return Err(ApiError::invalid("Cannot specify both `expectation` and `feedback` parameters."));
            }
            "feedback" | "expectation" if assessment.has_value() => {
                valued = true;
                update.value = Some(assessment.value()?);
            }
            // Whether it is valid is the server's to say.
            _ => {}
        }
    }
    Ok(Json(Response { assessment: app.update_assessment(&may, &trace_id, &id, update).await?.into() }))
}
