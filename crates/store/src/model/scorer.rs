/// A version of a scorer: code or instructions that judge traces, as the client serialised them. The server never runs it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct ScorerVersion {
    /// The same for all versions.
    pub scorer_id: String,
    pub experiment_id: String,
    pub name: String,
    pub version: u32,
    /// JSON.
    pub serialized: String,
    /// Milliseconds since the epoch.
    pub created: i64,
}
