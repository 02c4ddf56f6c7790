use sealyard_core::ReadAt;

use super::safetensors;
use crate::context::Context;

/// What is said of it.
pub(super) const REASON: &str = "the format is unknown";

/// Bytes of no known format.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    if context.name().to_ascii_lowercase().ends_with(".safetensors") {
        safetensors::mismatch(context);
    }
    context.miss(REASON);
    "unknown"
}
