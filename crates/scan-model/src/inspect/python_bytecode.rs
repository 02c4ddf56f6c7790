use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// Compiled Python, which may do anything when it is imported.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("python-bytecode", context)
}
