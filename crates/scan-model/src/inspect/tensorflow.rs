//! TensorFlow's graphs, whichever message they are in.

use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::tensorflow::{Graphs, Root, data_type};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use super::{keras_metadata, message};
use crate::context::Context;
use crate::rules;

/// Operators that are told.
const MAX_OPERATORS: usize = 200;
/// Longest description of a Keras object.
const MAX_OBJECT: u64 = 16 << 20;

/// Looks at a file as a reader of TensorFlow does. If that is not the file's own format, only what is found is told.
pub(super) fn look(data: &dyn ReadAt, root: Root, context: &mut Context, is_own: bool) {
    let limits = message::limits(context);
    let graphs = Graphs::parse(data, root, limits, &rules::tensorflow::is_of_interest);
    if !context.step(graphs.fields) {
        return;
    }
    if is_own {
        if let Some(error) = &graphs.broken {
            context.miss(format!("the graph can't be read: {error}"));
        }
        tell(&graphs, root, context);
    }
    let objects = objects(&graphs, data, context, is_own);
    let artifact = rules::tensorflow::Artifact::new(&graphs, objects, is_own);
    rules::tensorflow::run(&artifact, context.sink());
    if artifact.is_exhausted() {
        context.miss("the ways of paths through the graph are longer than is looked at");
    }
}

/// Reads the descriptions of Keras's objects.
fn objects(graphs: &Graphs, data: &dyn ReadAt, context: &mut Context, is_own: bool) -> Vec<(String, u64, Value)> {
    let mut objects = Vec::new();
    for object in &graphs.keras {
        let section = Section::new(data, object.metadata.clone());
        let Some(bytes) = context.read(&section, MAX_OBJECT).map(|bytes| bytes.into_owned()) else { continue };
        if !context.step(bytes.len() as u64) {
            break;
        }
        match keras_metadata::parse(&bytes) {
            Ok(value) => {
                if let (Some(class), true) = (value.get("class_name").and_then(Value::as_str), is_own) {
                    context.fact(FactKind::Layer, class, json!({"name": object.path}));
                }
                objects.push((object.path.clone(), object.metadata.start, value));
            }
            Err(error) => context.miss(format!("the description of {:?} can't be read: {error}", object.path)),
        }
    }
    objects
}

fn tell(graphs: &Graphs, root: Root, context: &mut Context) {
    let (name, version) = match root {
        Root::SavedModel => ("tensorflow-saved-model", json!(graphs.schema)),
        Root::MetaGraph => ("tensorflow-meta-graph", Value::Null),
        Root::GraphDef | Root::Node => ("tensorflow-graph", Value::Null),
        Root::KerasMetadata => ("keras-metadata", Value::Null),
    };
    context.fact(FactKind::Format, name, version);
    for version in graphs.versions.keys().take(16) {
        context.fact(FactKind::Framework, "tensorflow", version.as_str());
    }
    if graphs.producer != 0 {
        context.fact(FactKind::Property, "producer", graphs.producer);
    }
    for tag in graphs.tags.keys().take(16) {
        context.fact(FactKind::Property, "tag", tag.as_str());
    }
    for (name, text) in &graphs.signatures {
        context.fact(FactKind::Signature, name, text.as_str());
    }
    for (operator, uses) in graphs.operators.iter().take(MAX_OPERATORS) {
        context.fact(FactKind::Layer, operator, uses.count);
    }
    for (kind, (tensors, numbers)) in &graphs.tensors {
        context.fact(FactKind::Tensors, data_type(*kind), json!({"tensors": tensors, "numbers": numbers}));
    }
    for asset in graphs.assets.iter().take(64) {
        context.fact(FactKind::Dependency, &asset.file, "asset");
    }
}
