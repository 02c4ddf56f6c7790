use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// Python source.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("python", data, context)
}
