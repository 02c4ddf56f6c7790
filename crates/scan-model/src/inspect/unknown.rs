use sealyard_core::ReadAt;

use super::safetensors;
use crate::context::Context;

/// Bytes of no known format.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    if context.name().to_ascii_lowercase().ends_with(".safetensors") {
        safetensors::mismatch(context);
    }
    context.miss("the format is unknown");
    "unknown"
}
