use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// XGBoost's binary form from before 1.0.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("xgboost-binary", context)
}
