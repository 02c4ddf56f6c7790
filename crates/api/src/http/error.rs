use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use sealyard_app::AppError;
use sealyard_core::with_causes;
use sealyard_store::StoreError;
use serde::Serialize;

use super::counting::VaultFailed;

/// MLflow's error codes, each with the HTTP status that its clients expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
#[non_exhaustive]
pub enum ErrorCode {
    BadRequest,
    InvalidParameterValue,
    /// As FastAPI, in which MLflow's server takes traces, answers what it can read and not use.
    UnprocessableEntity,
    ResourceAlreadyExists,
    Unauthenticated,
    PermissionDenied,
    ResourceDoesNotExist,
    EndpointNotFound,
    MethodNotAllowed,
    RequestLimitExceeded,
    InternalError,
    NotImplemented,
    TemporarilyUnavailable,
    FeatureDisabled,
    InvalidState,
}

impl ErrorCode {
    /// As it stands in an answer.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadRequest => "BAD_REQUEST",
            Self::InvalidParameterValue => "INVALID_PARAMETER_VALUE",
            Self::UnprocessableEntity => "UNPROCESSABLE_ENTITY",
            Self::ResourceAlreadyExists => "RESOURCE_ALREADY_EXISTS",
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceDoesNotExist => "RESOURCE_DOES_NOT_EXIST",
            Self::EndpointNotFound | Self::MethodNotAllowed => "ENDPOINT_NOT_FOUND",
            Self::RequestLimitExceeded => "REQUEST_LIMIT_EXCEEDED",
            Self::InternalError => "INTERNAL_ERROR",
            Self::NotImplemented => "NOT_IMPLEMENTED",
            Self::TemporarilyUnavailable => "TEMPORARILY_UNAVAILABLE",
            Self::FeatureDisabled => "FEATURE_DISABLED",
            Self::InvalidState => "INVALID_STATE",
        }
    }

    /// Its HTTP status.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest
            | Self::InvalidParameterValue
            | Self::ResourceAlreadyExists
            | Self::FeatureDisabled
            // MLflow says 500, which its clients try again; nothing gets better by that.
            | Self::InvalidState => StatusCode::BAD_REQUEST,
            Self::UnprocessableEntity => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::PermissionDenied => StatusCode::FORBIDDEN,
            Self::ResourceDoesNotExist | Self::EndpointNotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RequestLimitExceeded => StatusCode::TOO_MANY_REQUESTS,
            Self::InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            Self::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            Self::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An answer that is an error: `{"error_code","message"}`, with the rules that refused where rules did.
///
/// What an internal error is about goes to the log under the request's id; the caller learns only that id, which is in
/// the `X-Request-Id` header.
#[derive(Debug)]
pub struct ApiError {
    code: ErrorCode,
    message: String,
    details: Box<Details>,
}

#[derive(Debug, Default)]
struct Details {
    rules: Vec<String>,
    retry_after: Option<u64>,
    decision: Option<serde_json::Value>,
    /// For the log only.
    internal: Option<String>,
    /// Whether the store of artifacts is to blame, which is counted.
    vault: bool,
}

impl ApiError {
    /// An error whose message the caller may read.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Box::default() }
    }

    fn with(code: ErrorCode, message: impl Into<String>, details: Details) -> Self {
        Self { code, message: message.into(), details: Box::new(details) }
    }

    /// The request makes no sense.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParameterValue, message)
    }

    /// Something broke; `what` is for the log.
    pub fn internal(what: impl Into<String>) -> Self {
        let message = "an internal error; the server's log has it under the id in X-Request-Id";
        Self::with(ErrorCode::InternalError, message, Details { internal: Some(what.into()), ..Details::default() })
    }

    /// A refusal by a rule of this crate.
    pub fn refused(code: ErrorCode, rule: &str, reason: impl std::fmt::Display) -> Self {
        let details = Details { rules: vec![rule.to_owned()], ..Details::default() };
        Self::with(code, format!("refused by {rule}: {reason}"), details)
    }

    /// With the seconds after which it may go better.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.details.retry_after = Some(seconds);
        self
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// A refusal by a rule whose message is not its own.
    pub(crate) fn named(code: ErrorCode, rule: &str, message: String) -> Self {
        Self::with(code, message, Details { rules: vec![rule.to_owned()], ..Details::default() })
    }

    /// Its code.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.code
    }
}

