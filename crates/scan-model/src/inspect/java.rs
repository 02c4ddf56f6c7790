use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// Objects of Java, whose reading runs methods of their classes.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("java-objects", context)
}
