use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// MessagePack, as Flax writes it.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("msgpack", context)
}