/// Whether a disk without room is behind it, wherever it was met.
fn is_full(error: &AppError) -> bool {
    matches!(error, AppError::Store(StoreError::Full)) || is_caused_by_full(error)
}

fn is_caused_by_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<StoreError>().is_some_and(|error| matches!(error, StoreError::Full)) {
            return true;
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            // What an I/O error wraps is not among its causes; only the causes of that are.
            let wraps_full = error.get_ref().is_some_and(|inner| is_caused_by_full(inner));
            if matches!(error.kind(), StorageFull | QuotaExceeded) || wraps_full {
                return true;
            }
        }
        cause = error.source();
    }
    false
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let vault = matches!(error, AppError::Vault(_));
        let mut made = Self::of(error);
        made.details.vault = vault;
        made
    }
}

impl ApiError {
    fn of(error: AppError) -> Self {
        let rules = error.rules();
        let code = match &error {
            AppError::Unauthenticated => ErrorCode::Unauthenticated,
            AppError::Throttled(_) | AppError::TooOften(_) => ErrorCode::RequestLimitExceeded,
            AppError::Denied { .. } | AppError::GateDenied(_) => ErrorCode::PermissionDenied,
            AppError::Refused { .. }
            | AppError::Conflict(_)
            | AppError::Invalid(_)
            | AppError::Unsatisfiable { .. } => ErrorCode::InvalidParameterValue,
            AppError::NotFound { .. } | AppError::Missing(_) => ErrorCode::ResourceDoesNotExist,
            AppError::AlreadyExists { .. } => ErrorCode::ResourceAlreadyExists,
            // Bytes that are not what was put in are refused, not retried: clients repeat a 5xx for minutes.
            AppError::Vault(_) if !rules.is_empty() => {
                let reason = "the stored bytes are not what was put in";
                let message = format!("refused by {}: {reason}", rules.join(", "));
                let details = Details { rules, internal: Some(with_causes(&error)), ..Details::default() };
                return Self::with(ErrorCode::PermissionDenied, message, details);
            }
            // Clients try a 503 again, and it may go better then.
            AppError::Vault(vault) if vault.is_unavailable() || vault.is_full() => {
                let what = if vault.is_full() { "is full" } else { "does not answer" };
                let message = format!("the artifact storage {what}; try again later");
                let details =
                    Details { retry_after: Some(5), internal: Some(with_causes(&error)), ..Details::default() };
                return Self::with(ErrorCode::TemporarilyUnavailable, message, details);
            }
            AppError::Unavailable(_) => {
                let message = "somebody whom the server has to ask does not answer; try again later";
                let details =
                    Details { retry_after: Some(5), internal: Some(with_causes(&error)), ..Details::default() };
                return Self::with(ErrorCode::TemporarilyUnavailable, message, details);
            }
            AppError::Store(StoreError::Busy) => {
                let details = Details { retry_after: Some(1), ..Details::default() };
                return Self::with(ErrorCode::TemporarilyUnavailable, "the server is busy; try again", details);
            }
            AppError::Store(StoreError::Unavailable) => {
                let details = Details { retry_after: Some(1), ..Details::default() };
                return Self::with(
                    ErrorCode::TemporarilyUnavailable,
                    "the server's database is away; try again",
                    details,
                );
            }
            _ if is_full(&error) => {
                let details =
                    Details { retry_after: Some(5), internal: Some(with_causes(&error)), ..Details::default() };
                let message = "the server's disk is full; nothing of this was written; try again later";
                return Self::with(ErrorCode::TemporarilyUnavailable, message, details);
            }
            AppError::Store(StoreError::TooLong) => {
                return Self::invalid("the search took too long; narrow it down or ask for smaller pages");
            }
            _ => return Self::internal(with_causes(&error)),
        };
        let retry_after = match &error {
            AppError::Throttled(seconds) | AppError::TooOften(seconds) => Some(*seconds),
            _ => None,
        };
        let decision =
            if let AppError::GateDenied(decision) = &error { serde_json::to_value(decision).ok() } else { None };
        Self::with(code, error.to_string(), Details { rules, retry_after, decision, ..Details::default() })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error_code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    rules: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: &'a Option<serde_json::Value>,
}

/// What the log shall say of an answer; carried to where the request's id is known.
#[derive(Debug, Clone)]
pub(super) struct Unreported(pub(super) String);

/// An answer that tells of errors in its own way; what is inside of them goes to the log all the same.
pub(crate) fn with_report(mut response: Response, errors: Vec<ApiError>) -> Response {
    let internal: Vec<_> = errors.into_iter().filter_map(|error| error.details.internal).collect();
    if !internal.is_empty() {
        response.extensions_mut().insert(Unreported(internal.join("; ")));
    }
    response
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let Self { code, message, details } = self;
        let Details { rules, retry_after, decision, internal, vault } = *details;
        let body = Body { error_code: code.as_str(), message: &message, rules: &rules, decision: &decision };
        let mut response = (code.status(), Json(&body)).into_response();
        if code == ErrorCode::Unauthenticated {
            let challenge = HeaderValue::from_static("Basic realm=\"sealyard\", charset=\"UTF-8\"");
            response.headers_mut().append(header::WWW_AUTHENTICATE, challenge);
            response
                .headers_mut()
                .append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"sealyard\""));
        }
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(internal) = internal {
            response.extensions_mut().insert(Unreported(internal));
        }
        if vault {
            response.extensions_mut().insert(VaultFailed);
        }
        response
    }
}

