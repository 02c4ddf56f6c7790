use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// Not looked at yet.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("tensorflow-fingerprint", context)
}
