use sealyard_core::ReadAt;

use crate::context::Context;

/// An image.
pub(super) fn inspect(_: &dyn ReadAt, _: &mut Context) -> &'static str {
    "gif"
}
