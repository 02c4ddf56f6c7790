//! `PATCH Users/<id>`: `active` and `externalId`; what is not kept is taken and forgotten.

use axum::extract::Path;
use http::StatusCode;
use sealyard_app::UserChange;

use super::answer::{Scim, ScimAnswer, ScimError, may_provision};
use super::patch::{Patch, Verb, boolean, text};
use super::view;
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(patch): Input<Patch>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let found = app.provisioned_user(&may, &id).await?;
    let mut change = UserChange::default();
    for operation in patch.read()? {
        match (operation.attribute.as_str(), operation.verb) {
            ("active", Verb::Remove) => return Err(ScimError::invalid("mutability", "active is true or false")),
            ("active", _) => change.active = Some(boolean(&operation.value)?),
            ("externalid", Verb::Remove) => change.external = Some(None),
            ("externalid", _) => change.external = Some(Some(text("externalId", &operation.value)?)),
            ("username", Verb::Remove) => return Err(ScimError::invalid("mutability", "userName can't be removed")),
            ("username", _) if text("userName", &operation.value)? != found.name => {
                return Err(ScimError::invalid("mutability", "userName can't be changed"));
            }
            _ => {}
        }
    }
    let changed = app.update_provisioned_user(&caller, &may, &id, change).await?;
    Ok(Scim(StatusCode::OK, view::user(&changed)))
}
