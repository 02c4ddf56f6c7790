use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// A GGUF file: tensors and a table, which may hold a chat template.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("gguf", context)
}
