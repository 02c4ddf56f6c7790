mod add_evidence;
mod evidence;
mod file;
mod manifest;
mod set_alias;

use crate::http::Takes::{Edit, Read};
use crate::http::routes::{Routes, get, put};

pub(super) fn routes() -> Routes {
    Routes::new()
        .route("/models/{name}/versions/{version}/manifest", get(Read, manifest::handler))
        .route(
            "/models/{name}/versions/{version}/evidence",
            get(Read, evidence::handler).post(Edit, add_evidence::handler),
        )
        .route("/models/{name}/versions/{version}/files/{*path}", get(Read, file::handler))
        .route("/models/{name}/aliases/{alias}", put(Edit, set_alias::handler))
}
