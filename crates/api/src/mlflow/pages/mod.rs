//! What MLflow's pages ask for below no root.

mod get_artifact;
mod get_version_artifact;

use crate::http::Takes::Read;
use crate::http::routes::{Routes, get};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/get-artifact", get(Read, get_artifact::handler))
        .route("/model-versions/get-artifact", get(Read, get_version_artifact::handler))
        // Some join it with two slashes, which MLflow's own server takes for one.
        .route("//model-versions/get-artifact", get(Read, get_version_artifact::handler))
}
