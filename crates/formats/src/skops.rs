//! skops files: a zip of `schema.json` and arrays, read as a tree of nodes. Nothing is constructed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::zip::{Archive, ZipError};

/// The member that describes the rest.
pub const SCHEMA: &str = "schema.json";
const MAX_SCHEMA: u64 = 32 << 20;
const MAX_DEPTH: usize = 100;
const MAX_NODES: usize = 500_000;
/// Bytes of a key that a path keeps, and of all paths: long keys above many nodes would multiply.
const MAX_KEY: usize = 64;
const MAX_PATHS: usize = 128 << 20;

/// A node of the schema: an object to make, or a reference to one made before.
#[derive(Debug, Clone, Deserialize)]
pub struct SkopsNode {
    /// Name of the class or function.
    #[serde(rename = "__class__", default)]
    pub class: String,
    /// Its module.
    #[serde(rename = "__module__", default)]
    pub module: String,
    /// Which kind of node: `ObjectNode`, `NdArrayNode`, `FunctionNode` and so on.
    #[serde(rename = "__loader__")]
    pub loader: String,
    /// The identity that `CachedNode`s refer to.
    #[serde(rename = "__id__", default)]
    pub id: Option<i64>,
    /// Everything else the node says; nodes within it are read with [`SkopsNode::of`].
    #[serde(flatten)]
    pub fields: BTreeMap<String, Value>,
}

/// A schema that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SkopsError {
    /// The archive can't be read.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// `schema.json` is missing, there twice, or broken.
    #[error("schema.json is missing, there more than once, or broken")]
    Schema,
    /// `schema.json` is not the JSON of a node.
    #[error("schema.json is not a node")]
    Json(#[from] serde_json::Error),
    /// Nodes are too deep.
    #[error("the schema is more than 100 nodes deep")]
    Depth,
    /// Too many nodes, or too long paths to them.
    #[error("the schema has more than 500,000 nodes, or its keys are too long")]
    Bound,
}

impl SkopsNode {
    /// The node that a JSON value is, if it is one.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        value.get("__loader__")?;
        Self::deserialize(value).ok()
    }

    /// `module.class`.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}.{}", self.module, self.class)
    }

    /// The field `content` as a node.
    #[must_use]
    pub fn content(&self) -> Option<Self> {
        Self::of(self.fields.get("content")?)
    }

    /// The attribute or item `key` of a `DictNode`, or of the state of an `ObjectNode`.
    #[must_use]
    pub fn item(&self, key: &str) -> Option<Self> {
        match self.fields.get("content")? {
            content if content.get("__loader__").is_some() => Self::of(content)?.item(key),
            content => Self::of(content.get(key)?),
        }
    }

    /// The value of a `JsonNode`.
    #[must_use]
    pub fn json(&self) -> Option<Value> {
        if self.loader != "JsonNode" {
            return None;
        }
        serde_json::from_str(self.fields.get("content")?.as_str()?).ok()
    }

    /// The member that holds the bytes of an `NdArrayNode` in the numpy format, or of a `BytesNode`.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.fields.get("file")?.as_str()
    }
}

/// A schema and all nodes in it.
#[derive(Debug)]
pub struct Skops {
    /// The object the file is about.
    pub root: SkopsNode,
    /// Every node, each with the path of JSON keys that leads to it; the root has the empty one.
    pub nodes: Vec<(String, SkopsNode)>,
}

impl Skops {
    /// Reads the schema of an opened archive.
    ///
    /// # Errors
    /// [`SkopsError`] when there is not exactly one, or it is broken, too large or too deep.
    pub fn open(archive: &Archive<'_>) -> Result<Self, SkopsError> {
        let member = archive.only(SCHEMA).ok_or(SkopsError::Schema)?;
        let bytes = archive.read(member, MAX_SCHEMA)?.intact().ok_or(SkopsError::Schema)?;
        Self::parse(&bytes)
    }

