use std::collections::HashMap;

use sealyard_core::Timestamp;
use sealyard_store::model::{FoundIssue, Issue, IssuePlace, IssueQuery, IssueUpdate};
use sealyard_store::{Issues, StoreError};

use super::convert::{Columns as _, already_exists, experiment_number, not_found};
use crate::doors::here;
use crate::error::{backend, corrupt};
use crate::session::Session;
use crate::sql::{Row, Value};

const COLUMNS: &str = "id, experiment, name, description, status, severity, root_causes, categories, source_run, said_by, \
                       created_by, created, updated";

/// No severity sorts behind every other.
fn rank(severity: Option<u8>) -> i64 {
    severity.map_or(-1, i64::from)
}

fn read(row: &Row<'_>) -> Result<Issue, StoreError> {
    let list = |index| row.named(index, |text| serde_json::from_str(text).ok());
    Ok(Issue {
        id: row.get(0)?,
        experiment_id: row.get::<i64>(1)?.to_string(),
        name: row.get(2)?,
        description: row.get(3)?,
        status: row.get(4)?,
        severity: u8::try_from(row.get::<i64>(5)?).ok(),
        root_causes: list(6)?,
        categories: list(7)?,
        source_run_id: row.get(8)?,
        said_by: row.get(9)?,
        created_by: row.get(10)?,
        created: row.timestamp(11)?,
        updated: row.timestamp(12)?,
    })
}

impl Issues for Session<'_> {
    fn create_issue(&mut self, new: &Issue) -> Result<(), StoreError> {
        let experiment = self.experiment_key(&new.experiment_id)?;
        let list = |texts: &[String]| serde_json::to_string(texts).map_err(backend);
        let added = self.execute(
            "INSERT INTO issues (id, experiment, name, description, status, severity, root_causes, categories, source_run,
                 said_by, created_by, created, updated)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING",
            (
                &new.id,
                experiment,
                &new.name,
                &new.description,
                &new.status,
                rank(new.severity),
                list(&new.root_causes)?,
                list(&new.categories)?,
                &new.source_run_id,
                &new.said_by,
                &new.created_by,
                new.created.as_millis(),
                new.updated.as_millis(),
            ),
        )?;
        if added == 1 { Ok(()) } else { Err(already_exists("issue", &new.id)) }
    }

    fn issue(&mut self, id: &str) -> Result<Option<Issue>, StoreError> {
        let sql = format!(here!("SELECT {} FROM issues WHERE id = ?1"), COLUMNS);
        self.optional(&sql, (id, self.workspace()), read)
    }

    fn issues(&mut self, ids: &[&str]) -> Result<Vec<Issue>, StoreError> {
        let sql = format!(here!("SELECT {} FROM issues WHERE id IN {}"), COLUMNS, self.dialect().texts("?1"));
        let list = serde_json::to_string(ids).map_err(backend)?;
        let found = self.all(&sql, (list, self.workspace()), read)?;
        let mut found: HashMap<String, Issue> = found.into_iter().map(|issue| (issue.id.clone(), issue)).collect();
        Ok(ids.iter().filter_map(|id| found.remove(*id)).collect())
    }

    fn update_issue(&mut self, id: &str, update: &IssueUpdate, now: Timestamp) -> Result<Issue, StoreError> {
        let sql = here!("SELECT number FROM issues WHERE id = ?1");
        let number: Option<i64> = self.optional(sql, (id, self.workspace()), |row| row.get(0))?;
        self.execute(
            "UPDATE issues SET name = coalesce(?2, name), description = coalesce(?3, description),
                 status = coalesce(?4, status), severity = coalesce(?5, severity), updated = ?6 WHERE number = ?1",
            (
                number.ok_or_else(|| not_found("issue", id))?,
                &update.name,
                &update.description,
                &update.status,
                update.severity.map(i64::from),
                now.as_millis(),
            ),
        )?;
        self.issue(id)?.ok_or_else(|| not_found("issue", id))
    }

    fn search_issues(&mut self, query: &IssueQuery) -> Result<Vec<FoundIssue>, StoreError> {
        let mut values: Vec<Value<'static>> = Vec::new();
        let mut bind = |value: Value<'static>| {
            values.push(value);
            format!("?{}", values.len())
        };
        let mut text = format!(
            "SELECT id, experiment, severity, created FROM issues
             WHERE EXISTS (SELECT 1 FROM experiments home WHERE home.number = experiment AND home.workspace = {})",
            bind(self.workspace().into())
        );
        if let Some(id) = &query.experiment {
            let number = experiment_number(id).ok_or_else(|| corrupt("experiment of a search"))?;
            text.push_str(&format!(" AND experiment = {}", bind(number.into())));
        }
        for (status, same) in &query.status {
            let sign = if *same { "=" } else { "<>" };
            text.push_str(&format!(" AND status {sign} {}", bind(status.clone().into())));
        }
        for (run, same) in &query.source_run {
            let name = bind(run.clone().into());
            text.push_str(&if *same {
                format!(" AND source_run = {name}")
            } else {
                format!(" AND (source_run IS NULL OR source_run <> {name})")
            });
        }
        if let Some(after) = &query.after {
            let (severity, created) = (bind(rank(after.severity).into()), bind(after.created.as_millis().into()));
            let id = bind(after.id.clone().into());
            text.push_str(&format!(
                " AND (severity < {severity} OR (severity = {severity} AND (created < {created}
                     OR (created = {created} AND id > {id}))))"
            ));
        }
        let limit = bind(i64::from(query.limit).into());
        text.push_str(&format!(" ORDER BY severity DESC, created DESC, id LIMIT {limit}"));
        self.all(&text, values, |row| {
            let severity = u8::try_from(row.get::<i64>(2)?).ok();
            Ok(FoundIssue {
                place: IssuePlace { severity, created: row.timestamp(3)?, id: row.get(0)? },
                experiment_id: row.get::<i64>(1)?.to_string(),
            })
        })
    }
}
