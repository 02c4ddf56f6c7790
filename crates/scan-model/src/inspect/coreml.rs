use sealyard_core::ReadAt;
use sealyard_formats::coreml::CoreMl;
use sealyard_scan::FactKind;
use serde_json::json;

use super::message;
use crate::context::Context;
use crate::rules;

/// Layers and properties that are told.
const MAX_TOLD: usize = 200;

/// A Core ML model: layers, nested models and the files that weights lie in; weights are stepped over.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    look(data, context, true);
    message::others(data, context);
    "coreml"
}

/// Looks at a file as Core ML does. If that is not the file's own format, only what is found is told.
pub(super) fn look(data: &dyn ReadAt, context: &mut Context, is_own: bool) {
    let limits = message::limits(context);
    let model = CoreMl::parse(data, limits);
    if !context.step(model.fields) {
        return;
    }
    if is_own {
        if let Some(error) = &model.broken {
            context.miss(format!("the Core ML model can't be read: {error}"));
        }
        tell(&model, context);
    }
    rules::coreml::run(&model, context.sink());
}

fn tell(model: &CoreMl, context: &mut Context) {
    context.fact(FactKind::Format, "coreml", model.specification);
    for (kind, count) in &model.models {
        context.fact(FactKind::Architecture, kind, *count);
    }
    for (layer, count) in model.layers.iter().take(MAX_TOLD) {
        context.fact(FactKind::Layer, layer, *count);
    }
    for (direction, name) in &model.values {
        context.fact(FactKind::Signature, name, json!({"direction": direction}));
    }
    for (key, value) in model.properties.iter().take(MAX_TOLD) {
        context.fact(FactKind::Property, key, value.as_str());
    }
    for file in model.files.values().take(MAX_TOLD) {
        context.fact(FactKind::Dependency, &file.name, file.by);
    }
}
