use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::embedded::pickle_in;
use sealyard_formats::onnx::{Onnx, data_type};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use super::message;
use crate::context::Context;
use crate::rules;

/// Longest property that is looked into.
const MAX_PROPERTY: u64 = 4 << 20;
/// Operators that are told.
const MAX_OPERATORS: usize = 200;

/// An ONNX model: operators, subgraphs, functions and the files that tensors lie in; tensors are stepped over.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    look(data, context, true);
    message::others(data, context);
    "onnx"
}

/// Looks at a file as a reader of ONNX does. If that is not the file's own format, only what is found is told.
pub(super) fn look(data: &dyn ReadAt, context: &mut Context, is_own: bool) {
    let limits = message::limits(context);
    let model = Onnx::parse(data, limits, &rules::onnx::is_of_interest);
    if !context.step(model.fields) {
        return;
    }
    if is_own {
        if let Some(error) = &model.broken {
            context.miss(format!("the ONNX model can't be read: {error}"));
        }
        tell(&model, context);
    }
    let properties = properties(&model, data, context);
    let artifact = rules::onnx::Artifact { model: &model, properties };
    rules::onnx::run(&artifact, context.sink());
}

/// Reads the author's properties, and looks at pickles in them as at files.
fn properties(model: &Onnx, data: &dyn ReadAt, context: &mut Context) -> Vec<(String, String, u64)> {
    let mut properties = Vec::new();
    for (key, range) in &model.metadata {
        let Some(bytes) =
            context.read(&Section::new(data, range.clone()), MAX_PROPERTY).map(|bytes| bytes.into_owned())
        else {
            continue;
        };
        if !context.step(bytes.len() as u64) {
            break;
        }
        if let Some(pickle) = pickle_in(&bytes) {
            context.nest(&format!("metadata_props/{key}"), &pickle);
        }
        properties.push((key.clone(), String::from_utf8_lossy(&bytes).into_owned(), range.start));
    }
    properties
}

fn tell(model: &Onnx, context: &mut Context) {
    context.fact(FactKind::Format, "onnx", model.ir_version);
    if !model.producer.is_empty() {
        context.fact(FactKind::Framework, &model.producer, model.producer_version.as_str());
    }
    for (domain, version) in &model.opsets {
        let domain = if domain.is_empty() { "ai.onnx" } else { domain };
        context.fact(FactKind::Framework, domain, *version);
    }
    for (direction, name, kind) in &model.values {
        context.fact(FactKind::Signature, name, json!({"direction": direction, "type": kind}));
    }
    for ((domain, operator), uses) in model.operators.iter().take(MAX_OPERATORS) {
        let name = if domain.is_empty() { operator.clone() } else { format!("{domain}::{operator}") };
        context.fact(FactKind::Layer, &name, uses.count);
    }
    for (kind, (tensors, numbers)) in &model.tensors {
        context.fact(FactKind::Tensors, data_type(*kind), json!({"tensors": tensors, "numbers": numbers}));
    }
    for (location, external) in model.external.iter().take(MAX_OPERATORS) {
        context.fact(FactKind::Dependency, location, json!({"tensors": external.count}));
    }
    for (key, value) in [("domain", &model.domain)] {
        if !value.is_empty() {
            context.fact(FactKind::Property, key, value.as_str());
        }
    }
    for (key, _) in model.metadata.iter().take(64) {
        context.fact(FactKind::Property, key, Value::Null);
    }
}
