use std::collections::BTreeMap;

use sealyard_store::StoreError;
use sealyard_store::import::{SourceAssessment, SourceSpan, SourceTrace};
use sealyard_store::model::{Assessment, AssessmentKind, Measure, Pair, TraceState};

use super::database::{Cell, Cells};
use super::source::MlflowSource;
use super::tracking::list;

type Result<T> = std::result::Result<T, StoreError>;

/// Rows that belong to the traces of a page, of one kind; more than anybody's have.
const MOST_ROWS: i64 = 100_000;
/// Bytes of a text of an assessment. One with more is given without it, and marked.
const MOST_BYTES: u32 = 1024 * 1024;

impl MlflowSource {
    pub(super) fn read_traces(&mut self, after: &str, limit: u32) -> Result<Vec<SourceTrace>> {
        if !self.has("trace_info") {
            return Ok(Vec::new());
        }
        // Columns that came with 3.0's second schema.
        let mut newer = Vec::new();
        for column in ["client_request_id", "request_preview", "response_preview"] {
            let there = self.has_column("trace_info", column)?;
            newer.push(if there { format!("substr({column}, 1, 10000)") } else { "NULL".to_owned() });
        }
        let sql = format!(
            "SELECT request_id, CAST(experiment_id AS BIGINT), CAST(timestamp_ms AS BIGINT), CAST(execution_time_ms AS BIGINT),
                 status, {} FROM trace_info WHERE request_id > ?1 ORDER BY request_id LIMIT ?2",
            newer.join(", ")
        );
        let rows = self.database.rows(&sql, &[after.into(), i64::from(limit).into()])?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let ids: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut tags = self.pairs_of_traces("trace_tags", &ids)?;
        let mut metadata = self.pairs_of_traces("trace_request_metadata", &ids)?;
        let mut metrics = self.metrics_of_traces(&ids)?;
        let mut assessments = self.assessments_of_traces(&ids)?;
        let mut runs = self.links_of_traces("run", &ids)?;
        let mut prompts = self.links_of_traces("prompt_version", &ids)?;
        rows.iter()
            .map(|row| {
                let id = row.text(0)?;
                Ok(SourceTrace {
                    experiment: row.integer(1)?,
                    started: row.integer(2)?,
                    duration: row.optional_integer(3)?,
                    state: TraceState::from_text(&row.text(4)?).unwrap_or(TraceState::Unspecified),
                    client_request_id: row.optional_text(5)?,
                    request_preview: row.optional_text(6)?,
                    response_preview: row.optional_text(7)?,
                    tags: tags.remove(&id).unwrap_or_default(),
                    metadata: metadata.remove(&id).unwrap_or_default(),
                    metrics: metrics.remove(&id).unwrap_or_default(),
                    assessments: assessments.remove(&id).unwrap_or_default(),
                    runs: runs.remove(&id).unwrap_or_default(),
                    prompts: prompts.remove(&id).unwrap_or_default(),
                    id,
                })
            })
            .collect()
    }

    /// The rows of a statement about the traces of a page. Too many are an error: half of them would be no trace.
    fn rows_of_traces(&mut self, sql: &str, ids: &[Cell]) -> Result<Vec<Cells>> {
        let rows = self.database.rows(&format!("{sql} LIMIT {}", MOST_ROWS + 1), ids)?;
        if rows.len() as i64 > MOST_ROWS {
            return Err(StoreError::Invalid(format!(
                "the source has more than {MOST_ROWS} tags, metadata or assessments of {} traces",
                ids.len()
            )));
        }
        Ok(rows)
    }

    fn pairs_of_traces(&mut self, table: &str, ids: &[Cell]) -> Result<BTreeMap<String, Vec<Pair>>> {
        let sql = format!(
            "SELECT request_id, substr(key, 1, 300), substr(value, 1, 8000) FROM {table} WHERE request_id IN {}
             ORDER BY request_id, key",
            list(ids.len())
        );
        let mut found: BTreeMap<String, Vec<Pair>> = BTreeMap::new();
        for row in self.rows_of_traces(&sql, ids)? {
            found.entry(row.text(0)?).or_default().push(Pair::new(row.text(1)?, row.text(2)?));
        }
        Ok(found)
    }

    fn metrics_of_traces(&mut self, ids: &[Cell]) -> Result<BTreeMap<String, Vec<Measure>>> {
        if !self.has("trace_metrics") {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT request_id, substr(key, 1, 300), CAST(value AS DOUBLE PRECISION) FROM trace_metrics
             WHERE value IS NOT NULL AND request_id IN {} ORDER BY request_id, key",
            list(ids.len())
        );
        let mut found: BTreeMap<String, Vec<Measure>> = BTreeMap::new();
        for row in self.rows_of_traces(&sql, ids)? {
            let Some(value) = row.real(2)? else { continue };
            found.entry(row.text(0)?).or_default().push(Measure { key: row.text(1)?, value });
        }
        Ok(found)
    }

