//! Parsers of this crate for the fuzz targets in `fuzz/`; built only for them.

/// A body of JSON into the typed request of log-batch.
pub fn json_input(bytes: &[u8]) {
    crate::mlflow::fuzz_body(bytes);
}

/// Query parameters into a typed request.
pub fn query_input(text: &str) {
    crate::mlflow::fuzz_query(text);
}

/// A path of the artifact proxy; what it names, if it is one.
#[must_use]
pub fn artifact_path(raw: &str) -> Option<String> {
    crate::mlflow::decode_path(raw).ok().map(|path| path.to_string())
}
