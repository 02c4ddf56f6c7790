//! `POST /graphql`: the queries of MLflow's pages. Each field takes what the REST endpoint of its name takes.

use axum::Json as Body;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::{ParseError, check, execute, input, parser};
use crate::http::{ApiError, Identified, InWorkspace, Input, with_report};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    query: String,
    variables: Map<String, Json>,
    #[serde(rename = "operationName")]
    operation_name: String,
}

/// As MLflow has it: both members are always there, and errors are texts.
#[derive(Debug, Serialize)]
struct Answer {
    data: Option<Map<String, Json>>,
    errors: Option<Vec<String>>,
}

impl Answer {
    fn refused(message: String) -> Response {
        Body(Self { data: None, errors: Some(vec![message]) }).into_response()
    }
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    caller: Identified,
    Input(request): Input<Request>,
) -> Response {
    let operation = match operation(&request) {
        Ok(operation) => operation,
        Err(ParseError::Syntax(message)) => return ApiError::invalid(message).into_response(),
        Err(ParseError::TooMuch(message) | ParseError::Invalid(message)) => return Answer::refused(message),
    };
    let variables = match input::variables(&operation, request.variables) {
        Ok(variables) => variables,
        Err(error) => return Answer::refused(error.message().to_owned()),
    };
    let (data, errors) = execute::execute(&state, &caller, &operation, &variables).await;
    let texts: Vec<_> = errors.iter().map(|error| error.message().to_owned()).collect();
    let answer = Answer { data: Some(data), errors: (!texts.is_empty()).then_some(texts) };
    with_report(Body(answer).into_response(), errors)
}

/// The one operation that is asked for, checked.
fn operation(request: &Request) -> Result<super::document::Operation, ParseError> {
    let document = parser::parse(&request.query)?;
    check::bounds(&document.operations)?;
    let name = request.operation_name.as_str();
    let mut fitting =
        document.operations.into_iter().filter(|operation| name.is_empty() || operation.name.as_deref() == Some(name));
    match (fitting.next(), fitting.next()) {
        (Some(operation), None) => check::operation(operation),
        (Some(_), Some(_)) => Err(ParseError::Invalid("Must provide the name of one operation.".to_owned())),
        (None, _) => Err(ParseError::Invalid("There is no operation of that name.".to_owned())),
    }
}

/// A query, up to the operation that would be answered; for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_query(query: &str) {
    let request = Request { query: query.to_owned(), ..Request::default() };
    if let Ok(operation) = operation(&request) {
        let _ = input::variables(&operation, request.variables);
    }
}
