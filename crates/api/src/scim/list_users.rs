//! `GET Users`: with `filter=userName eq "…"` (or `externalId`, `id`), `startIndex` and `count`.

use http::StatusCode;

use super::answer::{Scim, ScimAnswer, ScimError, may_provision};
use super::filter::Query;
use super::view;
use crate::http::{Identified, InWorkspace, Input};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(query): Input<Query>,
) -> ScimAnswer {
    let app = state.app();
    let may = may_provision(app, &caller).await?;
    let filter = query.filter()?;
    let mut users = app.provisioned_users(&may).await?;
    if let Some(filter) = filter {
        match filter.attribute.as_str() {
            // RFC 7643 compares it without looking at case.
            "username" => users.retain(|user| user.name.eq_ignore_ascii_case(&filter.text)),
            "externalid" => users.retain(|user| user.external.as_ref() == Some(&filter.text)),
            "id" => users.retain(|user| user.id == filter.text),
            _ => return Err(ScimError::invalid("invalidFilter", "users are found by userName, externalId or id")),
        }
    }
    Ok(Scim(StatusCode::OK, query.page(users.iter().map(view::user).collect())?))
}
