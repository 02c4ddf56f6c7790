use sealyard_core::ReadAt;
use sealyard_formats::sniff::Format;
use sealyard_formats::tensorflow::Root;

use super::{message, tensorflow};
use crate::context::Context;

/// The graph of a TensorFlow `SavedModel`, or of a checkpoint of the first version.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let (root, name) = match context.format() {
        Format::MetaGraph => (Root::MetaGraph, "tensorflow-meta-graph"),
        _ => (Root::SavedModel, "tensorflow-saved-model"),
    };
    tensorflow::look(data, root, context, true);
    message::others(data, context);
    name
}
