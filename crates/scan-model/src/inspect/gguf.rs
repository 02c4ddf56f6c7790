use std::collections::BTreeMap;

use sealyard_core::ReadAt;
use sealyard_formats::gguf::{Gguf, GgufError, Value};
use sealyard_scan::FactKind;
use serde_json::json;

use super::nested::may_be_encoded;
use super::{buried, jinja};
use crate::context::Context;
use crate::rules::gguf::{self, Artifact};

/// Entries of the metadata that are told, by the end of their keys.
const TOLD: &[(FactKind, &str, &str)] = &[
    (FactKind::Architecture, "architecture", "general.architecture"),
    (FactKind::Property, "name", "general.name"),
    (FactKind::Property, "license", "general.license"),
    (FactKind::Property, "author", "general.author"),
    (FactKind::Dependency, "base model", "general.base_model.0.repo_url"),
    (FactKind::Property, "tokenizer", "tokenizer.ggml.model"),
];
/// Hyperparameters that are told, by what follows the architecture in their keys.
const SIZES: &[&str] =
    &["block_count", "context_length", "embedding_length", "attention.head_count", "expert_count", "vocab_size"];

/// A GGUF file: tensors and a table, which may hold chat templates.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match Gguf::read(data) {
        Ok(gguf) => {
            tell(&gguf, context);
            for (key, offset, text) in gguf.templates() {
                context.inside(&format!("{key}@{offset:#x}"), |context| jinja::template(text, context));
            }
            for entry in &gguf.metadata {
                if let Value::Text(text) = &entry.value
                    && may_be_encoded(text)
                {
                    buried::value(text.as_bytes(), entry.offset, context);
                }
            }
            gguf::run(&Artifact { flaws: gguf.flaws }, context.sink());
        }
        Err(GgufError::Lie(offset, what)) => {
            gguf::run(&Artifact { flaws: vec![(offset, what.to_owned())] }, context.sink());
            context.miss(format!("the GGUF file can't be read: at {offset:#x}: {what}"));
        }
        Err(error) => context.miss(format!("the GGUF file can't be read: {error}")),
    }
    buried::tail(data, context);
    "gguf"
}

fn tell(gguf: &Gguf, context: &mut Context) {
    context.fact(FactKind::Format, "gguf", gguf.version.to_string());
    for (kind, name, key) in TOLD {
        if let Some(Value::Text(text)) = gguf.get(key) {
            match kind {
                FactKind::Architecture => context.fact(*kind, text, serde_json::Value::Null),
                _ => context.fact(*kind, name, text.clone()),
            }
        }
    }
    for size in SIZES {
        let entry =
            gguf.metadata.iter().find(|entry| entry.key.strip_suffix(size).is_some_and(|head| head.ends_with('.')));
        if let Some(Value::Integer(number)) = entry.map(|entry| &entry.value) {
            context.fact(FactKind::Hyperparameter, size, i64::try_from(*number).unwrap_or(i64::MAX));
        }
    }
    let mut tensors: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for tensor in &gguf.tensors {
        let (count, numbers) = tensors.entry(tensor.type_name()).or_default();
        *count += 1;
        *numbers = numbers.saturating_add(tensor.numbers().unwrap_or(0));
    }
    for (kind, (count, numbers)) in tensors {
        context.fact(FactKind::Tensors, &kind, json!({"tensors": count, "numbers": numbers}));
    }
}
