//! `GET datasets/<id>`.

use axum::Json;
use axum::extract::Path;

use super::create::Response;
use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_dataset_read(&caller, &id).await?;
    Ok(Json(Response { dataset: app.evaluation_dataset(&may).await?.into() }))
}