    fn links_of_traces(&mut self, kind: &str, ids: &[Cell]) -> Result<BTreeMap<String, Vec<String>>> {
        if !self.has("entity_associations") {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT source_id, substr(destination_id, 1, 300) FROM entity_associations
             WHERE source_type = 'trace' AND destination_type = '{kind}' AND source_id IN {} ORDER BY source_id, destination_id",
            list(ids.len())
        );
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.rows_of_traces(&sql, ids)? {
            found.entry(row.text(0)?).or_default().push(row.text(1)?);
        }
        Ok(found)
    }

    fn assessments_of_traces(&mut self, ids: &[Cell]) -> Result<BTreeMap<String, Vec<SourceAssessment>>> {
        if !self.has("assessments") {
            return Ok(BTreeMap::new());
        }
        let sql = format!(
            "SELECT trace_id, assessment_id, name, assessment_type, {}, {}, CAST(created_timestamp AS BIGINT),
                 CAST(last_updated_timestamp AS BIGINT), source_type, source_id, run_id, span_id, {}, overrides,
                 CASE WHEN valid THEN 1 ELSE 0 END, {}, {}
             FROM assessments WHERE trace_id IN {} ORDER BY trace_id, created_timestamp, assessment_id",
            bounded("value", MOST_BYTES),
            bounded("error", MOST_BYTES),
            bounded("rationale", MOST_BYTES),
            bounded("assessment_metadata", MOST_BYTES),
            too_large(&["value", "error", "rationale", "assessment_metadata"], MOST_BYTES),
            list(ids.len())
        );
        let mut found: BTreeMap<String, Vec<SourceAssessment>> = BTreeMap::new();
        for row in self.rows_of_traces(&sql, ids)? {
            let (trace_id, id) = (row.text(0)?, row.text(1)?);
            let assessment = match AssessmentKind::from_text(&row.text(3)?) {
                None => None,
                Some(kind) => Some(Assessment {
                    id: id.clone(),
                    trace_id: trace_id.clone(),
                    name: row.text(2)?,
                    kind,
                    value: row.text(4)?,
                    error: row.optional_text(5)?,
                    created: row.integer(6)?,
                    updated: row.integer(7)?,
                    source_type: row.text(8)?,
                    source_id: row.optional_text(9)?,
                    run_id: row.optional_text(10)?,
                    span_id: row.optional_text(11)?,
                    rationale: row.optional_text(12)?,
                    overrides: row.optional_text(13)?.filter(|id| !id.is_empty()),
                    valid: row.integer(14)? != 0,
                    metadata: Vec::new(),
                    created_by: "system".to_owned(),
                }),
            };
            found.entry(trace_id).or_default().push(SourceAssessment {
                assessment,
                id,
                metadata: row.optional_text(15)?,
                too_large: row.integer(16)? != 0,
            });
        }
        Ok(found)
    }

    pub(super) fn read_span_sizes(&mut self, trace: &str, after: &str, limit: u32) -> Result<Vec<(String, u64)>> {
        if !self.has("spans") {
            return Ok(Vec::new());
        }
        let rows = self.database.rows(
            "SELECT span_id, CAST(octet_length(content) AS BIGINT) FROM spans
             WHERE trace_id = ?1 AND span_id > ?2 ORDER BY span_id LIMIT ?3",
            &[trace.into(), after.into(), i64::from(limit).into()],
        )?;
        rows.iter().map(sized).collect()
    }

    pub(super) fn read_spans(&mut self, trace: &str, ids: &[String]) -> Result<Vec<SourceSpan>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let sql = format!(
            "SELECT span_id, parent_span_id, substr(name, 1, 1000), type, status, CAST(start_time_unix_nano AS BIGINT),
                 CAST(end_time_unix_nano AS BIGINT), content
             FROM spans WHERE span_id IN {} AND trace_id = ?{} ORDER BY span_id",
            list(ids.len()),
            ids.len() + 1
        );
        let parameters: Vec<Cell> = ids.iter().map(String::as_str).chain([trace]).map(Cell::from).collect();
        let rows = self.database.rows(&sql, &parameters)?;
        rows.iter()
            .map(|row| {
                Ok(SourceSpan {
                    id: row.text(0)?,
                    parent: row.optional_text(1)?.filter(|id| !id.is_empty()),
                    name: row.text(2)?,
                    kind: row.optional_text(3)?,
                    status: row.text(4)?,
                    started: row.integer(5)?,
                    ended: row.optional_integer(6)?,
                    content: row.text(7)?,
                })
            })
            .collect()
    }
}

/// A text that is given whole or not at all; [`too_large`] tells NULL from too much.
pub(super) fn bounded(column: &str, most: u32) -> String {
    format!("CASE WHEN octet_length({column}) <= {most} THEN {column} END")
}

/// 1 for a row of which [`bounded`] keeps something back.
pub(super) fn too_large(columns: &[&str], most: u32) -> String {
    let each: Vec<String> = columns.iter().map(|column| format!("octet_length({column}) > {most}")).collect();
    format!("CASE WHEN {} THEN 1 ELSE 0 END", each.join(" OR "))
}

/// An id and how many bytes are behind it.
pub(super) fn sized(row: &Cells) -> Result<(String, u64)> {
    Ok((row.text(0)?, u64::try_from(row.integer(1)?).unwrap_or_default()))
}
