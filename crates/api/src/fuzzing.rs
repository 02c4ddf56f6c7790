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

/// A request of an upload in parts: the folder in its URI, the part in the URI of another, its body. Gives the file that it is
/// about, if it is about one.
#[must_use]
pub fn parted_upload(folder: &str, part: &str, body: &[u8]) -> Option<String> {
    crate::mlflow::fuzz_parts(folder, part, body).map(|path| path.to_string())
}

/// The body of an OpenTelemetry export in protobuf or its JSON form, compressed or not, up to the spans that would be kept.
pub fn trace_export(bytes: &[u8], json: bool, codec: Option<sealyard_formats::decompress::Codec>) {
    crate::mlflow::fuzz_export(bytes, json, codec);
}

/// A query of GraphQL, up to the operation that would be answered.
pub fn graphql(query: &str) {
    crate::mlflow::fuzz_graphql(query);
}
