//! `POST issues` of version 3: writes down what is wrong in an experiment.

use axum::Json;
use sealyard_app::NewIssue;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::view::IssueView;
use crate::http::{Answer, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_id: String,
    name: String,
    description: String,
    status: Option<String>,
    severity: Option<String>,
    root_causes: Vec<String>,
    categories: Vec<String>,
    source_run_id: Option<String>,
    created_by: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    pub(super) issue: IssueView,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_experiment(&caller, Edit, required("experiment_id", &request.experiment_id)?).await?;
    required("name", &request.name)?;
    required("description", &request.description)?;
    let new = NewIssue {
        name: request.name,
        description: request.description,
        status: request.status,
        severity: request.severity,
        root_causes: request.root_causes,
        categories: request.categories,
        source_run_id: request.source_run_id,
        said_by: request.created_by,
    };
    Ok(Json(Response { issue: app.create_issue(&caller, &may, new).await?.into() }))
}
