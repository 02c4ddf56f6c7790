//! `DELETE …/artifacts/<path>`: takes a file, or all below a folder, away. Files of versions stay with the versions. Outside of every
//! experiment it takes an administrator.

use axum::Json;
use axum::extract::Request;
use sealyard_identity::Edit;

use super::location::Location;
use crate::http::{Answer, Empty, Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Answer<Empty> {
    let app = state.app();
    let location = Location::of_uri(app, &caller, request.uri()).await?;
    let (owner, may) = location.authorize(app, &caller, Edit).await?;
    app.delete_artifacts(&caller, may.proof(), &owner, location.file()?).await?;
    Ok(Json(Empty {}))
}
