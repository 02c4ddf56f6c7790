use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// CatBoost's binary form.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("catboost", context)
}
