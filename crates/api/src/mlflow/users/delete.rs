//! `DELETE users/delete`: administrators only. The last one stays.

use axum::Json;
use sealyard_identity::{Administer, UserDirectory};
use serde::Deserialize;

use super::missing;
use crate::http::{Answer, Empty, Identified, InWorkspace, Input, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    username: String,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<Empty> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    app.delete_user(&caller, &may, required("username", &request.username)?).await.map_err(missing)?;
    Ok(Json(Empty {}))
}