    /// Reads a schema.
    ///
    /// # Errors
    /// As [`Skops::open`].
    pub fn parse(schema: &[u8]) -> Result<Self, SkopsError> {
        // serde_json itself stops at 128 levels.
        let value: Value = serde_json::from_slice(schema)?;
        let root = SkopsNode::deserialize(&value)?;
        let mut nodes = Vec::new();
        let mut paths = 0_usize;
        // Each entry of the trail is a key and the place of its parent, so that paths are only made for nodes.
        let mut trail: Vec<(Option<usize>, String)> = Vec::new();
        let mut pending = vec![(None, &value, 0)];
        while let Some((place, value, depth)) = pending.pop() {
            if depth > MAX_DEPTH {
                return Err(SkopsError::Depth);
            }
            if let Some(node) = shallow(value) {
                let path = path_of(&trail, place);
                paths = paths.saturating_add(path.len());
                if nodes.len() >= MAX_NODES || paths > MAX_PATHS {
                    return Err(SkopsError::Bound);
                }
                // Protocol 0 kept the names of a function in its content, and the loader imports these.
                if let Some(content) = value.get("content")
                    && let (Some(module), Some(function)) = (content.get("module_path"), content.get("function"))
                {
                    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                    let mut old = node.clone();
                    (old.module, old.class) = (text(module), text(function));
                    nodes.push((path.clone(), old));
                }
                nodes.push((path, node));
            }
            let mut follow = |key: String, value| {
                trail.push((place, key));
                pending.push((Some(trail.len() - 1), value, depth + 1));
            };
            match value {
                Value::Object(map) => {
                    for (key, value) in map.iter().filter(|(_, value)| value.is_object() || value.is_array()) {
                        follow(key.chars().take(MAX_KEY).collect(), value);
                    }
                }
                Value::Array(items) => {
                    for (index, value) in items.iter().enumerate() {
                        if value.is_object() || value.is_array() {
                            follow(index.to_string(), value);
                        }
                    }
                }
                _ => {}
            }
        }
        nodes.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(Self { root, nodes })
    }
}

fn path_of(trail: &[(Option<usize>, String)], mut place: Option<usize>) -> String {
    let mut keys = Vec::new();
    while let Some((parent, key)) = place.and_then(|place| trail.get(place)) {
        keys.push(key.as_str());
        place = *parent;
    }
    keys.iter().rev().flat_map(|key| ["/", key]).collect()
}

/// A node without the nodes below it, so that listing all stays linear.
fn shallow(value: &Value) -> Option<SkopsNode> {
    let map = value.as_object()?;
    let text = |key: &str| map.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    map.get("__loader__")?;
    Some(SkopsNode {
        class: text("__class__"),
        module: text("__module__"),
        loader: text("__loader__"),
        id: map.get("__id__").and_then(Value::as_i64),
        fields: map
            .iter()
            .filter(|(key, value)| !key.starts_with("__") && !value.is_object() && !value.is_array())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_keys_above_many_nodes_do_not_multiply() {
        let node = r#"{"__loader__":"x"}"#;
        let many = vec![node; 2000].join(",");
        let key = "k".repeat(1 << 20);
        let schema = format!(r#"{{"__loader__":"x","{key}":{{"{key}":[{many}]}}}}"#);
        let skops = Skops::parse(schema.as_bytes()).unwrap();
        assert_eq!(skops.nodes.len(), 2001);
        assert!(skops.nodes.iter().all(|(path, _)| path.len() < 200));
    }

    #[test]
    fn hidden_nodes_are_listed() {
        let schema = r#"{"__class__":"Ridge","__module__":"m","__loader__":"ObjectNode","content":
            {"__class__":"dict","__module__":"builtins","__loader__":"DictNode","content":
              {"f":{"__class__":"system","__module__":"os","__loader__":"FunctionNode"}}}}"#;
        let skops = Skops::parse(schema.as_bytes()).unwrap();
        let loaders: Vec<_> = skops.nodes.iter().map(|(_, node)| node.loader.as_str()).collect();
        assert_eq!(loaders, ["ObjectNode", "DictNode", "FunctionNode"]);
        assert_eq!(skops.root.item("f").map(|node| node.path()), Some("os.system".to_owned()));
        assert_eq!(skops.nodes[2].0, "/content/content/f");
        let deep = format!("{}1{}", "[".repeat(120), "]".repeat(120));
        assert!(Skops::parse(format!(r#"{{"__loader__":"x","content":{deep}}}"#).as_bytes()).is_err());
    }
}
