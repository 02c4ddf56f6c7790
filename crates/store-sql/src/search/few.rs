//! Conditions that an index answers, and how many rows they hold for.

use sealyard_store::StoreError;
use sealyard_store::model::{Comparison, Condition, Field, Operand};

use super::condition::{dataset_column, prefix};
use super::query::Search;
use super::{FEW, Statement};

/// A condition by which rows can be found, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate<'q> {
    pub(super) condition: &'q Condition,
    /// At most [`FEW`] and one.
    pub(super) rows: i64,
}

impl<'q> Search<'q> {
    /// Counts, up to [`FEW`], what each condition that an index answers holds for.
    pub(super) fn candidates(&self) -> Result<Vec<Candidate<'q>>, StoreError> {
        let mut found = Vec::new();
        for condition in self.filter {
            let mut statement = self.statement();
            let Some(source) = self.source(&mut statement, condition)? else { continue };
            let limit = statement.bind(FEW + 1);
            let text = format!("SELECT count(*) FROM (SELECT 1 AS one FROM ({source}) AS d LIMIT {limit}) AS c");
            let rows = self.session.optional_in_scope(&text, statement.values, |row| row.get(0))?.unwrap_or(0);
            self.note(|| format!("{}: {}", named(condition), counted(rows)));
            found.push(Candidate { condition, rows });
        }
        Ok(found)
    }

    /// A query of the numbers, called `n`, of all rows for which `condition` holds, maybe with some twice; `None` if no index
    /// answers it.
    pub(super) fn source(
        &self,
        statement: &mut Statement,
        condition: &Condition,
    ) -> Result<Option<String>, StoreError> {
        let Condition { field, comparison, operand } = condition;
        match field {
            Field::Metric(_) | Field::MetricOn(Some(_), _) => self.metric_source(statement, condition),
            Field::MetricOn(None, datasets) if *comparison == Comparison::IsNotNull => {
                let Some(side) = self.target.metrics else { return Ok(None) };
                let on = statement.on_datasets("d", datasets);
                Ok(Some(format!("SELECT d.{} AS n FROM {} d WHERE 1 = 1{on}", side.owner, side.table)))
            }
            Field::MetricOn(None, _) => Ok(None),
            Field::Parameter(_) | Field::Tag(_) => {
                let (side, key) = statement.pair_side(field)?;
                let group = self.group(statement, "d", side.knows_run)?;
                let key = statement.bind(key.to_owned());
                let value = match comparison {
                    Comparison::IsNotNull => None,
                    _ => match statement.indexed_pair_value("d", *comparison, operand)? {
                        // The whole comparison is asked of these rows afterwards.
                        Some((value, _)) => Some(value),
                        None => return Ok(None),
                    },
                };
                let value = value.map(|value| format!(" AND {value}")).unwrap_or_default();
                Ok(Some(format!(
                    "SELECT d.{} AS n FROM {} d WHERE {group}d.key = {key}{value}",
                    side.owner, side.table
                )))
            }
            Field::Dataset(name) => {
                let Some(side) = self.target.datasets else { return Ok(None) };
                if *name == "context" || !matches!(comparison, Comparison::Equal | Comparison::In) {
                    return Ok(None);
                }
                let compared = statement.compare(&dataset_column("d", name)?, *comparison, operand)?;
                Ok(Some(format!("SELECT d.{} AS n FROM {} d WHERE {compared}", side.owner, side.table)))
            }
            Field::Attribute(name) => self.attribute_source(statement, name, *comparison, operand),
        }
    }

    fn metric_source(&self, statement: &mut Statement, condition: &Condition) -> Result<Option<String>, StoreError> {
        let Condition { field, comparison, operand } = condition;
        let (key, datasets) = match field {
            Field::Metric(key) => (key, [].as_slice()),
            Field::MetricOn(Some(key), datasets) => (key, datasets.as_slice()),
            _ => return Ok(None),
        };
        let Some(side) = self.target.metrics else { return Ok(None) };
        if matches!(comparison, Comparison::NotEqual | Comparison::IsNull | Comparison::Without) {
            return Ok(None);
        }
        let group = self.group(statement, "d", side.knows_run)?;
        let key = statement.bind(key.clone());
        let value = match comparison {
            Comparison::IsNotNull => String::new(),
            _ => format!(" AND {}", statement.metric_value("d", *comparison, operand)?),
        };
        let on = statement.on_datasets("d", datasets);
        Ok(Some(format!("SELECT d.{} AS n FROM {} d WHERE {group}d.key = {key}{value}{on}", side.owner, side.table)))
    }

    fn attribute_source(
        &self,
        statement: &mut Statement,
        name: &str,
        comparison: Comparison,
        operand: &Operand,
    ) -> Result<Option<String>, StoreError> {
        let expression = statement.attribute(name)?;
        let Some(column) = self.target.indexed.iter().find(|column| **column == expression) else { return Ok(None) };
        let column = column.replace("t.", "d.");
        let compared = match (comparison, operand) {
            (Comparison::Equal, Operand::Text(_)) | (Comparison::In, _) => {
                statement.compare(&column, comparison, operand)?
            }
            (Comparison::Like, Operand::Text(pattern)) if self.target.walks => match prefix(pattern) {
                Some((from, to)) => statement.range(&column, &from, &to),
                None => return Ok(None),
            },
            // Its only number is the end of a run. The operand must be read as the column's.
            (
                Comparison::Equal
                | Comparison::Less
                | Comparison::LessOrEqual
                | Comparison::Greater
                | Comparison::GreaterOrEqual,
                Operand::Number(_),
            ) => statement.compare(expression, comparison, operand)?.replace("t.", "d."),
            _ => return Ok(None),
        };
        // All but the id are indexed within an experiment, beside the bin.
        let within = if self.target.walks && column != "d.id" {
            format!("{}{}", self.group(statement, "d", true)?, self.scope.deleted_of("d"))
        } else {
            String::new()
        };
        let here = match self.target.workspace {
            Some("t.workspace") => format!("d.workspace = {} AND ", statement.bind(self.session.workspace())),
            _ => String::new(),
        };
        Ok(Some(format!("SELECT d.number AS n FROM {} d WHERE {here}{within}{compared}", self.target.table)))
    }

    /// That the row `alias` is of the asked experiments, as the beginning of a condition.
    fn group(&self, statement: &mut Statement, alias: &str, known: bool) -> Result<String, StoreError> {
        match &self.scope.experiments {
            Some(experiments) if known => {
                Ok(format!("{} AND ", statement.number_in(&format!("{alias}.experiment"), experiments)?))
            }
            _ => Ok(String::new()),
        }
    }
}

fn counted(rows: i64) -> String {
    if rows > FEW { format!("more than {FEW} rows") } else { format!("{rows} rows") }
}

/// A condition as an explanation shows it.
pub(super) fn named(condition: &Condition) -> String {
    format!("{:?} {:?}", condition.field, condition.comparison)
}
