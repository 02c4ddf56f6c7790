//! `GET ResourceTypes`.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Scim, ScimAnswer, may_provision};
use super::filter::Query;
use super::view::{GROUP, USER};
use crate::http::{Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> ScimAnswer {
    let app = state.app();
    let _may = may_provision(app, &caller).await?;
    let one = |name: &str, endpoint: &str, schema: &str| -> Value {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": name, "name": name,
            "endpoint": endpoint, "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{name}")},
        })
    };
    let all = vec![one("User", "/Users", USER), one("Group", "/Groups", GROUP)];
    Ok(Scim(StatusCode::OK, Query::default().page(all)?))
}
