//! `GET …/artifacts/<path>`: gives a file out, as bytes to be kept and never as a page to be shown.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use sealyard_app::Download;
use sealyard_identity::Read;

use super::location::Location;
use super::naming;
use crate::http::{ApiError, ApiState, Identified};

pub(super) async fn handler(
    State(state): State<ApiState>,
    Identified(caller): Identified,
    request: Request,
) -> Result<Response, ApiError> {
    let app = state.app();
    let location = Location::of_uri(app, &caller, request.uri()).await?;
    let may = app.authorize_experiment(&caller, Read, &location.experiment).await?;
    let path = location.file()?;
    let download = app.download(&caller, &may, &location.owner, path).await?;
    Ok(stream(download, path.file_name()))
}

/// The file as an answer. Its length is announced, so that one that ends early is a broken transfer to every client.
pub(crate) fn stream(download: Download, name: &str) -> Response {
    let Download { size, pieces, .. } = download;
    let pieces = unfold(pieces, |mut pieces| async move { pieces.recv().await.map(|piece| (piece, pieces)) });
    let headers = [
        (CONTENT_TYPE, naming::content_type(name).to_owned()),
        (CONTENT_LENGTH, size.to_string()),
        (CONTENT_DISPOSITION, naming::disposition(name)),
    ];
    (headers, Body::from_stream(pieces)).into_response()
}
