//! `GET …/artifacts?path=`: what lies directly in a folder, by last names. Outside of every experiment, and without a path,
//! it takes an administrator.

use axum::Json;
use sealyard_app::AppError;
use sealyard_identity::Read;
use serde::{Deserialize, Serialize};

use super::FileView;
use super::location::Location;
use crate::http::{Answer, Identified, InWorkspace, Input};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    path: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<FileView>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Response> {
    let app = state.app();
    let location = Location::of_parameter(app, &caller, &request.path).await?;
    let (owner, may) = location.authorize(app, &caller, Read).await?;
    let listing = match app.list_artifacts(may.proof(), &owner, location.path.as_ref()).await {
        // In this experiment nothing lies there, whether there is such a run or model elsewhere or not.
        Err(AppError::Denied { .. }) => Vec::new(),
        listing => listing?,
    };
    let mut files: Vec<FileView> = listing.into_iter().map(FileView::from).collect();
    for file in &mut files {
        if let Some((_, name)) = file.path.rsplit_once('/') {
            file.path = name.to_owned();
        }
    }
    Ok(Json(Response { files }))
}
