//! `POST runs/set-tag`.

use axum::Json;
use sealyard_identity::Edit;
use sealyard_store::model::{Pair, RunBatch};
use serde::Deserialize;

use super::run_id;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    key: String,
    value: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let tags = vec![Pair::new(required("key", &request.key)?, request.value)];
    app.log_batch(&may, id, RunBatch { tags, ..RunBatch::default() }).await?;
    Ok(Json(Empty {}))
}
