use sealyard_core::ReadAt;
use sealyard_formats::tensorflow::{Checkpoint, data_type};
use sealyard_scan::FactKind;
use serde_json::{Value, json};

use crate::context::Context;

/// The index of a TensorFlow checkpoint, whose numbers lie in other files. Names, types and shapes; nothing in it is ever
/// run.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match Checkpoint::parse(data) {
        Ok(checkpoint) => {
            if context.step(checkpoint.entries) {
                context.fact(FactKind::Format, "tensorflow-checkpoint", Value::Null);
                for (kind, (tensors, numbers)) in &checkpoint.tensors {
                    context.fact(FactKind::Tensors, data_type(*kind), json!({"tensors": tensors, "numbers": numbers}));
                }
            }
        }
        Err(error) => context.miss(format!("the index of the checkpoint can't be read: {error}")),
    }
    "tensorflow-checkpoint"
}
