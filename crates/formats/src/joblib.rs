//! joblib files: a pickle with raw arrays inline, whole or compressed.
//!
//! The arrays are the pickle machine's matter ([`crate::pickle::Options::joblib`]); here is the compression around it.

use std::borrow::Cow;

use crate::decompress::{Codec, ExpandEnd, expand};

/// The pickle inside a joblib file.
#[derive(Debug)]
pub struct Unwrapped<'a> {
    /// The pickle's bytes, up to where the compressed stream broke if it did.
    pub bytes: Cow<'a, [u8]>,
    /// The compression around it and how it ended.
    pub compression: Option<(Codec, ExpandEnd)>,
}

impl Unwrapped<'_> {
    /// Whether the pickle is there completely, with nothing behind the compressed stream.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.compression.as_ref().is_none_or(|(_, end)| *end == ExpandEnd::Complete)
    }
}

/// Takes the compression off, which joblib knows by the first bytes. At most `limit` bytes come out.
#[must_use]
pub fn unwrap(input: &[u8], limit: u64) -> Unwrapped<'_> {
    match Codec::of(input) {
        Some(codec) => {
            let expanded = expand(codec, input, limit);
            Unwrapped { bytes: Cow::Owned(expanded.bytes), compression: Some((codec, expanded.end)) }
        }
        None => Unwrapped { bytes: Cow::Borrowed(input), compression: None },
    }
}
