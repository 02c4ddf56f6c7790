use sealyard_core::ReadAt;
use sealyard_formats::rdata::{RData, RDataLimits};
use sealyard_scan::FactKind;
use serde_json::json;

use crate::context::Context;
use crate::rules;

/// Largest serialization that is read into memory.
const MAX_BYTES: u64 = 1 << 30;
/// Most classes that are told.
const MAX_CLASSES: usize = 50;

/// What R writes: values, which may be promises and functions.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(bytes) = context.read(data, MAX_BYTES) else { return "r-data" };
    let limits = RDataLimits { items: context.budget().steps, ..RDataLimits::default() };
    match RData::read(&bytes, &limits) {
        Ok(file) => {
            context.step(file.items);
            tell(&file, context);
            rules::r_data::run(&file, context.sink());
            if file.trailing > 0 {
                context.miss(format!("{} bytes follow the values of R", file.trailing));
            }
        }
        Err(error) => context.miss(format!("the values of R can't be read: {error}")),
    }
    "r-data"
}

fn tell(file: &RData, context: &mut Context) {
    context.fact(FactKind::Format, "r-data", file.version);
    context.fact(FactKind::Framework, "R", file.writer.as_str());
    for class in &file.root_classes {
        context.fact(FactKind::Estimator, class, 1);
    }
    for variable in &file.variables {
        context.fact(FactKind::Property, "variable", variable.as_str());
    }
    for (class, count) in file.classes.iter().take(MAX_CLASSES) {
        if !file.root_classes.contains(class) {
            context.fact(FactKind::Property, &format!("class {class}"), *count);
        }
    }
    for (kind, (vectors, numbers)) in &file.vectors {
        context.fact(FactKind::Tensors, kind, json!({"tensors": vectors, "numbers": numbers}));
    }
    for namespace in &file.namespaces {
        context.fact(FactKind::Dependency, namespace, serde_json::Value::Null);
    }
}
