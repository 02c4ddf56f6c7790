//! `POST /v1/traces`: spans by OTLP/HTTP, in protobuf or JSON, plain, gzip or deflate; `x-mlflow-experiment-id` says where to.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::HeaderName;
use http::header::CONTENT_TYPE;
use sealyard_app::AppError;
use sealyard_identity::{Edit, ServerWide};

use super::body::{Form, codec, form, spans};
use crate::http::{ApiError, ErrorCode, Identified, InWorkspace};

const EXPERIMENT: HeaderName = HeaderName::from_static("x-mlflow-experiment-id");

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    request: Request,
) -> Result<Response, ApiError> {
    let app = state.app();
    let (parts, body) = request.into_parts();
    let mut named = parts.headers.get_all(EXPERIMENT).iter();
    // One of them could be what is authorized, the other what is meant.
    let (experiment, None) = (named.next(), named.next()) else {
        return Err(ApiError::invalid("the request names more than one experiment"));
    };
    let Some(experiment) = experiment.and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty()) else {
        let message = format!("the header {EXPERIMENT} is missing");
        return Err(ApiError::new(ErrorCode::UnprocessableEntity, message));
    };
    let may = match app.authorize_experiment(&caller, Edit, experiment).await {
        // No experiment has such an id. Clients look for what is wrong with the rest first; but nothing is read of who may make
        // no experiment either.
        Err(error @ AppError::Invalid(_)) if app.may(&caller, Edit, ServerWide) => Err(error),
        may => Ok(may?),
    };
    let (form, codec) = (form(&parts.headers)?, codec(&parts.headers)?);
    let spans = spans(body, form, codec).await?;
    let _ = may?;
    // Once more: the body may have been long in coming.
    let may = app.authorize_experiment(&caller, Edit, experiment).await?;
    app.log_spans(&caller, &may, spans).await?;
    // An empty answer in protobuf is no bytes.
    Ok(match form {
        Form::Protobuf => ([(CONTENT_TYPE, "application/x-protobuf")], "").into_response(),
        Form::Json => ([(CONTENT_TYPE, "application/json")], "{}").into_response(),
    })
}
