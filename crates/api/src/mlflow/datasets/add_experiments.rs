//! `POST datasets/<id>/add-experiments`: adds experiments; each takes EDIT too.

use axum::Json;
use axum::extract::Path;
use sealyard_identity::Edit;
use serde::Deserialize;

use super::create::Response;
use crate::http::{Answer, ApiError, Identified, InWorkspace, Unread};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    experiment_ids: Vec<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    body: Unread<Request>,
) -> Answer<Response> {
    let app = state.app();
    let (request, may) = body.read(|| app.authorize_dataset_edit(&caller, &id)).await?;
    if request.experiment_ids.len() > 100 {
        return Err(ApiError::invalid("a request names at most 100 experiments"));
    }
    let mut to = Vec::with_capacity(request.experiment_ids.len());
    for id in &request.experiment_ids {
        to.push(app.authorize_experiment(&caller, Edit, id).await?);
    }
    Ok(Json(Response { dataset: app.add_dataset_to_experiments(&caller, &may, &to).await?.into() }))
}
