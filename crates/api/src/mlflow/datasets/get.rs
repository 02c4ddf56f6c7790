//! `GET datasets/<id>`.

use axum::Json;
use axum::extract::{Path, State};

use super::create::Response;
use crate::http::{Answer, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> Answer<Response> {
    let app = state.app();
    let may = app.authorize_dataset_read(&caller, &id).await?;
    Ok(Json(Response { dataset: app.evaluation_dataset(&may).await?.into() }))
}
