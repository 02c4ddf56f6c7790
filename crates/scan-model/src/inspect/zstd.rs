use sealyard_core::ReadAt;
use sealyard_formats::decompress::Codec;

use super::compressed;
use crate::context::Context;

/// A Zstandard stream.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    compressed::expand(Codec::Zstd, data, context)
}
