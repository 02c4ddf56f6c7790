use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A 7z archive.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("7z", context)
}
