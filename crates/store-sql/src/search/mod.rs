//! Searches compiled to SQL. Every value and every key is a bound parameter; the only text that comes into a statement
//! is written in this crate.
//!
//! A page begins after the last thing of the one before, by the values that sort it ([`keys`]), never after a number of
//! rows: a deep page costs what the first one costs. There are three ways to find a page:
//!
//! - **few**: a condition that an index answers holds for few rows, as counting them up to [`FEW`] says. These are all looked
//!   at, and sorted.
//! - **walk** (runs only): an index has the rows in the asked order; they are looked at until the page is full. See [`walk`].
//! - **all**: whatever else is asked is left to the database's planner, and to the limit on the time of a read.
//!
//! What differs between databases is in [`Dialect`](crate::sql::Dialect): lists and LIKE.

mod condition;
mod few;
mod keys;
mod order;
mod query;
mod statement;
mod target;
mod walk;

#[cfg(test)]
mod tests;

pub(crate) use condition::compare_whole;
pub(crate) use query::{Scope, Search};
pub(crate) use statement::Statement;
pub(crate) use target::{
    EVALUATION_DATASETS, EXPERIMENTS, LOGGED_MODELS, MODEL_VERSIONS, REGISTERED_MODELS, RUNS, Target,
};

/// How many rows are looked at and sorted without a thought.
const FEW: i64 = 4000;

/// Texts of tags and parameters are indexed and sorted by so many characters; the migrations say the same.
const HEAD: usize = 200;
