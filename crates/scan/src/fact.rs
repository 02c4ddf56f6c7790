use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finding::shorten;

/// What sort of thing a [`Fact`] says. A bill of materials is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FactKind {
    /// A form of files and its version: `gguf` `3`.
    Format,
    /// A library that wrote the file or reads it, and its version: `scikit-learn` `1.5.2`.
    Framework,
    /// The family of the model, or its class: `llama`, `LlamaForCausalLM`.
    Architecture,
    /// What is fitted: `sklearn.linear_model.Ridge`, and how often it occurs.
    Estimator,
    /// A layer or an operator, and how often it occurs: `Dense` `3`.
    Layer,
    /// A number or text that the author chose: `alpha` `1.0`.
    Hyperparameter,
    /// An element type, and how many tensors and numbers of it: `F32` `{"tensors": 12, "numbers": 34000}`.
    Tensors,
    /// What goes in or comes out: a name, and its type and shape.
    Signature,
    /// Something that the file names and the loader needs: a package, another file, a base model.
    Dependency,
    /// Anything else that is told about the file: a licence, an author, rows and columns.
    Property,
    /// What a newer version of the program has written.
    #[serde(other)]
    Other,
}

/// Something that a file holds. It is told as the file has it, and never decides a verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What sort.
    pub kind: FactKind,
    /// What it is about.
    pub name: String,
    /// What it is, how often, or in which version; null where the name says all.
    #[serde(default)]
    pub value: Value,
    /// The member of the file that says it, containers joined by `!`.
    #[serde(default)]
    pub member: Option<String>,
}

impl Fact {
    /// A fact; long texts are cut, and what is deeper than a table of numbers and texts is left out.
    #[must_use]
    pub fn new(kind: FactKind, name: &str, value: impl Into<Value>) -> Self {
        Self { kind, name: shorten(name), value: bounded(value.into(), true), member: None }
    }
}

/// Most entries of a fact's value.
const MAX_ENTRIES: usize = 64;

fn bounded(value: Value, is_root: bool) -> Value {
    match value {
        Value::String(text) => Value::String(shorten(&text)),
        Value::Array(items) if is_root => {
            Value::Array(items.into_iter().take(MAX_ENTRIES).map(|item| bounded(item, false)).collect())
        }
        Value::Object(entries) if is_root => Value::Object(
            entries.into_iter().take(MAX_ENTRIES).map(|(key, value)| (shorten(&key), bounded(value, false))).collect(),
        ),
        Value::Array(_) | Value::Object(_) => Value::Null,
        scalar => scalar,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_bounded() {
        let long = "é".repeat(100_000);
        let fact = Fact::new(FactKind::Property, &long, json!({"a": [1], "b": long, "c": 1.5}));
        assert!(fact.name.chars().count() < 1000);
        assert_eq!((&fact.value["a"], &fact.value["c"]), (&Value::Null, &json!(1.5)));
        assert!(fact.value["b"].as_str().unwrap().chars().count() < 1000);
        let many = Fact::new(FactKind::Property, "x", vec![0; 10_000]);
        assert_eq!(many.value.as_array().unwrap().len(), MAX_ENTRIES);
    }

    #[test]
    fn a_kind_of_tomorrow_is_read() {
        let fact: Fact = serde_json::from_value(json!({"kind": "data-set", "name": "x"})).unwrap();
        assert_eq!((fact.kind, fact.value, fact.member), (FactKind::Other, Value::Null, None));
    }
}
