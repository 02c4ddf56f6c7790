use sealyard_core::Timestamp;

/// One entry of the log.
pub use sealyard_ledger::Entry as LedgerEntry;

/// A signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRecord {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note as text.
    pub note: String,
    /// When it was signed.
    pub created: Timestamp,
}

/// What is looked for in the log. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LedgerQuery {
    /// Who.
    pub actor: Option<String>,
    /// To what, such as `experiment:7`.
    pub subject: Option<String>,
    /// By which rule it was refused.
    pub rule: Option<String>,
    /// What was done, such as `run-created`.
    pub act: Option<String>,
    /// `done`, `refused` or `failed`.
    pub outcome: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// After this place, in the order of the results: newest first.
    pub after: Option<LedgerPlace>,
    /// At most so many.
    pub limit: u32,
}

/// An entry's place in the order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LedgerPlace {
    /// What its event says.
    pub time: Timestamp,
    /// Its index.
    pub index: u64,
}
