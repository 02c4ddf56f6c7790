//! MLflow's scoring server: `/invocations`, `/ping`, `/health` and `/version`.
//!
//! Nothing of a request is ever echoed: an error names columns of the signature and counts, never what was sent.

mod columns;
mod csv;
mod request;

use serde::Serialize;

use crate::ir::{EvaluateError, Prediction};
use crate::{Model, Runtime};

/// Bounds of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the body.
    pub body: usize,
    /// Rows.
    pub rows: usize,
    /// Columns of a row.
    pub columns: usize,
    /// Brackets inside each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 16 << 20, rows: 100_000, columns: 10_000, depth: 16 }
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Content type.
    pub content_type: &'static str,
    /// Body.
    pub body: Vec<u8>,
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// What was wrong with a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// No content type, or one that is not read.
    #[error("the content type must be application/json or text/csv")]
    ContentType,
    /// Over a bound.
    #[error("the request is over the bound on {what}: at most {limit} are allowed")]
    Bound {
        /// Which bound.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// Not JSON, not CSV, or not of the form that is asked for.
    #[error("{0}")]
    Malformed(&'static str),
    /// Columns of the signature that the request lacks.
    #[error("the request lacks columns of the model's signature: {}", .0.join(", "))]
    MissingColumns(Vec<String>),
    /// Another number of columns than the model takes.
    #[error("the model takes {expected} columns, a row has {found}")]
    Width {
        /// What the model takes.
        expected: usize,
        /// What was sent.
        found: usize,
    },
    /// A value that does not fit the column.
    #[error("row {row} of column {column} is not of type {expected}")]
    Type {
        /// The row, from 0.
        row: usize,
        /// The column's name in the signature, or its number.
        column: String,
        /// What the signature says.
        expected: &'static str,
    },
    /// A result that is not finite.
    #[error("a prediction is not a finite number")]
    NotFinite,
    /// The model needs its framework.
    #[error("the model can't be evaluated natively, and no worker is set up for it")]
    NotNative,
}

impl InvokeError {
    const fn status(&self) -> u16 {
        match self {
            Self::ContentType => 415,
            Self::Bound { what, .. } if what.eq_ignore_ascii_case("bytes") => 413,
            Self::NotNative => 501,
            _ => 400,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::MissingColumns(_) | Self::Width { .. } | Self::Type { .. } | Self::NotFinite => {
                "INVALID_PARAMETER_VALUE"
            }
            Self::NotNative => "NOT_IMPLEMENTED",
            _ => "BAD_REQUEST",
        }
    }
}

#[derive(Serialize)]
struct Answer {
    predictions: Vec<Prediction>,
}

#[derive(Serialize)]
struct Refusal {
    error_code: &'static str,
    message: String,
}

/// Answers `POST /invocations`.
#[must_use]
pub fn invoke(model: &Model, content_type: Option<&str>, body: &[u8], limits: &Limits) -> Response {
    match predict(model, content_type, body, limits) {
        Ok(predictions) => Response { status: 200, content_type: JSON, body: encode(&Answer { predictions }) },
        Err(error) => refuse(&error),
    }
}

/// Parses a request and evaluates it.
///
/// # Errors
/// [`InvokeError`].
pub fn predict(
    model: &Model,
    content_type: Option<&str>,
    body: &[u8],
    limits: &Limits,
) -> Result<Vec<Prediction>, InvokeError> {
    let table = request::parse(content_type, body, limits)?;
    let Runtime::Native { estimator, .. } = model.runtime() else { return Err(InvokeError::NotNative) };
    let rows = columns::arrange(&table, model.signature(), model.feature_names(), estimator.features())?;
    let one = |row: &Vec<f64>| {
        estimator.predict(row).map_err(|error| match error {
            EvaluateError::Features { expected, found } => InvokeError::Width { expected, found },
            EvaluateError::NotFinite => InvokeError::NotFinite,
        })
    };
    rows.iter().map(one).collect()
}

/// The answer to a request that is refused.
#[must_use]
pub fn refuse(error: &InvokeError) -> Response {
    let body = encode(&Refusal { error_code: error.code(), message: error.to_string() });
    Response { status: error.status(), content_type: JSON, body }
}

/// Answers `GET /ping` and `GET /health`.
#[must_use]
pub fn ping() -> Response {
    Response { status: 200, content_type: TEXT, body: b"\n".to_vec() }
}

/// Answers `GET /version` with the MLflow version that is spoken.
#[must_use]
pub fn version() -> Response {
    Response { status: 200, content_type: TEXT, body: MLFLOW_VERSION.as_bytes().to_vec() }
}

/// The version of MLflow whose scoring protocol this is.
pub const MLFLOW_VERSION: &str = "3.6.0";

/// Answers hold only strings and numbers that were checked to be finite, which always can be written.
fn encode(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
