use sealyard_core::ReadAt;

use crate::context::Context;

/// A file without bytes.
pub(super) fn inspect(_: &dyn ReadAt, _: &mut Context) -> &'static str {
    "empty"
}
