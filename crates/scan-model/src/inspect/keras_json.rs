//! Descriptions of Keras models: classes by their names, with their arguments, as JSON.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::python_json;
use crate::context::Context;
use crate::rules;

/// Most kinds of layers that are told.
const MAX_LAYERS: usize = 100;

/// Where a description was found. Loaders trust some of them more than others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// The `config.json` of a `.keras` file, whose loader has a safe mode.
    Archive,
    /// HDF5, JSON and YAML, whose loaders run what is in them.
    Legacy,
}

/// An object of a description: a class or function by its name, and what it is made with.
#[derive(Debug, Clone)]
pub(crate) struct KerasObject<'v> {
    /// Where it is in the document.
    pub(crate) path: String,
    /// Its module, if it says one.
    pub(crate) module: Option<&'v str>,
    /// Its class, such as `Dense`; `function` for a function.
    pub(crate) class: &'v str,
    /// The name under which its author registered it.
    pub(crate) registered: Option<&'v str>,
    /// Its arguments; the name of a function.
    pub(crate) config: &'v Value,
}

impl KerasObject<'_> {
    /// The name that is looked up in the module.
    pub(crate) fn name(&self) -> &str {
        match (self.class, self.config) {
            ("function", Value::String(name)) => name,
            _ => self.class,
        }
    }

    /// The module and the name.
    pub(crate) fn full_name(&self) -> String {
        match self.module {
            Some(module) => format!("{module}.{}", self.name()),
            None => self.name().to_owned(),
        }
    }
}

/// A description of a model.
#[derive(Debug)]
pub(crate) struct KerasModel<'v> {
    pub(crate) form: Form,
    pub(crate) objects: Vec<KerasObject<'v>>,
}

/// A Keras model written as JSON.
pub(super) fn inspect(document: &[u8], context: &mut Context) -> &'static str {
    inspect_as(document, Form::Legacy, context);
    "keras"
}

/// Looks at a document found in a given place.
pub(super) fn inspect_as(document: &[u8], form: Form, context: &mut Context) {
    match python_json::parse(document) {
        Ok(document) => look(&document, form, context),
        Err(reason) => context.miss(format!("the description of the model is no JSON: {reason}")),
    }
}

/// Looks at a description that has been parsed.
pub(super) fn look(document: &Value, form: Form, context: &mut Context) {
    let Some(objects) = objects(document, context) else { return };
    tell(document, &objects, context);
    let pickles = pickles(&objects);
    rules::keras::run(&KerasModel { form, objects }, context.sink());
    for (path, bytes) in pickles {
        context.nest_expanded(&path, &bytes);
    }
}

/// Everything in a document that has a class, in the document's order; none if there is too much.
fn objects<'v>(document: &'v Value, context: &mut Context) -> Option<Vec<KerasObject<'v>>> {
    let mut found = Vec::new();
    let mut pending = vec![(String::new(), document)];
    while let Some((path, value)) = pending.pop() {
        if !context.step(1) {
            return None;
        }
        match value {
            Value::Array(items) => {
                pending.extend(items.iter().enumerate().rev().map(|(index, item)| (format!("{path}[{index}]"), item)));
            }
            Value::Object(entries) => {
                let text = |name: &str| entries.get(name).and_then(Value::as_str);
                if let Some(class) = text("class_name") {
                    found.push(KerasObject {
                        path: path.clone(),
                        module: text("module"),
                        class,
                        registered: text("registered_name"),
                        config: entries.get("config").unwrap_or(&Value::Null),
                    });
                }
                for (key, value) in entries.iter().rev() {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    pending.push((path, value));
                }
            }
            _ => {}
        }
    }
    Some(found)
}

fn tell(document: &Value, objects: &[KerasObject<'_>], context: &mut Context) {
    if let Some(class) = document.get("class_name").and_then(Value::as_str) {
        context.fact(FactKind::Architecture, class, Value::Null);
    }
    if let Some(name) = document.pointer("/config/name").and_then(Value::as_str) {
        context.fact(FactKind::Property, "name", name);
    }
    let mut layers: BTreeMap<&str, u64> = BTreeMap::new();
    for object in objects {
        let parent = object.path.strip_suffix(']').and_then(|path| path.rsplit_once('['));
        if parent.is_some_and(|(parent, _)| parent.ends_with("config.layers") || parent == "config") {
            *layers.entry(object.class).or_default() += 1;
        }
        let key = object.path.rsplit('.').next().unwrap_or_default();
        if matches!(key, "optimizer" | "optimizer_config") {
            context.fact(FactKind::Hyperparameter, "optimizer", object.class);
            for name in ["learning_rate", "lr", "weight_decay"] {
                if let Some(value) = object.config.get(name).filter(|value| value.is_number()) {
                    context.fact(FactKind::Hyperparameter, name, value.clone());
                }
            }
        }
        if object.class == "InputLayer" {
            let shape = object.config.get("batch_shape").or_else(|| object.config.get("batch_input_shape"));
            let name = object.config.get("name").and_then(Value::as_str).unwrap_or("input");
            context.fact(FactKind::Signature, name, shape.cloned().unwrap_or(Value::Null));
        }
    }
    for (layer, count) in layers.into_iter().take(MAX_LAYERS) {
        context.fact(FactKind::Layer, layer, count);
    }
    for (path, name) in [("/loss", "loss"), ("/compile_config/loss", "loss")] {
        if let Some(loss) = document.pointer(path).and_then(Value::as_str) {
            context.fact(FactKind::Hyperparameter, name, loss);
        }
    }
}

/// Modules of PyTorch in a model: their pickles, by their places.
fn pickles(objects: &[KerasObject<'_>]) -> Vec<(String, Vec<u8>)> {
    let wrappers = objects.iter().filter(|object| object.class == "TorchModuleWrapper");
    wrappers
        .filter_map(|object| {
            let module = object.config.get("module")?;
            let text = module.as_str().or_else(|| module.pointer("/config/value")?.as_str())?;
            let text: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
            Some((format!("{}.module", object.path), STANDARD.decode(text).ok()?))
        })
        .collect()
}
