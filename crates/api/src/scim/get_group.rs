//! `GET Groups/<id>`.

use axum::extract::Path;
use http::StatusCode;

use super::answer::{Scim, ScimAnswer, may_provision};
use super::view;
use crate::http::{Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    Ok(Scim(StatusCode::OK, view::group(&app.provisioned_group(&may, &id).await?, true)))
}
