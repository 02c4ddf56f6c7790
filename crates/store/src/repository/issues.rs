use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{FoundIssue, Issue, IssueQuery, IssueUpdate};

type Result<T> = std::result::Result<T, StoreError>;

/// Issues of experiments.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Issues {
    fn create_issue(&mut self, new: &Issue) -> Result<()>;
    fn issue(&mut self, id: &str) -> Result<Option<Issue>>;
    /// Those of `ids` that are there, in this order.
    fn issues(&mut self, ids: &[&str]) -> Result<Vec<Issue>>;
    fn update_issue(&mut self, id: &str, update: &IssueUpdate, now: Timestamp) -> Result<Issue>;
    /// Most severe first, then the newest, then by id. Only where they are: what they hold may be much.
    fn search_issues(&mut self, query: &IssueQuery) -> Result<Vec<FoundIssue>>;
}
