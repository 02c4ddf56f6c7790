//! `GET gateway/supported-models`: an empty list. The catalog of all providers' models changes by the week and is not part of
//! this server; any model's name can be given.

use axum::Json;
use serde::Serialize;

use crate::http::{Answer, Identified};

#[derive(Debug, Serialize)]
pub(super) struct Response {
    models: [&'static str; 0],
}

pub(super) async fn handler(Identified(_): Identified) -> Answer<Response> {
    Ok(Json(Response { models: [] }))
}
