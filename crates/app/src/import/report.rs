use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use sealyard_store::StoreError;
use sealyard_store::import::{ImportSource, SourceIdentity};
use sealyard_store::model::ImportRefusal;
use serde::{Deserialize, Serialize};

/// What was not taken in, and which rule said so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Such as `runs:/<id>/model.pkl`.
    pub what: String,
    /// The rule.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// One kind of thing of one experiment (or of the registry) on both sides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
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
pub(super) type Checks = BTreeMap<String, BTreeMap<String, TableCheck>>;

/// What a comparison of both sides found, and when.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Verified {
    pub(super) at: Option<Timestamp>,
    pub(super) checks: Checks,
}

/// Refusals that are listed.
pub(super) const LISTED: u32 = 1000;

/// Refusals as the catalog has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Refusals {
    pub(super) first: Vec<ImportRefusal>,
    pub(super) count: u64,
}

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
    /// Each table of each experiment as both sides were compared, now or before; the registry and what belongs to no
    /// experiment stand under an empty name. Empty until they were.
    pub experiments: BTreeMap<String, BTreeMap<String, TableCheck>>,
    /// When they were compared.
    pub verified_at: Option<Timestamp>,
    /// What was refused; the first thousand.
    pub refused: Vec<Refused>,
    /// How many were refused.
    pub refusals: u64,
    /// Tables of the source that hold something which is not imported, and how many rows.
    pub not_imported: BTreeMap<String, u64>,
    /// What somebody has to do by hand.
    pub to_do: Vec<String>,
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
    "trace_info",
    "trace_tags",
    "trace_request_metadata",
    "trace_metrics",
    "spans",
    "span_metrics",
    "assessments",
    "entity_associations",
    "scorers",
    "scorer_versions",
    "evaluation_datasets",
    "evaluation_dataset_tags",
    "evaluation_dataset_records",
    "issues",
    "webhooks",
    "webhook_events",
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
            verified_at: None,
            refused: Vec::new(),
            refusals: 0,
            not_imported: BTreeMap::new(),
            to_do: Vec::new(),
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

    pub(super) fn new(
        identity: &SourceIdentity,
        tables: &[(String, u64)],
        verified: Verified,
        refusals: Refusals,
        finished: bool,
        already: bool,
    ) -> Self {
        let refused = refusals.first.into_iter();
        let webhooks = tables.iter().any(|(name, rows)| name == "webhooks" && *rows > 0);
        let mut to_do = Vec::new();
        if webhooks {
            to_do.push(
                "webhooks came without their secrets and are not active: give each a secret and turn it on".to_owned(),
            );
        }
        Self {
            finished,
            already,
            experiments: verified.checks,
            verified_at: verified.at,
            refused: refused.map(|one| Refused { what: one.what, rule: one.rule, reason: one.reason }).collect(),
            refusals: refusals.count,
            not_imported: split(tables).1,
            to_do,
            ..Self::empty(identity)
        }
    }

    /// Whether both sides were compared, and all of it is the same.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.verified_at.is_some() && self.experiments.values().flat_map(BTreeMap::values).all(|check| check.same)
    }
}
