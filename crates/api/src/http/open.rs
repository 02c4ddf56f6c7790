use super::Takes::Nobody;
use super::routes::{Routes, get};

/// The routes that anybody may ask.
pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/health", get(Nobody, health))
        .route("/ping", get(Nobody, ping))
        .route("/version", get(Nobody, version))
}

async fn health() -> &'static str {
    "OK"
}

async fn ping() -> &'static str {
    "\n"
}

/// The version of MLflow whose protocol this server speaks: clients compare it with their own.
async fn version() -> &'static str {
    crate::mlflow::PROTOCOL_VERSION
}
