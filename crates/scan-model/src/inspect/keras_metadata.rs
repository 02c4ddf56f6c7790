use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// The description of Keras layers beside a `SavedModel`.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("keras-metadata", context)
}
