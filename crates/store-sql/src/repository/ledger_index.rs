use std::collections::BTreeMap;

use sealyard_core::Digest;
use sealyard_ledger::Facets;
use sealyard_store::model::{LedgerEntry, LedgerPlace, LedgerQuery};
use sealyard_store::{LedgerIndex, Settings as _, StoreError};

use super::convert::{Columns as _, integer};
use crate::error::backend;
use crate::session::Session;
use crate::sql::{Row, Value};

/// How many entries are in the index.
const INDEXED: &str = "ledger.indexed";
/// Kinds of deeds that one statement merges.
const MERGED: usize = 128;

impl LedgerIndex for Session<'_> {
    fn indexed(&mut self) -> Result<u64, StoreError> {
        Ok(self.setting(INDEXED)?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    fn index_entries(&mut self, entries: &[(u64, Facets)]) -> Result<(), StoreError> {
        let Some((last, _)) = entries.last() else { return Ok(()) };
        let next = self.indexed()?;
        if entries.iter().zip(next..).any(|((index, _), next)| *index != next) {
            return Err(StoreError::Conflict(format!("the index of the ledger goes on at {next}")));
        }
        let mut deeds = BTreeMap::new();
        let (mut rows, mut subjects) = (Vec::with_capacity(entries.len()), Vec::new());
        for (index, facets) in entries {
            let position = integer(*index)?;
            let key = (facets.act.as_str(), facets.outcome.as_str());
            let deed = match deeds.get(&key) {
                Some(deed) => *deed,
                None => {
                    let deed = self.deed(key.0, key.1)?;
                    deeds.insert(key, deed);
                    deed
                }
            };
            let actor = number("actor", &facets.actor);
            let request = facets.request_id.as_deref().map(|id| number("request", id));
            rows.push((facets.time, position, actor, deed, request));
            for term in terms(facets) {
                subjects.push((term, deed, facets.time, position, actor));
            }
        }
        self.execute_many(
            "INSERT INTO ledger_index (time, position, actor, deed, request) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            rows,
        )?;
        self.execute_many(
            "INSERT INTO ledger_subjects (subject, deed, time, position, actor) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
            subjects,
        )?;
        self.put_setting(INDEXED, &(last + 1).to_string())
    }

    fn clear_ledger_index(&mut self) -> Result<(), StoreError> {
        for table in ["ledger_index", "ledger_subjects", "ledger_deeds", "ledger_nodes"] {
            self.execute(&format!("DELETE FROM {table}"), [])?;
        }
        self.put_setting(INDEXED, "0")
    }

    fn find_entries(&mut self, query: &LedgerQuery) -> Result<Vec<LedgerPlace>, StoreError> {
        let scope = Scope::of(query);
        let Some(deeds) = self.deeds(query, &scope)? else {
            return self.merged(query, &scope, &[]);
        };
        let mut found = Vec::new();
        for some in deeds.chunks(MERGED) {
            found.extend(self.merged(query, &scope, some)?);
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(query.limit as usize);
        Ok(found)
    }

    fn entries_at(&mut self, indexes: &[u64]) -> Result<Vec<LedgerEntry>, StoreError> {
        let list = serde_json::to_string(indexes).map_err(backend)?;
        let positions = self.dialect().integers("?1");
        let found = self.all(
            &format!("SELECT position, event, leaf FROM ledger_entries WHERE position IN {positions}"),
            [list],
            |row| Ok(LedgerEntry { index: row.unsigned(0)?, bytes: row.get(1)?, leaf: row.digest(2)? }),
        )?;
        let mut found: BTreeMap<u64, LedgerEntry> = found.into_iter().map(|entry| (entry.index, entry)).collect();
        Ok(indexes.iter().filter_map(|index| found.remove(index)).collect())
    }

    fn leaves(&mut self, from: u64, limit: u32) -> Result<Vec<Digest>, StoreError> {
        self.all(
            "SELECT leaf FROM ledger_entries WHERE position >= ?1 ORDER BY position LIMIT ?2",
            (integer(from)?, limit),
            |row| row.digest(0),
        )
    }

    fn node_count(&mut self, level: u8) -> Result<u64, StoreError> {
        let last: Option<u64> = self.optional(
            "SELECT position FROM ledger_nodes WHERE level = ?1 ORDER BY position DESC LIMIT 1",
            [i64::from(level)],
            |row| row.unsigned(0),
        )?;
        Ok(last.map_or(0, |last| last + 1))
    }

    fn nodes(&mut self, level: u8, from: u64, limit: u32) -> Result<Vec<Digest>, StoreError> {
        self.all(
            "SELECT hash FROM ledger_nodes WHERE level = ?1 AND position >= ?2 ORDER BY position LIMIT ?3",
            (i64::from(level), integer(from)?, limit),
            |row| row.digest(0),
        )
    }

    fn add_nodes(&mut self, level: u8, from: u64, nodes: &[Digest]) -> Result<(), StoreError> {
        if self.node_count(level)? != from {
            return Err(StoreError::Conflict(format!("nodes of level {level} go on elsewhere than at {from}")));
        }
        let mut rows = Vec::with_capacity(nodes.len());
        for (position, hash) in (from..).zip(nodes) {
            rows.push((i64::from(level), integer(position)?, hash.as_bytes()));
        }
        self.execute_many("INSERT INTO ledger_nodes (level, position, hash) VALUES (?1, ?2, ?3)", rows)?;
        Ok(())
    }
}

/// Which rows are looked through: those of an index that has them in the order of time for each deed.
struct Scope {
    table: &'static str,
    conditions: Vec<(&'static str, i64)>,
}

impl Scope {
    fn of(query: &LedgerQuery) -> Self {
        let subject = match (&query.subject, &query.rule) {
            (Some(subject), Some(rule)) => Some(refused(rule, subject)),
            (Some(subject), None) => Some(number("subject", subject)),
            (None, Some(rule)) => Some(number("rule", rule)),
            (None, None) => None,
        };
        let mut conditions: Vec<_> = subject.map(|subject| ("subject", subject)).into_iter().collect();
        let request = query.request_id.as_deref().map(|id| number("request", id));
        if subject.is_none() {
            conditions.extend(request.map(|request| ("request", request)));
        }
        conditions.extend(query.actor.as_deref().map(|actor| ("actor", number("actor", actor))));
        Self { table: if subject.is_some() { "ledger_subjects" } else { "ledger_index" }, conditions }
    }
}

impl Session<'_> {
    fn deed(&self, act: &str, outcome: &str) -> Result<i64, StoreError> {
        let made = self.insert(
            "INSERT INTO ledger_deeds (act, outcome) VALUES (?1, ?2) ON CONFLICT DO NOTHING RETURNING number",
            (act, outcome),
        )?;
        if let Some(number) = made {
            return Ok(number);
        }
        let there =
            self.optional("SELECT number FROM ledger_deeds WHERE act = ?1 AND outcome = ?2", (act, outcome), |row| {
                row.get(0)
            })?;
        there.ok_or_else(|| StoreError::Conflict("an act is known and is not".to_owned()))
    }

    /// The deeds to look for, each of which has its rows in order; `None` where one order holds all.
    fn deeds(&self, query: &LedgerQuery, scope: &Scope) -> Result<Option<Vec<i64>>, StoreError> {
        let named = query.act.is_some() || query.outcome.is_some();
        let narrow = scope.conditions.iter().any(|(column, _)| *column == "request");
        if (scope.conditions.is_empty() && !named) || narrow {
            return Ok(None);
        }
        let mut wanted = self.all("SELECT number, act, outcome FROM ledger_deeds ORDER BY number", [], |row| {
            let fits = query.act.as_deref().is_none_or(|act| row.text(1).is_ok_and(|found| found == act))
                && query.outcome.as_deref().is_none_or(|outcome| row.text(2).is_ok_and(|found| found == outcome));
            Ok(fits.then_some(row.get::<i64>(0)?))
        })?;
        if !scope.conditions.is_empty() {
            let there = self.deeds_there(scope)?;
            wanted.retain(|deed| deed.is_some_and(|deed| there.contains(&deed)));
        }
        Ok(Some(wanted.into_iter().flatten().collect()))
    }

    /// The deeds that there are within `scope`: one look into the index for each.
    fn deeds_there(&self, scope: &Scope) -> Result<Vec<i64>, StoreError> {
        let Scope { table, conditions } = scope;
        let within: Vec<String> =
            conditions.iter().zip(1..).map(|((column, _), number)| format!("{column} = ?{number}")).collect();
        let within = within.join(" AND ");
        let sql = format!(
            "WITH RECURSIVE there (deed) AS (SELECT min(deed) FROM {table} WHERE {within} UNION ALL \
             SELECT (SELECT min(deed) FROM {table} WHERE {within} AND deed > there.deed) FROM there WHERE there.deed IS NOT NULL) \
             SELECT deed FROM there WHERE deed IS NOT NULL"
        );
        let values: Vec<Value<'static>> = conditions.iter().map(|(_, value)| Value::Integer(*value)).collect();
        self.all(&sql, values, |row| row.get(0))
    }

    /// The newest places of all `deeds` together, each deed's out of its own order; of all deeds where there are none.
    fn merged(&self, query: &LedgerQuery, scope: &Scope, deeds: &[i64]) -> Result<Vec<LedgerPlace>, StoreError> {
        let mut values: Vec<Value<'static>> = Vec::new();
        let mut bind = |value: i64| {
            values.push(Value::Integer(value));
            format!("?{}", values.len())
        };
        let limit = bind(i64::from(query.limit));
        let mut within: Vec<String> =
            scope.conditions.iter().map(|(column, value)| format!("{column} = {}", bind(*value))).collect();
        if let Some(since) = query.since {
            within.push(format!("time >= {}", bind(since.as_millis())));
        }
        if let Some(until) = query.until {
            within.push(format!("time < {}", bind(until.as_millis())));
        }
        if let Some(after) = query.after {
            let (time, position) = (bind(after.time.as_millis()), bind(integer(after.index)?));
            within.push(format!("(time, position) < ({time}, {position})"));
        }
        let table = scope.table;
        let one = |more: Option<String>| {
            let conditions: Vec<String> = within.iter().cloned().chain(more).collect();
            let filter =
                if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
            format!("SELECT time, position FROM {table}{filter} ORDER BY time DESC, position DESC LIMIT {limit}")
        };
        let sql = if deeds.is_empty() {
            one(None)
        } else {
            // Statements are kept compiled by their text, so that there should not be one for each number of deeds.
            let mut padded = deeds.to_vec();
            padded.resize(deeds.len().next_power_of_two(), -1);
            let mut branches = Vec::with_capacity(padded.len());
            for (number, deed) in padded.into_iter().enumerate() {
                let named = bind(deed);
                branches.push(format!("SELECT * FROM ({}) AS d{number}", one(Some(format!("deed = {named}")))));
            }
            format!("{} ORDER BY 1 DESC, 2 DESC LIMIT {limit}", branches.join(" UNION ALL "))
        };
        self.all(&sql, values, place)
    }
}

fn place(row: &Row<'_>) -> Result<LedgerPlace, StoreError> {
    Ok(LedgerPlace { time: row.timestamp(0)?, index: row.unsigned(1)? })
}

/// The number that stands for a text in the index.
fn number(kind: &str, text: &str) -> i64 {
    let digest = Digest::of(format!("{kind}\n{text}").as_bytes());
    let bytes = digest.as_bytes().first_chunk().copied().unwrap_or_default();
    i64::from_be_bytes(bytes) & i64::MAX
}

/// What stands for a rule that refused something to a subject.
fn refused(rule: &str, subject: &str) -> i64 {
    number("refused", &format!("{rule}\n{subject}"))
}

/// Everything that an entry is found by in `ledger_subjects`.
fn terms(facets: &Facets) -> Vec<i64> {
    let mut terms: Vec<i64> = facets.subjects.iter().map(|subject| number("subject", subject)).collect();
    for rule in &facets.rules {
        terms.push(number("rule", rule));
        terms.extend(facets.subjects.iter().map(|subject| refused(rule, subject)));
    }
    terms.sort_unstable();
    terms.dedup();
    terms
}
