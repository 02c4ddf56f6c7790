use sealyard_core::ReadAt;
use sealyard_formats::message::Limits;
use sealyard_formats::tensorflow::{Graphs, Root};
use sealyard_formats::tflite::{Operator, Tflite, data_type, operator_name};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use super::{buried, message};
use crate::context::Context;
use crate::rules;

/// Begins the name of an operator of TensorFlow.
const TENSORFLOW: &str = "Flex";
/// Facts of one sort that are told.
const MAX_TOLD: usize = 200;

/// A TensorFlow Lite model: its operators, and in those of TensorFlow the nodes that they stand for.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let model = Tflite::parse(data);
    if !context.step(model.elements) {
        return "tflite";
    }
    if let Some(error) = &model.broken {
        context.miss(format!("the TensorFlow Lite model can't be read: {error}"));
    }
    tell(&model, context);
    let nodes = nodes(&model, data, context);
    rules::tflite::run(&rules::tflite::Artifact { model: &model, nodes }, context.sink());
    buried::tail(data, context);
    "tflite"
}

/// The nodes of TensorFlow that operators stand for.
fn nodes(model: &Tflite, data: &dyn ReadAt, context: &mut Context) -> Vec<(u64, Graphs)> {
    let mut nodes = Vec::new();
    for custom in model.custom.iter().filter(|custom| custom.name.starts_with(TENSORFLOW)) {
        // The name, then the node.
        let texts = match Tflite::texts(data, custom) {
            Ok(texts) => texts,
            Err(error) => {
                context.miss(format!("the options of {} can't be read: {error}", custom.name));
                continue;
            }
        };
        let Some(node) = texts.get(1) else {
            context.miss(format!("the options of {} hold no node", custom.name));
            continue;
        };
        let limits = Limits { kept: 1 << 20, ..message::limits(context) };
        let graphs = Graphs::parse_within(data, node.clone(), Root::Node, limits, &rules::tensorflow::is_of_interest);
        if !context.step(graphs.fields) {
            break;
        }
        if let Some(error) = &graphs.broken {
            context.miss(format!("the node of {} can't be read: {error}", custom.name));
        }
        if !graphs.nodes.is_empty() {
            nodes.push((custom.offset, graphs));
        }
    }
    nodes
}

fn tell(model: &Tflite, context: &mut Context) {
    context.fact(FactKind::Format, "tflite", model.version);
    if !model.description.is_empty() {
        context.fact(FactKind::Property, "description", model.description.as_str());
    }
    for (direction, name, kind) in &model.values {
        context.fact(FactKind::Signature, name, json!({"direction": direction, "type": kind}));
    }
    for (operator, count) in model.operators.iter().take(MAX_TOLD) {
        match operator {
            Operator::Known(code) => match operator_name(*code) {
                Some(name) => context.fact(FactKind::Layer, name, *count),
                None => context.fact(FactKind::Layer, &format!("operator {code}"), *count),
            },
            Operator::Custom(name) => context.fact(FactKind::Layer, name, *count),
        }
    }
    for (kind, (tensors, numbers)) in &model.tensors {
        context.fact(FactKind::Tensors, data_type(*kind), json!({"tensors": tensors, "numbers": numbers}));
    }
    for name in model.metadata.iter().take(MAX_TOLD) {
        context.fact(FactKind::Property, name, Value::Null);
    }
    for (file, _) in model.files.iter().take(MAX_TOLD) {
        context.fact(FactKind::Dependency, file, "tensors");
    }
}
