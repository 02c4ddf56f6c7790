use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// The graph of a TensorFlow `SavedModel`, or of a checkpoint of the first version.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tensorflow-saved-model", context)
}
