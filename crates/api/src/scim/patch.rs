//! `PATCH`, as the standard has it, and as Entra ID (capitals, booleans as text) and Okta (no path) send it.

use serde::Deserialize;
use serde_json::Value;

use super::answer::ScimError;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const MOST_OPERATIONS: usize = 1000;

/// A request to change a resource.
#[derive(Debug, Deserialize)]
pub(super) struct Patch {
    #[serde(default)]
    schemas: Vec<String>,
    #[serde(alias = "operations", rename = "Operations")]
    operations: Vec<RawOperation>,
}

#[derive(Debug, Deserialize)]
struct RawOperation {
    op: String,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    value: Value,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Replace,
    Remove,
}

/// One change: what is done to which attribute, in small letters and without its schema.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Operation {
    pub(super) verb: Verb,
    pub(super) attribute: String,
    /// The text in `members[value eq "…"]`.
    pub(super) only: Option<String>,
    pub(super) value: Value,
}

impl Patch {
    /// Its operations; one without a path is as many as its value has attributes.
    pub(super) fn read(self) -> Result<Vec<Operation>, ScimError> {
        if !self.schemas.iter().any(|schema| schema == PATCH) {
            return Err(ScimError::invalid("invalidSyntax", format!("schemas must have {PATCH}")));
        }
        if self.operations.len() > MOST_OPERATIONS {
            return Err(ScimError::invalid("tooMany", format!("at most {MOST_OPERATIONS} operations at once")));
        }
        let mut all = Vec::new();
        for RawOperation { op, path, value } in self.operations {
            let verb = match op.to_ascii_lowercase().as_str() {
                "add" => Verb::Add,
                "replace" => Verb::Replace,
                "remove" => Verb::Remove,
                _ => return Err(ScimError::invalid("invalidSyntax", "op is add, replace or remove")),
            };
            match path {
                Some(path) => {
                    let (attribute, only) = target(&path)?;
                    all.push(Operation { verb, attribute, only, value });
                }
                None if verb == Verb::Remove => {
                    return Err(ScimError::invalid("noTarget", "a removal needs a path"));
                }
                None => {
                    let Value::Object(fields) = value else {
                        return Err(ScimError::invalid("invalidValue", "without a path the value is an object"));
                    };
                    for (name, value) in fields {
                        let (attribute, only) = target(&name)?;
                        all.push(Operation { verb, attribute, only, value });
                    }
                }
            }
        }
        Ok(all)
    }
}

/// The attribute that a path names, and the value it picks.
fn target(path: &str) -> Result<(String, Option<String>), ScimError> {
    let path = path.trim();
    let wrong = || ScimError::invalid("invalidPath", "the path is not understood");
    if path.is_empty() || path.len() > 1000 {
        return Err(wrong());
    }
    let (name, rest) = match path.split_once('[') {
        Some((name, rest)) => (name, Some(rest)),
        None => (path, None),
    };
    let name = name.rsplit(':').next().unwrap_or(name).to_ascii_lowercase();
    match rest {
        None => Ok((name, None)),
        Some(rest) if name == "members" => {
            let inner = rest.strip_suffix(']').ok_or_else(wrong)?;
            let found = super::filter::equal(inner).map_err(|_| wrong())?;
            if found.attribute == "value" { Ok((name, Some(found.text))) } else { Err(wrong()) }
        }
        // Of an attribute that is not kept.
        Some(_) => Ok((name, None)),
    }
}

/// A boolean, which some send as text.
pub(super) fn boolean(value: &Value) -> Result<bool, ScimError> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(ScimError::invalid("invalidValue", "active is true or false")),
    }
}

/// A text.
pub(super) fn text(name: &str, value: &Value) -> Result<String, ScimError> {
    let text = value.as_str().map(str::to_owned);
    text.ok_or_else(|| ScimError::invalid("invalidValue", format!("{name} is a text")))
}

/// Ids of members: `[{"value": "u1"}]`, one of them, or a text.
pub(super) fn members(value: &Value) -> Result<Vec<String>, ScimError> {
    let one = |value: &Value| match value {
        Value::String(id) => Some(id.clone()),
        Value::Object(fields) => fields.get("value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let found: Option<Vec<String>> = match value {
        Value::Null => Some(Vec::new()),
        Value::Array(values) => values.iter().map(one).collect(),
        value => one(value).map(|id| vec![id]),
    };
    found.ok_or_else(|| ScimError::invalid("invalidValue", "members are objects with a value each"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(operations: Value) -> Option<Vec<Operation>> {
        let patch: Patch = serde_json::from_value(json!({"schemas": [PATCH], "Operations": operations})).unwrap();
        patch.read().ok()
    }

    #[test]
    fn the_standards_entras_and_oktas_changes_are_the_same() {
        let wanted =
            |verb, value: Value| Some(vec![Operation { verb, attribute: "active".to_owned(), only: None, value }]);
        assert_eq!(
            read(json!([{"op": "replace", "path": "active", "value": false}])),
            wanted(Verb::Replace, json!(false))
        );
        assert_eq!(
            read(json!([{"op": "Replace", "path": "active", "value": "False"}])),
            wanted(Verb::Replace, json!("False"))
        );
        assert_eq!(read(json!([{"op": "replace", "value": {"active": false}}])), wanted(Verb::Replace, json!(false)));
        let whole = "urn:ietf:params:scim:schemas:core:2.0:User:active";
        assert_eq!(read(json!([{"op": "add", "path": whole, "value": true}])), wanted(Verb::Add, json!(true)));
        let removed = read(json!([{"op": "remove", "path": "members[value eq \"u7\"]"}])).unwrap();
        assert_eq!((removed[0].attribute.as_str(), removed[0].only.as_deref()), ("members", Some("u7")));
        let mail = read(json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "a@b"}])).unwrap();
        assert_eq!(mail[0].attribute, "emails");
    }

    #[test]
    fn odd_changes_are_none() {
        for odd in [
            json!([{"op": "move", "path": "active"}]),
            json!([{"op": "remove"}]),
            json!([{"op": "add", "value": "x"}]),
            json!([{"op": "remove", "path": "members[value eq \"u7\""}]),
            json!([{"op": "remove", "path": "members[display eq \"u7\"]"}]),
            json!([{"op": "remove", "path": "members[value co \"u\"]"}]),
            json!([{"op": "add", "path": " "}]),
        ] {
            assert!(read(odd.clone()).is_none(), "{odd}");
        }
        let many: Vec<Value> = (0..=MOST_OPERATIONS).map(|_| json!({"op": "add", "path": "x"})).collect();
        assert!(read(Value::Array(many)).is_none());
        let without: Patch = serde_json::from_value(json!({"Operations": []})).unwrap();
        assert!(without.read().is_err());
    }

    #[test]
    fn members_come_in_several_shapes() {
        let read = |value: Value| members(&value).ok();
        let one = Some(vec!["u1".to_owned()]);
        for value in [json!([{"value": "u1", "display": "x"}]), json!({"value": "u1"}), json!("u1"), json!(["u1"])] {
            assert_eq!(read(value), one);
        }
        assert_eq!(read(Value::Null), Some(vec![]));
        for value in [json!([{"id": "u1"}]), json!([1]), json!(true)] {
            assert_eq!(read(value), None);
        }
        assert_eq!([json!("True"), json!(false)].map(|value| boolean(&value).ok()), [Some(true), Some(false)]);
        assert!(boolean(&json!(1)).is_err());
    }
}
