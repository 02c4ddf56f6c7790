//! `POST Users`: an account without a password.

use http::StatusCode;
use sealyard_app::NewProvisionedUser;

use super::answer::{Scim, ScimAnswer, may_provision};
use super::patch::boolean;
use super::view::{self, UserRequest};
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<UserRequest>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let active = request.active.as_ref().map(boolean).transpose()?.unwrap_or(true);
    let new = NewProvisionedUser { name: request.name, external: request.external, active };
    let made = app.provision_user(&caller, &may, new).await?;
    Ok(Scim(StatusCode::CREATED, view::user(&made)))
}
