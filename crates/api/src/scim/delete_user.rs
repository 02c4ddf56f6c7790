//! `DELETE Users/<id>`.

use axum::extract::Path;
use http::StatusCode;
use serde_json::Value;

use super::answer::{Scim, ScimAnswer, may_provision};
use crate::http::{Identified, InWorkspace};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    app.deprovision_user(&caller, &may, &id).await?;
    Ok(Scim(StatusCode::NO_CONTENT, Value::Null))
}
