//! Rules of Hugging Face's configurations: they look at a JSON document.

use serde_json::Value;

pub(crate) use serde_json::Value as Artifact;

group! { Artifact;
    hf_harmful_import,
    hf_outside_path,
    hf_remote_code,
}

/// Calls `look` with every key and its value, at any depth.
fn walk(value: &Value, look: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Object(entries) => {
            for (key, inner) in entries {
                look(key, inner);
                walk(inner, look);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, look)),
        _ => {}
    }
}

/// The texts in a value, at any depth.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(entries) => entries.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}
