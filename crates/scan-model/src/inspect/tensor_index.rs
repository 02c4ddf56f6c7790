use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// The index of a TensorFlow checkpoint, whose numbers lie in other files.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tensor-index", context)
}
