mod info;
mod ui_telemetry;
mod ui_telemetry_post;

use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/server-info", get(Somebody, info::handler))
        .route("/ui-telemetry", get(Somebody, ui_telemetry::handler).post(Somebody, ui_telemetry_post::handler))
}
