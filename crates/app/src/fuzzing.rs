//! Parsers of this crate for the fuzz targets in `fuzz/`; built only for them.

use sealyard_formats::otlp::ExportedSpan;

use crate::NamedPart;

/// Page tokens of all kinds: `bytes` as what a client sent, and as what is inside of a token.
pub fn page_token(bytes: &[u8]) {
    crate::tracking::fuzz_token(bytes);
    crate::traces::fuzz_token(bytes);
    crate::evaluation_datasets::fuzz_token(bytes);
}

/// What the last request of an upload in parts says of them, and `bytes` as the capability for one.
pub fn named_parts(parts: &[NamedPart]) {
    crate::artifacts::fuzz_parts(parts);
}

/// The capability for a part.
pub fn capability(text: &str) {
    crate::artifacts::fuzz_capability(text);
}

/// A filter of traces.
pub fn trace_filter(text: &str) {
    crate::traces::fuzz_filter(text);
}

/// Keys of a search for traces.
pub fn trace_order(keys: &[String]) {
    crate::traces::fuzz_order(keys);
}

/// A filter of issues.
pub fn issue_filter(text: &str) {
    crate::tracking::fuzz_issue_filter(text);
}

/// Spans, up to what is written of them.
pub fn spans(exported: Vec<ExportedSpan>) {
    crate::traces::fuzz_spans(exported);
}
