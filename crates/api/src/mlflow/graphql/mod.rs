//! The part of GraphQL that MLflow's pages speak: a bounded parser, MLflow's schema, and fields that the REST endpoints
//! answer. No introspection, no fragments.

mod check;
mod document;
mod execute;
mod input;
mod lexer;
mod parser;
mod post;
mod resolve;
mod schema;

use crate::http::Takes::Somebody;
use crate::http::routes::{self, Routes};

pub(super) fn routes() -> Routes {
    Routes::new().route("/graphql", routes::post(Somebody, post::handler))
}

#[cfg(feature = "fuzzing")]
pub(crate) use post::fuzz_query;

/// Why a query is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ParseError {
    /// It is no query.
    Syntax(String),
    /// It asks for too much.
    TooMuch(String),
    /// It asks for what there is not.
    Invalid(String),
}

impl std::fmt::Display for ParseError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Syntax(message) | Self::TooMuch(message) | Self::Invalid(message) => f.write_str(message),
        }
    }
}
