use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::import::{ImportSource, SourceIdentity};
use serde::{Deserialize, Serialize};

use super::progress::{Phase, Place};

/// What was not taken in, and which rule said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Such as `runs:/<id>/model.pkl`.
    pub what: String,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// One kind of thing of one experiment (or of the registry) on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableCheck {
    /// How many the source has.
    pub source: u64,
    /// How many are here.
    pub target: u64,
    /// Whether number and content are the same.
    pub same: bool,
    /// How many were refused; these are no difference.
    pub refused: u64,
}

/// Tables by experiment; the registry stands under an empty id.
pub(super) type Checks = BTreeMap<String, BTreeMap<&'static str, TableCheck>>;

/// What became of an import.
#[derive(Debug, Clone, Serialize)]
pub struct ImportReport {
    /// Of this report's form.
    pub schema: &'static str,
    /// Fingerprint of the source.
    pub source: String,
    /// Its schema's revision.
    pub revision: String,
    /// Nothing was changed.
    pub dry_run: bool,
    /// It came to its end, now or before.
    pub finished: bool,
    /// It had come to its end before, and nothing was done.
    pub already: bool,
    /// Each table of each experiment; empty unless this very call verified.
    pub experiments: BTreeMap<String, BTreeMap<&'static str, TableCheck>>,
    /// What was refused; the first ten thousand.
    pub refused: Vec<Refused>,
    /// How many were refused.
    pub refusals: u64,
    /// Tables of the source that hold something which is not imported, and how many rows.
    pub not_imported: BTreeMap<String, u64>,
    /// In a dry run: tables that would be imported, and how many rows.
    pub would_import: BTreeMap<String, u64>,
}

/// Tables that are read.
const IMPORTED: &[&str] = &[
    "experiments",
    "experiment_tags",
    "runs",
    "params",
    "tags",
    "metrics",
    "latest_metrics",
    "datasets",
    "inputs",
    "input_tags",
    "logged_models",
    "logged_model_tags",
    "logged_model_params",
    "logged_model_metrics",
    "registered_models",
    "registered_model_tags",
    "registered_model_aliases",
    "model_versions",
    "model_version_tags",
];
/// Tables that hold nothing of a user's.
const MACHINERY: &[&str] = &["alembic_version", "workspaces"];

fn split(tables: &[(String, u64)]) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
    let filled = tables.iter().filter(|(name, rows)| *rows > 0 && !MACHINERY.contains(&name.as_str())).cloned();
    filled.partition(|(name, _)| IMPORTED.contains(&name.as_str()))
}

impl ImportReport {
    fn empty(identity: &SourceIdentity) -> Self {
        Self {
            schema: "sealyard.migrate/1",
            source: identity.fingerprint.clone(),
            revision: identity.schema.clone(),
            dry_run: false,
            finished: false,
            already: false,
            experiments: BTreeMap::new(),
            refused: Vec::new(),
            refusals: 0,
            not_imported: BTreeMap::new(),
            would_import: BTreeMap::new(),
        }
    }

    /// What there is to import, and what could not be. Touches nothing but the source.
    ///
    /// # Errors
    /// The source's own.
    pub fn dry_run(source: &mut dyn ImportSource) -> Result<Self, StoreError> {
        let identity = source.identity()?;
        let (would_import, not_imported) = split(&source.tables()?);
        Ok(Self { dry_run: true, would_import, not_imported, ..Self::empty(&identity) })
    }

    pub(super) fn already(identity: &SourceIdentity, place: &Place) -> Self {
        let refused = place.refused.clone();
        Self { finished: true, already: true, refused, refusals: place.refusals, ..Self::empty(identity) }
    }

    pub(super) fn new(identity: &SourceIdentity, place: &Place, tables: &[(String, u64)], experiments: Checks) -> Self {
        Self {
            finished: place.phase == Phase::Done,
            experiments,
            refused: place.refused.clone(),
            refusals: place.refusals,
            not_imported: split(tables).1,
            ..Self::empty(identity)
        }
    }

    /// Whether everything that was compared is the same.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.experiments.values().flat_map(BTreeMap::values).all(|check| check.same)
    }
}
