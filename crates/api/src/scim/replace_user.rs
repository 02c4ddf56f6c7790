//! `PUT Users/<id>`. The name stays: what an account did is known by it.

use axum::extract::Path;
use http::StatusCode;
use sealyard_app::UserChange;

use super::answer::{Scim, ScimAnswer, ScimError, may_provision};
use super::patch::boolean;
use super::view::{self, UserRequest};
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<UserRequest>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let active = request.active.as_ref().map(boolean).transpose()?;
    if app.provisioned_user(&may, &id).await?.name != request.name {
        return Err(ScimError::invalid("mutability", "userName can't be changed"));
    }
    let change = UserChange { external: Some(request.external), active };
    let changed = app.update_provisioned_user(&caller, &may, &id, change).await?;
    Ok(Scim(StatusCode::OK, view::user(&changed)))
}
