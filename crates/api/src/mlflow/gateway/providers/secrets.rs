//! `GET gateway/secrets/config`: that secrets can be kept, and that no key that everybody knows seals them.

use axum::Json;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    secrets_available: bool,
    using_default_passphrase: bool,
}

pub(super) async fn handler(Identified(_): Identified) -> Answer<Response> {
    // The vault's key is made at random at the first start; there is no default one.
    Ok(Json(Response { secrets_available: true, using_default_passphrase: false }))
}
