use sealyard_core::ReadAt;

use super::mlmodel;
use crate::sink::Sink;

/// Text holds no model; an `MLmodel` file says which code loads one.
pub(super) fn inspect(path: &str, data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    if mlmodel::is_named(path) {
        mlmodel::inspect(data, sink);
        return "mlmodel";
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
