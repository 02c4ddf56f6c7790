//! `POST …/mpu/create/<folder>`: begins an upload in parts; the answer has a URL of this server and a capability for each.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{FromRequest as _, Request as HttpRequest};
use http::header;
use sealyard_identity::Edit;
use serde::{Deserialize, Serialize};

use super::super::location::Location;
use super::{CAPABILITY, file};
use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer, required};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    pub(super) path: String,
    num_parts: Option<Integer>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    upload_id: String,
    credentials: Vec<Credential>,
}

#[derive(Debug, Serialize)]
struct Credential {
    url: String,
    part_number: u32,
    headers: BTreeMap<&'static str, String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: HttpRequest,
) -> Answer<Response> {
    let app = state.app();
    let location = Location::of_folder(app, &caller, request.uri(), "create").await?;
    let (owner, may) = location.authorize(app, &caller, Edit).await?;
    // The name that the client knows this server by was checked already.
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok().map(str::to_owned));
    let host = host.or_else(|| request.uri().authority().map(ToString::to_string));
    let host = host.ok_or_else(|| ApiError::invalid("the request names no host"))?;
    let root = if request.uri().path().starts_with("/ajax-api/") { "/ajax-api" } else { "/api" };
    let root = root.to_owned();
    let Input(request) = Input::<Request>::from_request(request, &state).await?;
    let path = file(app, &caller, &location, required("path", &request.path)?).await?;
    let parts = request.num_parts.map_or(1, |number| number.0);
    let parts = u32::try_from(parts).map_err(|_| ApiError::invalid("num_parts is out of range"))?;
    let begun = app.begin_parted_upload(&caller, may.proof(), owner, path, parts).await?;
    let scheme = state.config().scheme();
    let credential = |(part_number, capability): (u32, String)| Credential {
        url: format!("{scheme}://{host}{root}/2.0/mlflow-artifacts/mpu/parts/{}/{part_number}", begun.id),
        part_number,
        headers: BTreeMap::from([(CAPABILITY, capability)]),
    };
    let credentials = (1..).zip(begun.capabilities).map(credential).collect();
    Ok(Json(Response { upload_id: begun.id.clone(), credentials }))
}
