use sealyard_core::ReadAt;

use crate::context::Context;

/// A TensorFlow graph written as text.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    context.miss("TensorFlow graphs written as text are not supported");
    "tensorflow"
}
