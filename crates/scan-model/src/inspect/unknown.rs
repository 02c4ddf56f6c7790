use sealyard_core::ReadAt;

use crate::context::Context;

/// Bytes of no known format.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    context.miss("the format is unknown");
    "unknown"
}
