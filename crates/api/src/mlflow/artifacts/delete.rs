//! `DELETE …/artifacts/<path>`: takes a file, or all below a folder, away. Files of versions stay with the versions.

use axum::Json;
use axum::extract::{Request, State};
use sealyard_identity::Edit;

use super::location::Location;
use crate::http::{Answer, ApiState, Empty, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    request: Request,
) -> Answer<Empty> {
    let app = state.app();
    let location = Location::of_uri(app, &caller, request.uri()).await?;
    let may = app.authorize_experiment(&caller, Edit, &location.experiment).await?;
    app.delete_artifacts(&caller, &may, &location.owner, location.file()?).await?;
    Ok(Json(Empty {}))
}
