use sealyard_core::ReadAt;
use sealyard_formats::tensorflow::Root;

use super::{message, tensorflow};
use crate::context::Context;

/// A frozen graph of TensorFlow.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    tensorflow::look(data, Root::GraphDef, context, true);
    message::others(data, context);
    "tensorflow-graph"
}
