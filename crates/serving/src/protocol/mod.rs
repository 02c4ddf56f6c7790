//! Scoring protocols as pure functions: a request's body in, status and body out. Routes are made elsewhere.

pub mod mlflow;
