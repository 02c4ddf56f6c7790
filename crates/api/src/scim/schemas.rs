//! `GET Schemas`: the attributes that are kept.

use http::StatusCode;
use serde_json::{Value, json};

use super::answer::{Scim, ScimAnswer, may_provision};
use super::filter::Query;
use super::view::{GROUP, USER};
use crate::http::{Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> ScimAnswer {
    let app = state.app();
    let _may = may_provision(app, &caller).await?;
    let user = [
        attribute("userName", "string", "immutable", true, false),
        attribute("externalId", "string", "readWrite", false, false),
        attribute("active", "boolean", "readWrite", false, false),
        attribute("groups", "complex", "readOnly", false, true),
    ];
    let group = [
        attribute("displayName", "string", "readWrite", true, false),
        attribute("members", "complex", "readWrite", false, true),
    ];
    let all = vec![schema(USER, "User", &user), schema(GROUP, "Group", &group)];
    Ok(Scim(StatusCode::OK, Query::default().page(all)?))
}

fn schema(id: &str, name: &str, attributes: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": id, "name": name, "attributes": attributes,
        "meta": {"resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}")},
    })
}

fn attribute(name: &str, kind: &str, mutability: &str, required: bool, many: bool) -> Value {
    let mut shown = json!({
        "name": name, "type": kind, "multiValued": many, "required": required, "mutability": mutability,
        "returned": "default", "caseExact": name == "externalId",
        "uniqueness": if required { "server" } else { "none" },
    });
    if let Some(shown) = shown.as_object_mut().filter(|_| kind == "complex") {
        let value =
            |name: &str| json!({"name": name, "type": "string", "multiValued": false, "mutability": "immutable"});
        shown.insert("subAttributes".to_owned(), json!([value("value"), value("display"), value("$ref")]));
    }
    shown
}
