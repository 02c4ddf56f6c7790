use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A Zstandard stream.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("zstd", context)
}
