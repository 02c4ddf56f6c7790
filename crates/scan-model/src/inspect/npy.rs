use sealyard_core::ReadAt;
use sealyard_formats::npy::{Literal, Npy};
use sealyard_scan::FactKind;
use serde_json::json;

use super::pickle;
use crate::context::Context;
use crate::judge::Persistence;
use crate::rules;

/// More than the longest header that numpy reads.
const HEADER: u64 = 16 << 10;

/// Looks at an array: at its header, and at the pickle behind it when its elements are objects.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(head) = context.head(data, HEADER) else { return "npy" };
    let array = match Npy::parse(&head) {
        Ok(array) => array,
        Err(error) => {
            context.miss(format!("the array can't be read: {error}"));
            return "npy";
        }
    };
    rules::npy::run(&array, context.sink());
    if let Literal::Str(dtype) = &array.descr {
        let numbers = array.shape.iter().fold(1_u64, |count, size| count.saturating_mul(*size));
        context.fact(FactKind::Tensors, dtype, json!({"tensors": 1, "numbers": numbers}));
    }
    if array.has_objects()
        && let Some(bytes) = context.read(data, pickle::MAX_BYTES)
    {
        let start = usize::try_from(array.data_offset).unwrap_or(usize::MAX);
        let objects = bytes.get(start..).unwrap_or_default();
        context.inside("objects", |context| pickle::inspect_bytes(objects, Persistence::Refused, context));
    }
    "npy"
}
