use std::collections::BTreeMap;
use std::path::Path;

use sealyard_core::Digest;
use sealyard_store::StoreError;
use sealyard_store::import::{
    ImportSource, MetricPlace, SourceDataset, SourceExperiment, SourceIdentity, SourceIssue, SourceLoggedModel,
    SourceRegisteredModel, SourceRun, SourceScorer, SourceSpan, SourceTrace, SourceVersion, SourceWebhook,
};
use sealyard_store::model::{DatasetRecord, Metric};

use super::database::Database;
use super::postgres::Postgres;
use super::sqlite::Sqlite;
use crate::PostgresUrl;

/// Revisions of MLflow's schema from 3.0 to 3.18, in their order: those in which what is read here has the same meaning.
const REVISIONS: &[&str] = &[
    "6953534de441",
    "bda7b8c39065",
    "cbc13b556ace",
    "770bee3ae1dd",
    "a1b2c3d4e5f6",
    "de4033877273",
    "1a0cddfcaa16",
    "534353b11cbc",
    "71994744cf8e",
    "3da73c924c2f",
    "bf29a5ff90ea",
    "1bd49d398cd23",
    "b7c8d9e0f1a2",
    "5d2d30f0abce",
    "c9d4e5f6a7b8",
    "2c33131f4dae",
    "d3e4f5a6b7c8",
    "d0e1f2a3b4c5",
    "c8d9e0f1a2b3",
    "1b5f0d9ad7c1",
    "e1f2a3b4c5d6",
    "76601a5f987d",
    "c3d6457b6d8a",
    "a5b4c3d2e1f0",
    "ae8bbe7743c9",
    "7d34483879f0",
    "17e22815139b",
    "1971f2d9a75b",
    "6f8d9c3b2a1e",
    "75868b020152",
    "89d3d66ed43f",
    "8b6ad64cb8f5",
    "a8b9c0d1e2f3",
    "b7e2c1a4d9f3",
    "b7e4c1a90f23",
    "c1d2e3f4a5b6",
    "c3d9e7f1a2b4",
    "da6fb0208061",
    "dc11669786a5",
    "e7d1f4b2a9c6",
    "f4a9b2c7d1e6",
];

/// A tracking store and registry of MLflow 3.
#[derive(Debug)]
pub struct MlflowSource {
    pub(super) database: Box<dyn Database>,
    identity: SourceIdentity,
    /// Older schemas lack some.
    tables: Vec<String>,
    columns: BTreeMap<&'static str, Vec<String>>,
}

impl MlflowSource {
    /// Opens the SQLite database of an MLflow server.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for what is no such database, or one of a revision that is not known.
    pub fn open_sqlite(path: &Path) -> Result<Self, StoreError> {
        Self::new(Box::new(Sqlite::open(path)?))
    }

    /// Opens the PostgreSQL database of an MLflow server. It waits for the network.
    ///
    /// # Errors
    /// As [`Self::open_sqlite`]; [`StoreError::Unavailable`] when it can't be reached.
    pub fn open_postgres(url: &PostgresUrl) -> Result<Self, StoreError> {
        Self::new(Box::new(Postgres::open(url)?))
    }

    fn new(mut database: Box<dyn Database>) -> Result<Self, StoreError> {
        let tables = database.tables()?;
        let has = |name: &str| tables.iter().any(|table| table == name);
        if !has("alembic_version") || !has("experiments") {
            return Err(StoreError::Invalid("the source is no database of an MLflow server".into()));
        }
        let rows = database.rows("SELECT version_num FROM alembic_version", &[])?;
        let [row] = rows.as_slice() else {
            return Err(StoreError::Invalid("the source says more than one revision of its schema, or none".into()));
        };
        let schema = row.text(0)?;
        if !REVISIONS.contains(&schema.as_str()) {
            return Err(StoreError::Invalid(format!(
                "the source has the schema revision {:?}, which is not one of MLflow 3.0 to 3.18; with an MLflow of these, \
                 `mlflow db upgrade URI` brings an older store to it (on a copy, if in doubt)",
                schema.chars().take(40).collect::<String>()
            )));
        }
        // Older schemas have no workspaces.
        if has("workspaces") {
            for table in ["experiments", "registered_models", "evaluation_datasets", "webhooks"] {
                let others = database
                    .rows(&format!("SELECT workspace FROM {table} WHERE workspace <> 'default' LIMIT 1"), &[])?;
                if let Some(other) = others.first() {
                    return Err(StoreError::Invalid(format!(
                        "the source has the workspace {:?} beside the default one; workspaces can't be imported",
                        other.text(0)?
                    )));
                }
            }
        }
        let first = database.rows(
            "SELECT CAST(experiment_id AS BIGINT), CAST(creation_time AS BIGINT), artifact_location FROM experiments
             ORDER BY experiment_id LIMIT 1",
            &[],
        )?;
        let described = match first.first() {
            Some(row) => format!("{}\0{}\0{}", row.integer(0)?, row.integer(1)?, row.text(2)?),
            None => String::new(),
        };
        let fingerprint = Digest::of(format!("mlflow\0{described}").as_bytes()).to_string();
        Ok(Self { database, identity: SourceIdentity { fingerprint, schema }, tables, columns: BTreeMap::new() })
    }

