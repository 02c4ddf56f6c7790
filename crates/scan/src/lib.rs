//! What every scanner says and how it is said: findings, verdicts per subject, reports, rule metadata, thresholds and
//! renderers.
//!
//! A scanner is a crate with a [`rules!`] registry. Each rule is one file that holds its [`rule!`] metadata (the doc
//! comment in it *is* the rule's documentation) and a `check` function. This crate reads no file and decides nothing:
//! a gate consumes the [`Report`].
#![forbid(unsafe_code)]

mod accept;
mod fact;
mod finding;
pub mod render;
mod report;
mod rule;
mod threshold;

pub use accept::{AcceptError, Accepted, Baseline, BaselineFile, Exceptions, NOT_ASSESSED, accept};
pub use fact::{Fact, FactKind};
pub use finding::{Finding, Location};
pub use report::{NotAssessed, Report, SCHEMA, SubjectReport, Summary, Tool};
pub use rule::RuleMetadata;
pub use threshold::{Threshold, ThresholdError};
