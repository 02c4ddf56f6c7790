use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A tar archive; NeMo's models are such.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tar", context)
}
