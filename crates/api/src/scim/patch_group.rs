//! `PATCH Groups/<id>`: its name, and members that come and go.

use axum::extract::Path;
use http::StatusCode;
use sealyard_app::GroupChange;

use super::answer::{Scim, ScimAnswer, ScimError, may_provision};
use super::patch::{Patch, Verb, members, text};
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
    let mut change = GroupChange::default();
    for operation in patch.read()? {
        match (operation.attribute.as_str(), operation.verb, operation.only) {
            ("displayname", Verb::Remove, _) => {
                return Err(ScimError::invalid("mutability", "displayName can't be removed"));
            }
            ("displayname", ..) => change.name = Some(text("displayName", &operation.value)?),
            ("members", Verb::Remove, Some(id)) => change.remove(id),
            ("members", _, Some(_)) => return Err(ScimError::invalid("invalidPath", "a member is only removed so")),
            ("members", Verb::Remove, None) => {
                let named = members(&operation.value)?;
                if named.is_empty() {
                    change.replace(Vec::new());
                }
                for id in named {
                    change.remove(id);
                }
            }
            ("members", Verb::Replace, None) => change.replace(members(&operation.value)?),
            ("members", Verb::Add, None) => {
                for id in members(&operation.value)? {
                    change.add(id);
                }
            }
            _ => {}
        }
    }
    let changed = app.update_provisioned_group(&caller, &may, &id, change).await?;
    Ok(Scim(StatusCode::OK, view::group(&changed, true)))
}
