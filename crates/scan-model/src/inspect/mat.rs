use sealyard_core::ReadAt;
use sealyard_formats::mat::MatFile;
use sealyard_scan::FactKind;
use serde_json::Value;

use crate::context::Context;
use crate::rules::objects::{self, Artifact, Form};

/// Most elements that are walked over.
const MAX_ELEMENTS: u64 = 5_000_000;

/// A file of MATLAB of version 5: arrays of numbers, letters, cells and structures, or more than that.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let file = match MatFile::read(data, MAX_ELEMENTS.min(context.budget().steps)) {
        Ok(file) => file,
        Err(error) => {
            context.miss(format!("could not be read: {error}"));
            return "mat";
        }
    };
    context.fact(FactKind::Format, "mat", Value::Null);
    if !context.step(file.elements) {
        return "mat";
    }
    for name in &file.variables {
        context.fact(FactKind::Layer, name, Value::Null);
    }
    if let Some((offset, what)) = file.fault {
        context.miss(format!("the file of MATLAB can't be read: at {offset:#x}: {what}"));
    } else if file.is_cut {
        context.miss("there is more in the file of MATLAB than is looked at");
    }
    let mut artifact = Artifact { form: Form::Matlab, classes: Vec::new(), functions: Vec::new() };
    for (offset, kind, texts) in file.active {
        match kind {
            sealyard_formats::mat::Kind::Function => artifact.functions.push(offset),
            _ => artifact.classes.push((offset, texts.join(" "))),
        }
    }
    objects::run(&artifact, context.sink());
    "mat"
}
