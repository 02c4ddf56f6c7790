//! Searches compiled to SQL. Every value and every key is a bound parameter; the only text that comes into a statement
//! is written in this crate.

mod condition;
mod order;
mod statement;
mod target;

pub(crate) use statement::Statement;
pub(crate) use target::{EXPERIMENTS, LOGGED_MODELS, MODEL_VERSIONS, REGISTERED_MODELS, RUNS, Target};
