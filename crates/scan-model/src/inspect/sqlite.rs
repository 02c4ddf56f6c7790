use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// SQLite. Libraries keep pickles in it: `shelve` and caches of any sort.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("sqlite", context)
}
