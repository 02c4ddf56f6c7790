use sealyard_core::Timestamp;

/// Something that was found wrong in an experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct Issue {
    /// `iss-` and 32 lower-case hex digits.
    pub id: String,
    pub experiment_id: String,
    pub name: String,
    pub description: String,
    pub status: String,
    /// Its rank from 0, the least; `None` when nobody said.
    pub severity: Option<u8>,
    pub root_causes: Vec<String>,
    pub categories: Vec<String>,
    pub source_run_id: Option<String>,
    /// Who found it, as the client says; never used to decide anything.
    pub said_by: Option<String>,
    /// The authenticated principal that wrote it down.
    pub created_by: String,
    pub created: Timestamp,
    pub updated: Timestamp,
}

/// Changes to an issue; `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct IssueUpdate {
    pub name: Option<String>,
    pub description: Option<String>,
    pub status: Option<String>,
    pub severity: Option<u8>,
}

/// The place of an issue in the order of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuePlace {
    /// Its severity.
    pub severity: Option<u8>,
    /// When it was written down.
    pub created: Timestamp,
    /// Its id.
    pub id: String,
}

/// An issue that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundIssue {
    /// Where it stands.
    pub place: IssuePlace,
    /// The experiment that it is of.
    pub experiment_id: String,
}

/// A search for issues.
#[derive(Debug, Clone, Default)]
pub struct IssueQuery {
    /// In this experiment only.
    pub experiment: Option<String>,
    /// With or without these states: the text, and whether it must be that one.
    pub status: Vec<(String, bool)>,
    /// Of this run, or of another one or none: the id, and whether it must be that one.
    pub source_run: Vec<(String, bool)>,
    /// Those behind this place only.
    pub after: Option<IssuePlace>,
    /// At most so many.
    pub limit: u32,
}

impl Issue {
    /// Where it stands: most severe first, then the newest.
    #[must_use]
    pub fn place(&self) -> IssuePlace {
        IssuePlace { severity: self.severity, created: self.created, id: self.id.clone() }
    }
}