/// Any path that is no endpoint.
pub async fn not_found() -> ApiError {
    ApiError::new(ErrorCode::EndpointNotFound, "there is no such endpoint")
}

/// An endpoint, but not with this method.
pub async fn method_not_allowed() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "this endpoint does not take that method")
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn an_internal_error_says_nothing_of_itself() {
        let source = std::io::Error::other("/var/lib/secret is full");
        let error = AppError::Internal { what: "the disk", source: Box::new(source) };
        let response = ApiError::from(error).into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let unreported = response.extensions().get::<Unreported>().unwrap().0.clone();
        assert!(unreported.contains("/var/lib/secret is full"));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        assert!(!body.contains("secret") && !body.contains("disk"), "{body}");
    }

    #[test]
    fn a_full_disk_is_to_be_tried_again() {
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        for error in [
            AppError::Store(StoreError::Full),
            AppError::Internal { what: "the vault could not be written", source: Box::new(full()) },
            AppError::Internal { what: "x", source: Box::new(std::io::Error::other(full())) },
        ] {
            let error = ApiError::from(error);
            assert_eq!((error.code(), error.details.retry_after), (ErrorCode::TemporarilyUnavailable, Some(5)));
        }
        let error = AppError::Internal { what: "x", source: Box::new(std::io::Error::other("x")) };
        assert_eq!(ApiError::from(error).code(), ErrorCode::InternalError);
    }

    #[test]
    fn a_refusal_names_its_rule() {
        let error = AppError::Refused { rule: "artifact.path".into(), reason: "it steps up".into() };
        let error = ApiError::from(error);
        assert_eq!(error.code(), ErrorCode::InvalidParameterValue);
        assert!(error.message.contains("artifact.path") && error.message.contains("it steps up"));
    }
}
