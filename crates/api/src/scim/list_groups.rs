//! `GET Groups`: with `filter=displayName eq "…"` (or `id`), `startIndex`, `count` and `excludedAttributes=members`.

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
    let members = !query.excluded.as_deref().is_some_and(|names| names.split(',').any(|name| name.trim() == "members"));
    let mut groups = app.provisioned_groups(&may, members).await?;
    if let Some(filter) = filter {
        match filter.attribute.as_str() {
            "displayname" => groups.retain(|group| group.name == filter.text),
            "id" => groups.retain(|group| group.id == filter.text),
            _ => return Err(ScimError::invalid("invalidFilter", "groups are found by displayName or id")),
        }
    }
    Ok(Scim(StatusCode::OK, query.page(groups.iter().map(|group| view::group(group, members)).collect())?))
}
