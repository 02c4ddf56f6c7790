use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// LightGBM's model as text: numbers and names.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("lightgbm", data, context)
}
