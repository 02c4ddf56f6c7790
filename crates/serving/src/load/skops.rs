//! Objects in a skops schema.

use std::collections::HashMap;

use sealyard_formats::npy::Npy;
use sealyard_formats::numeric::{Dense, Values};
use sealyard_formats::skops::{Skops, SkopsNode};
use sealyard_formats::zip::Archive;
use serde_json::Value;

use super::{Attribute, LoadError, MAX_EXPANDED, Object};

/// An `ObjectNode` of a schema.
pub(super) struct SkopsObject<'s> {
    pub(super) archive: &'s Archive<'s>,
    pub(super) schema: &'s Skops,
    pub(super) node: SkopsNode,
}

impl SkopsObject<'_> {
    fn array(&self, node: &SkopsNode) -> Result<Attribute, String> {
        if node.fields.get("type").and_then(Value::as_str) != Some("numpy") {
            return Ok(texts(node));
        }
        let name = node.file().ok_or("names no file")?;
        let member = self.archive.only(name).ok_or("names a file that is missing or there more than once")?;
        let content = self.archive.read(member, MAX_EXPANDED).map_err(|error| error.to_string())?;
        let bytes = content.intact().ok_or("lies in a file that is broken")?;
        let array = Npy::parse(&bytes).and_then(|npy| npy.read(&bytes)).map_err(|error| error.to_string())?;
        Ok(Attribute::Dense(array))
    }

    /// A node that stands for one met before, by its identity.
    fn resolve(&self, node: SkopsNode) -> Option<SkopsNode> {
        if node.loader != "CachedNode" {
            return Some(node);
        }
        let id = node.id?;
        let first = self.schema.nodes.iter().find(|(_, other)| other.id == Some(id) && other.loader != "CachedNode");
        first.map(|(_, node)| node.clone())
    }
}

/// Refuses an identity that different nodes claim: skops makes the first of them and takes it for all. Some objects are
/// written again each time they occur, but always in the same words.
pub(super) fn check_ids(root: &SkopsNode) -> Result<(), LoadError> {
    let mut seen: HashMap<i64, &Value> = HashMap::new();
    let mut pending: Vec<&Value> = root.fields.values().collect();
    while let Some(value) = pending.pop() {
        match value {
            Value::Array(items) => pending.extend(items),
            Value::Object(fields) => {
                pending.extend(fields.values());
                let is_node = fields.get("__loader__").is_some_and(|loader| loader != "CachedNode");
                let Some(id) = fields.get("__id__").and_then(Value::as_i64).filter(|_| is_node) else { continue };
                let differs = seen.insert(id, value).is_some_and(|first| first != value);
                if differs || root.id == Some(id) {
                    return Err(LoadError::Format(format!("different nodes have the identity {id}")));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// An array of objects as JSON: names of columns.
fn texts(node: &SkopsNode) -> Attribute {
    let items = node.fields.get("content").and_then(Value::as_array);
    let texts: Option<Vec<String>> = items
        .and_then(|items| items.iter().map(|item| Some(SkopsNode::of(item)?.json()?.as_str()?.to_owned())).collect());
    match texts {
        Some(texts) => Attribute::Dense(Dense { shape: vec![texts.len()], values: Values::Text(texts) }),
        None => Attribute::Other,
    }
}

impl Object for SkopsObject<'_> {
    fn class(&self) -> (String, String) {
        (self.node.module.clone(), self.node.class.clone())
    }

    fn attribute(&self, name: &str) -> Result<Attribute, String> {
        let Some(node) = self.node.item(name) else { return Ok(Attribute::Absent) };
        let Some(node) = self.resolve(node) else { return Ok(Attribute::Other) };
        let number = |values| Ok(Attribute::Dense(Dense { shape: Vec::new(), values }));
        match node.loader.as_str() {
            "NdArrayNode" => self.array(&node),
            "JsonNode" => match node.json() {
                Some(Value::Null) => Ok(Attribute::Absent),
                Some(Value::String(text)) => Ok(Attribute::Text(text)),
                Some(Value::Bool(value)) => number(Values::Bool(vec![value])),
                Some(Value::Number(value)) => match (value.as_i64(), value.as_f64()) {
                    (Some(value), _) => number(Values::Int(vec![value])),
                    (None, Some(value)) => number(Values::Float(vec![value])),
                    _ => Ok(Attribute::Other),
                },
                _ => Ok(Attribute::Other),
            },
            _ => Ok(Attribute::Other),
        }
    }

    fn object(&self, name: &str) -> Option<Box<dyn Object + '_>> {
        let node = self.node.item(name)?;
        (node.loader == "ObjectNode")
            .then(|| Box::new(SkopsObject { archive: self.archive, schema: self.schema, node }) as Box<dyn Object + '_>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_belongs_to_one_object() {
        let array = |file: &str| format!(r#"{{"__loader__":"NdArrayNode","__id__":5,"type":"numpy","file":"{file}"}}"#);
        let schema = |first: &str, second: &str, id: i64| {
            let text = format!(
                r#"{{"__loader__":"ObjectNode","__id__":{id},"content":{{"__loader__":"DictNode","content":
                {{"other":{},"coef_":{}}}}}}}"#,
                array(first),
                array(second)
            );
            check_ids(&Skops::parse(text.as_bytes()).unwrap().root).is_ok()
        };
        assert!(schema("a.npy", "a.npy", 1));
        assert!(!schema("a.npy", "b.npy", 1));
        assert!(!schema("a.npy", "a.npy", 5));
    }
}
