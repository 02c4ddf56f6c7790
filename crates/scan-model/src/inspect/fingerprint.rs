use sealyard_core::ReadAt;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::message;
use crate::context::Context;

/// The `fingerprint.pb` of a TensorFlow `SavedModel`: sums as numbers, as the look at its fields has shown.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    context.fact(FactKind::Format, "tensorflow-fingerprint", Value::Null);
    message::others(data, context);
    "tensorflow-fingerprint"
}
