//! `PUT Groups/<id>`: its name, and these members and no others.

use axum::extract::Path;
use http::StatusCode;
use sealyard_app::GroupChange;

use super::answer::{Scim, ScimAnswer, may_provision};
use super::patch::members;
use super::view::{self, GroupRequest};
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Path(id): Path<String>,
    Input(request): Input<GroupRequest>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let members = Some(members(&request.members)?);
    let change = GroupChange { name: Some(request.name), members, ..GroupChange::default() };
    let changed = app.update_provisioned_group(&caller, &may, &id, change).await?;
    Ok(Scim(StatusCode::OK, view::group(&changed, true)))
}
