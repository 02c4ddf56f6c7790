use sealyard_core::ReadAt;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::{buried, raw_tensors, safetensors};
use crate::context::Context;

/// What is said of it.
pub(super) const REASON: &str = "the format is unknown";

/// Bytes of no known format.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    if context.name().to_ascii_lowercase().ends_with(".safetensors") {
        safetensors::mismatch(context);
    } else if raw_tensors::is_named(context.name()) || raw_tensors::is_blob(data) {
        context.fact(FactKind::Format, raw_tensors::KIND, Value::Null);
        return raw_tensors::KIND;
    }
    // A model with something behind it is none that a signature tells.
    buried::tail(data, context);
    context.miss(REASON);
    "unknown"
}
