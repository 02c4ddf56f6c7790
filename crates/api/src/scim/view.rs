//! Users and groups as resources.

use sealyard_app::{ProvisionedGroup, ProvisionedUser};
use sealyard_core::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

pub(super) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(super) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A user in a request; what is not kept is not looked at.
#[derive(Debug, Deserialize)]
pub(super) struct UserRequest {
    #[serde(rename = "userName")]
    pub(super) name: String,
    #[serde(rename = "externalId", default)]
    pub(super) external: Option<String>,
    #[serde(default)]
    pub(super) active: Option<Value>,
}

/// A group in a request.
#[derive(Debug, Deserialize)]
pub(super) struct GroupRequest {
    #[serde(rename = "displayName")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) members: Value,
}

pub(super) fn user(user: &ProvisionedUser) -> Value {
    let groups: Vec<_> = user
        .groups
        .iter()
        .map(|(id, name)| json!({"value": id, "display": name, "$ref": format!("/scim/v2/Groups/{id}")}))
        .collect();
    let mut shown = json!({
        "schemas": [USER], "id": user.id, "userName": user.name, "displayName": user.name, "active": user.active,
        "groups": groups, "meta": meta("User", &format!("/scim/v2/Users/{}", user.id), Some(user.created)),
    });
    if let (Some(external), Some(shown)) = (&user.external, shown.as_object_mut()) {
        shown.insert("externalId".to_owned(), external.as_str().into());
    }
    shown
}

pub(super) fn group(group: &ProvisionedGroup, members: bool) -> Value {
    let mut shown = json!({
        "schemas": [GROUP], "id": group.id, "displayName": group.name,
        "meta": meta("Group", &format!("/scim/v2/Groups/{}", group.id), None),
    });
    if let Some(shown) = shown.as_object_mut().filter(|_| members) {
        let members: Vec<_> = group
            .members
            .iter()
            .map(|(id, name)| json!({"value": id, "display": name, "$ref": format!("/scim/v2/Users/{id}")}))
            .collect();
        shown.insert("members".to_owned(), members.into());
    }
    shown
}

fn meta(kind: &str, location: &str, created: Option<Timestamp>) -> Value {
    let mut meta = json!({"resourceType": kind, "location": location});
    if let (Some(created), Some(meta)) = (created, meta.as_object_mut()) {
        meta.insert("created".to_owned(), created.to_rfc3339().into());
    }
    meta
}
