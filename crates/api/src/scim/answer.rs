//! Answers and errors as RFC 7644 has them.

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use sealyard_app::{App, AppError, Caller, MayProvision};
use sealyard_identity::{Provision, UserDirectory};
use serde_json::{Value, json};

use crate::http::ApiError;

const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// An answer, or an error that says so in SCIM's words.
pub(super) type ScimAnswer = Result<Scim, ScimError>;

/// A resource, a list, or nothing.
#[derive(Debug)]
pub(super) struct Scim(pub(super) StatusCode, pub(super) Value);

impl IntoResponse for Scim {
    fn into_response(self) -> Response {
        let Self(status, value) = self;
        if status == StatusCode::NO_CONTENT {
            return status.into_response();
        }
        (status, [(header::CONTENT_TYPE, "application/scim+json")], value.to_string()).into_response()
    }
}

/// Why not.
#[derive(Debug)]
pub(super) enum ScimError {
    /// Said in SCIM's words: status, `scimType`, and why.
    Said(StatusCode, Option<&'static str>, String),
    /// What holds for every route: who may not, or something broke.
    Other(ApiError),
}

impl ScimError {
    pub(super) fn invalid(kind: &'static str, detail: impl Into<String>) -> Self {
        Self::Said(StatusCode::BAD_REQUEST, Some(kind), detail.into())
    }
}

impl From<AppError> for ScimError {
    fn from(error: AppError) -> Self {
        let detail = error.to_string();
        match error {
            AppError::NotFound { .. } | AppError::Missing(_) => Self::Said(StatusCode::NOT_FOUND, None, detail),
            AppError::AlreadyExists { .. } => Self::Said(StatusCode::CONFLICT, Some("uniqueness"), detail),
            AppError::Conflict(_) => Self::Said(StatusCode::CONFLICT, None, detail),
            AppError::Invalid(_) => Self::Said(StatusCode::BAD_REQUEST, Some("invalidValue"), detail),
            other => Self::Other(other.into()),
        }
    }
}

impl From<ApiError> for ScimError {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl IntoResponse for ScimError {
    fn into_response(self) -> Response {
        match self {
            Self::Other(error) => error.into_response(),
            Self::Said(status, kind, detail) => {
                let mut body = json!({"schemas": [ERROR], "status": status.as_str(), "detail": detail});
                if let (Some(kind), Some(body)) = (kind, body.as_object_mut()) {
                    body.insert("scimType".to_owned(), kind.into());
                }
                Scim(status, body).into_response()
            }
        }
    }
}

/// The proof of the right to provision.
pub(super) async fn may_provision(app: &App, caller: &Caller) -> Result<MayProvision, ScimError> {
    Ok(app.authorize(caller, Provision, UserDirectory).await?)
}
