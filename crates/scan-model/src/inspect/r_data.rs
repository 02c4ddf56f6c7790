use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// What R writes: values, which may be promises and closures.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("r-data", context)
}
