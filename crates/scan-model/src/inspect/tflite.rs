use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A TensorFlow Lite model.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tflite", context)
}
