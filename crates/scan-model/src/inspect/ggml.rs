use sealyard_core::ReadAt;

use super::unsupported;
use crate::context::Context;

/// What llama.cpp read before GGUF.
pub(super) fn inspect(_: &dyn ReadAt, context: &mut Context) -> &'static str {
    unsupported("ggml", context)
}
