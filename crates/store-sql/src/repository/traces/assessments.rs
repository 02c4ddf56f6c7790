use std::collections::BTreeMap;

use sealyard_store::model::{Assessment, AssessmentKind};
use sealyard_store::{Assessments, StoreError};

use super::super::convert::{Columns as _, not_found};
use super::super::experiments::found;
use crate::error::{backend, corrupt};
use crate::session::Session;
use crate::sql::Row;

const COLUMNS: &str = "id, name, kind, value, error, created, updated, source_type, source_id, run_id, span_id, rationale, \
                       overrides, valid, metadata, created_by";
/// Texts whose bytes count for a trace.
const TEXTS: [&str; 9] =
    ["name", "value", "error", "source_id", "run_id", "span_id", "rationale", "overrides", "metadata"];
/// Metadata by which an assessment speaks of the whole session of its trace.
const SESSION: &str = "mlflow.trace.session";

impl Assessments for Session<'_> {
    fn create_assessment(&mut self, assessment: &Assessment) -> Result<(), StoreError> {
        let trace = self.trace_key(&assessment.trace_id)?;
        if let Some(overridden) = &assessment.overrides {
            let changed = self
                .execute("UPDATE trace_assessments SET valid = 0 WHERE trace = ?1 AND id = ?2", (trace, overridden))?;
            if changed == 0 {
                return Err(not_found("assessment", overridden));
            }
        }
        self.put_assessments(trace, std::slice::from_ref(assessment))
    }

    fn assessment(&mut self, trace_id: &str, id: &str) -> Result<Option<Assessment>, StoreError> {
        let trace = self.trace_key(trace_id)?;
        let sql = format!("SELECT {COLUMNS} FROM trace_assessments WHERE trace = ?1 AND id = ?2");
        self.optional(&sql, (trace, id), |row| read(row, trace_id))?.map(with_metadata).transpose()
    }

    fn update_assessment(&mut self, assessment: &Assessment) -> Result<(), StoreError> {
        let trace = self.trace_key(&assessment.trace_id)?;
        let changed = self.execute(
            "UPDATE trace_assessments SET name = ?3, value = ?4, error = ?5, rationale = ?6, metadata = ?7, of_session = ?8,
                 updated = ?9
             WHERE trace = ?1 AND id = ?2",
            (
                trace,
                &assessment.id,
                &assessment.name,
                &assessment.value,
                &assessment.error,
                &assessment.rationale,
                metadata_text(assessment)?,
                is_of_session(assessment),
                assessment.updated,
            ),
        )?;
        if changed == 0 { Err(not_found("assessment", &assessment.id)) } else { Ok(()) }
    }

    fn size_of_assessments(&mut self, trace_id: &str) -> Result<(u64, u64), StoreError> {
        let Some(trace) = found(self.trace_key(trace_id))? else { return Ok((0, 0)) };
        let texts = TEXTS.map(|text| format!("coalesce(octet_length({text}), 0)")).join(" + ");
        let sql = format!("SELECT count(*), coalesce(sum({texts}), 0) FROM trace_assessments WHERE trace = ?1");
        let size = self.optional(&sql, [trace], |row| Ok((row.unsigned(0)?, row.unsigned(1)?)))?;
        Ok(size.unwrap_or_default())
    }

    fn delete_assessment(&mut self, trace_id: &str, id: &str) -> Result<bool, StoreError> {
        let trace = self.trace_key(trace_id)?;
        let found: Option<Option<String>> = self.optional(
            "SELECT overrides FROM trace_assessments WHERE trace = ?1 AND id = ?2",
            (trace, id),
            |row| row.get(0),
        )?;
        let Some(overrides) = found else { return Ok(false) };
        if let Some(overridden) = overrides {
            self.execute("UPDATE trace_assessments SET valid = 1 WHERE trace = ?1 AND id = ?2", (trace, overridden))?;
        }
        self.execute("DELETE FROM trace_assessments WHERE trace = ?1 AND id = ?2", (trace, id))?;
        Ok(true)
    }
}

impl Session<'_> {
    /// Adds them, or replaces those of the same ids on the same trace; of several with one id the last is taken.
    pub(super) fn put_assessments(&self, trace: i64, assessments: &[Assessment]) -> Result<(), StoreError> {
        if assessments.is_empty() {
            return Ok(());
        }
        let last: BTreeMap<&str, usize> =
            assessments.iter().enumerate().map(|(place, assessment)| (assessment.id.as_str(), place)).collect();
        let ids = serde_json::to_string(&last.keys().collect::<Vec<_>>()).map_err(backend)?;
        let list = self.dialect().texts("?2");
        self.execute(&format!("DELETE FROM trace_assessments WHERE trace = ?1 AND id IN {list}"), (trace, ids))?;
        let mut rows = Vec::with_capacity(last.len());
        for (place, assessment) in assessments.iter().enumerate() {
            if last.get(assessment.id.as_str()) != Some(&place) {
                continue;
            }
            rows.push((
                trace,
                &assessment.id,
                &assessment.name,
                assessment.kind.as_str(),
                &assessment.value,
                &assessment.error,
                assessment.created,
                assessment.updated,
                &assessment.source_type,
                &assessment.source_id,
                &assessment.run_id,
                &assessment.span_id,
                &assessment.rationale,
                &assessment.overrides,
                assessment.valid,
                metadata_text(assessment)?,
                is_of_session(assessment),
                &assessment.created_by,
            ));
        }
        self.execute_many(
            "INSERT INTO trace_assessments
                 (trace, id, name, kind, value, error, created, updated, source_type, source_id, run_id, span_id, rationale,
                  overrides, valid, metadata, of_session, created_by)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
            rows,
        )?;
        Ok(())
    }

    /// All of a trace, in the order in which they were made.
    pub(super) fn assessments_of(&self, trace: i64, trace_id: &str) -> Result<Vec<Assessment>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM trace_assessments WHERE trace = ?1 ORDER BY created, number");
        let rows = self.all(&sql, [trace], |row| read(row, trace_id))?;
        rows.into_iter().map(with_metadata).collect()
    }
}

fn read(row: &Row<'_>, trace_id: &str) -> Result<(Assessment, String), StoreError> {
    let assessment = Assessment {
        id: row.get(0)?,
        trace_id: trace_id.to_owned(),
        name: row.get(1)?,
        kind: row.named(2, AssessmentKind::from_text)?,
        value: row.get(3)?,
        error: row.get(4)?,
        created: row.get(5)?,
        updated: row.get(6)?,
        source_type: row.get(7)?,
        source_id: row.get(8)?,
        run_id: row.get(9)?,
        span_id: row.get(10)?,
        rationale: row.get(11)?,
        overrides: row.get(12)?,
        valid: row.get::<i64>(13)? != 0,
        metadata: Vec::new(),
        created_by: row.get(15)?,
    };
    Ok((assessment, row.get(14)?))
}

fn with_metadata((mut assessment, metadata): (Assessment, String)) -> Result<Assessment, StoreError> {
    assessment.metadata = serde_json::from_str(&metadata).map_err(|_| corrupt("metadata of an assessment"))?;
    Ok(assessment)
}

fn metadata_text(assessment: &Assessment) -> Result<String, StoreError> {
    serde_json::to_string(&assessment.metadata).map_err(backend)
}

fn is_of_session(assessment: &Assessment) -> i64 {
    i64::from(assessment.metadata.iter().any(|pair| pair.key == SESSION))
}
