//! `POST traces/link-to-run`. Takes EDIT on the run, and on each trace that is there.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace_ids: Vec<String>,
    run_id: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let run = required("run_id", &request.run_id)?;
    let may = app.authorize_run(&caller, Edit, run).await?;
    app.link_traces_to_run(&caller, &may, run, request.trace_ids).await?;
    Ok(Json(Empty {}))
}
