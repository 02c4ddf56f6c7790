use sealyard_core::ReadAt;

use super::json::Keys;
use super::mlmodel;
use crate::sink::Sink;

/// How much of a text is searched for the marks of a model.
const SEARCHED: u64 = 16 << 20;

/// Most text holds no model. An `MLmodel` file says which code loads one; some formats write models as text.
pub(super) fn inspect(path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    if mlmodel::is_named(path) {
        mlmodel::inspect(data, sink);
        return "mlmodel";
    }
    let length = usize::try_from(data.size().min(SEARCHED)).unwrap_or_default();
    let mut text = vec![0; length];
    if let Err(error) = data.read_exact_at(0, &mut text) {
        sink.miss(format!("could not be read: {error}"));
        return "text";
    }
    if let Some((kind, reason)) = model(&text) {
        sink.miss(reason);
        return kind;
    }
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("json") => "json",
        Some("yaml" | "yml") => "yaml",
        Some("csv") => "csv",
        Some("py") => "python",
        _ => "text",
    }
}

/// The kind of model that a text is, as far as its marks tell, and why it is not assessed.
fn model(text: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = String::from_utf8_lossy(text);
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let has = |mark: &str| text.contains(mark);
    if start.starts_with("<?xml") || start.starts_with("<PMML") || start.starts_with("<net ") || has("<!ENTITY") {
        return Some(("xml", "models in XML are not supported"));
    }
    if has("saved_model_schema_version") || has("meta_graphs {") || has("graph_def {") {
        return Some(("tensorflow", "TensorFlow graphs written as text are not supported"));
    }
    if !start.starts_with(['{', '[']) {
        return None;
    }
    let keys = Keys::of(start.as_bytes());
    if keys.is_keras() {
        return Some(("keras", "Keras models written as JSON are not supported"));
    }
    keys.names_code().then_some(("json", "it names Python code that is loaded with the model (auto_map)"))
}
