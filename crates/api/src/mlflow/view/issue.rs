use sealyard_app::SEVERITIES;
use sealyard_store::model::Issue;
use serde::Serialize;

/// An issue of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct IssueView {
    issue_id: String,
    experiment_id: String,
    name: String,
    description: String,
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    root_causes: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_run_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    created_timestamp: i64,
    last_updated_timestamp: i64,
}

impl From<Issue> for IssueView {
    fn from(issue: Issue) -> Self {
        Self {
            issue_id: issue.id,
            experiment_id: issue.experiment_id,
            name: issue.name,
            description: issue.description,
            status: issue.status,
            severity: issue.severity.and_then(|rank| SEVERITIES.get(usize::from(rank)).copied()),
            root_causes: issue.root_causes,
            categories: issue.categories,
            source_run_id: issue.source_run_id,
            created_by: issue.said_by,
            created_timestamp: issue.created.as_millis(),
            last_updated_timestamp: issue.updated.as_millis(),
        }
    }
}
