//! OpenTelemetry's own endpoint.

mod body;
mod traces;

#[cfg(feature = "fuzzing")]
use sealyard_formats::decompress::Codec;

use crate::http::Takes::Edit;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/v1/traces", post(Edit, traces::handler))
}

/// A trace export's body, up to the spans that would be kept; for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_export(bytes: &[u8], json: bool, codec: Option<Codec>) {
    let form = if json { body::Form::Json } else { body::Form::Protobuf };
    if let Ok(spans) = body::read(bytes, form, codec) {
        sealyard_app::fuzzing::spans(spans);
    }
}
