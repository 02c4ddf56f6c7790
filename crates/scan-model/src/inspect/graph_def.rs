use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A frozen TensorFlow graph.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tensorflow-graph", context)
}
