//! OpenTelemetry's own endpoint.

mod body;
mod traces;

use crate::http::Takes::Edit;
use crate::http::routes::{Routes, post};

pub(super) fn routes() -> Routes {
    Routes::new().route("/v1/traces", post(Edit, traces::handler))
}
