//! `POST Groups`.

use http::StatusCode;

use super::answer::{Scim, ScimAnswer, may_provision};
use super::patch::members;
use super::view::{self, GroupRequest};
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<GroupRequest>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let made = app.provision_group(&caller, &may, &request.name, members(&request.members)?).await?;
    Ok(Scim(StatusCode::CREATED, view::group(&made, true)))
}
