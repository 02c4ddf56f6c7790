//! `POST traces/link-prompts`: the prompt versions that a trace used.

use axum::Json;
use sealyard_identity::Edit;
use serde::Deserialize;

use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    trace_id: String,
    prompt_versions: Vec<Prompt>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Prompt {
    name: String,
    version: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = required("trace_id", &request.trace_id)?;
    let may = app.authorize_trace(&caller, Edit, id).await?;
    let prompts = request.prompt_versions.into_iter().map(|prompt| (prompt.name, prompt.version)).collect();
    app.link_prompts_to_trace(&may, id, prompts).await?;
    Ok(Json(Empty {}))
}
