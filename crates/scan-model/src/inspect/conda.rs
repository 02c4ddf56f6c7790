use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// An environment of conda.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("conda", data, context)
}
