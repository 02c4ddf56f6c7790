use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// Universal Binary JSON, as XGBoost writes it.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("ubjson", context)
}
