mod config;
mod models;
mod secrets;
mod supported;

use crate::http::Takes::Somebody;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/gateway/supported-providers", get(Somebody, supported::handler))
        .route("/gateway/supported-models", get(Somebody, models::handler))
        .route("/gateway/provider-config", get(Somebody, config::handler))
        .route("/gateway/secrets/config", get(Somebody, secrets::handler))
}
