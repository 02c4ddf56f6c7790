use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A Core ML model.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("coreml", context)
}
