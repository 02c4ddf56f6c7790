use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// Text that names the program to run it by.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("script", data, context)
}