    pub(super) fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|known| known == table)
    }

    /// Whether a table that is there has a column.
    pub(super) fn has_column(&mut self, table: &'static str, column: &str) -> Result<bool, StoreError> {
        if !self.columns.contains_key(table) {
            let columns = self.database.columns(table)?;
            self.columns.insert(table, columns);
        }
        Ok(self.columns.get(table).is_some_and(|columns| columns.iter().any(|known| known == column)))
    }

    /// `rows`, if each comes behind the one before it, and the first behind `after`. A database that a hostile hand wrote may hold
    /// what its columns' types do not say, and would give the same page for ever.
    fn in_order<T>(
        &self,
        rows: Vec<T>,
        begins: impl Fn(&T) -> bool,
        follows: impl Fn(&T, &T) -> bool,
    ) -> Result<Vec<T>, StoreError> {
        let ordered = rows.first().is_none_or(begins)
            && rows.windows(2).all(|pair| matches!(pair, [one, next] if follows(one, next)));
        if ordered || !self.database.is_loose() { Ok(rows) } else { Err(no_order()) }
    }
}

fn no_order() -> StoreError {
    StoreError::Invalid(
        "the source gives rows out of their order: a column holds what its type does not say".to_owned(),
    )
}

impl ImportSource for MlflowSource {
    fn identity(&mut self) -> Result<SourceIdentity, StoreError> {
        Ok(self.identity.clone())
    }

    fn tables(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let mut counted = Vec::new();
        for table in self.database.tables()? {
            // Names come from the source's own schema; one that would need quoting is none of MLflow's.
            if !table.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                continue;
            }
            let rows = self.database.rows(&format!("SELECT CAST(count(*) AS BIGINT) FROM \"{table}\""), &[])?;
            let count = rows.first().map_or(Ok(0), |row| row.integer(0))?;
            counted.push((table, u64::try_from(count).unwrap_or_default()));
        }
        Ok(counted)
    }

    fn experiments(&mut self) -> Result<Vec<SourceExperiment>, StoreError> {
        self.read_experiments()
    }

    fn runs(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRun>, StoreError> {
        let rows = self.read_runs(after, limit)?;
        self.in_order(rows, |row| after < row.id.as_str(), |one, next| one.id < next.id)
    }

    fn metric_keys(&mut self, run: &str) -> Result<Vec<String>, StoreError> {
        let rows =
            self.database.rows("SELECT DISTINCT key FROM metrics WHERE run_uuid = ?1 ORDER BY key", &[run.into()])?;
        rows.iter().map(|row| row.text(0)).collect()
    }

    fn metrics(
        &mut self,
        run: &str,
        key: &str,
        after: Option<MetricPlace>,
        limit: u32,
    ) -> Result<(Vec<Metric>, Option<MetricPlace>), StoreError> {
        let (metrics, place) = self.read_metrics(run, key, after, limit)?;
        let numbers = |place: MetricPlace| (place.step, place.timestamp, place.value, place.nan);
        let goes_on = match (after, place) {
            (Some(after), Some(place)) => numbers(place) > numbers(after),
            _ => true,
        };
        if goes_on { Ok((metrics, place)) } else { Err(no_order()) }
    }

    fn model_metrics(&mut self, run: &str) -> Result<Vec<Metric>, StoreError> {
        self.read_model_metrics(run)
    }

    fn logged_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceLoggedModel>, StoreError> {
        let rows = self.read_logged_models(after, limit)?;
        self.in_order(rows, |row| after < row.id.as_str(), |one, next| one.id < next.id)
    }

    fn registered_models(&mut self, after: &str, limit: u32) -> Result<Vec<SourceRegisteredModel>, StoreError> {
        let rows = self.read_registered_models(after, limit)?;
        self.in_order(rows, |row| after < row.name.as_str(), |one, next| one.name < next.name)
    }

    fn versions(&mut self, name: &str) -> Result<Vec<SourceVersion>, StoreError> {
        self.read_versions(name)
    }

    fn traces(&mut self, after: &str, limit: u32) -> Result<Vec<SourceTrace>, StoreError> {
        let rows = self.read_traces(after, limit)?;
        self.in_order(rows, |row| after < row.id.as_str(), |one, next| one.id < next.id)
    }

    fn span_sizes(&mut self, trace: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = self.read_span_sizes(trace, after, limit)?;
        self.in_order(rows, |(id, _)| after < id.as_str(), |(one, _), (next, _)| one < next)
    }

    fn spans(&mut self, trace: &str, ids: &[String]) -> Result<Vec<SourceSpan>, StoreError> {
        self.read_spans(trace, ids)
    }

    fn evaluation_datasets(&mut self, after: &str, limit: u32) -> Result<Vec<SourceDataset>, StoreError> {
        let rows = self.read_datasets(after, limit)?;
        self.in_order(rows, |row| after < row.dataset.id.as_str(), |one, next| one.dataset.id < next.dataset.id)
    }

    fn record_sizes(&mut self, dataset: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = self.read_record_sizes(dataset, after, limit)?;
        self.in_order(rows, |(id, _)| after < id.as_str(), |(one, _), (next, _)| one < next)
    }

    fn records(&mut self, dataset: &str, ids: &[String]) -> Result<Vec<DatasetRecord>, StoreError> {
        self.read_records(dataset, ids)
    }

    fn scorers(&mut self, after: &(String, u32), limit: u32) -> Result<Vec<SourceScorer>, StoreError> {
        let rows = self.read_scorers(after, limit)?;
        let place = |row: &SourceScorer| (row.id.clone(), row.version);
        self.in_order(rows, |row| *after < place(row), |one, next| place(one) < place(next))
    }

    fn issues(&mut self, after: &str, limit: u32) -> Result<Vec<SourceIssue>, StoreError> {
        let rows = self.read_issues(after, limit)?;
        self.in_order(rows, |row| after < row.id.as_str(), |one, next| one.id < next.id)
    }

    fn webhooks(&mut self, after: &str, limit: u32) -> Result<Vec<SourceWebhook>, StoreError> {
        let rows = self.read_webhooks(after, limit)?;
        self.in_order(rows, |row| after < row.id.as_str(), |one, next| one.id < next.id)
    }
}
