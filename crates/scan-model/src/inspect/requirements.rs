use sealyard_core::ReadAt;

use super::text;
use crate::context::Context;

/// Requirements of pip.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    text::inspect_as("requirements", data, context)
}
