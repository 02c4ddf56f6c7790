use std::collections::BTreeMap;

use sealyard_core::Digest;
use sealyard_ledger::Facets;
use sealyard_store::model::{LedgerEntry, LedgerPlace, LedgerQuery};
use sealyard_store::{LedgerIndex, Settings as _, StoreError};

use super::convert::{Columns as _, integer};
use crate::error::backend;
use crate::session::Session;
use crate::sql::{Dialect, Row, Value};

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
            return self.places(statement(self.dialect(), query, &scope, &[])?);
        };
        if scope.is_of_a_request() {
            let none = deeds.is_empty();
            return if none { Ok(Vec::new()) } else { self.places(statement(self.dialect(), query, &scope, &deeds)?) };
        }
        let mut found = Vec::new();
        for some in deeds.chunks(MERGED) {
            found.extend(self.places(statement(self.dialect(), query, &scope, some)?)?);
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

/// Which rows are looked through: those of an index that has them in the order of time for each deed, or the few of a request.
struct Scope {
    table: &'static str,
    conditions: Vec<(&'static str, i64)>,
    /// What the rows of a request must be of besides.
    subject: Option<i64>,
}

impl Scope {
    fn of(query: &LedgerQuery) -> Self {
        let subject = match (&query.subject, &query.rule) {
            (Some(subject), Some(rule)) => Some(refused(rule, subject)),
            (Some(subject), None) => Some(number("subject", subject)),
            (None, Some(rule)) => Some(number("rule", rule)),
            (None, None) => None,
        };
        let actor = query.actor.as_deref().map(|actor| number("actor", actor));
        if let Some(id) = query.request_id.as_deref() {
            // A request makes few entries. The sign keeps the database from another index than the request's.
            let conditions =
                [("request", number("request", id))].into_iter().chain(actor.map(|actor| ("+actor", actor)));
            return Self { table: "ledger_index", conditions: conditions.collect(), subject };
        }
        let mut conditions: Vec<_> = subject.map(|subject| ("subject", subject)).into_iter().collect();
        conditions.extend(actor.map(|actor| ("actor", actor)));
        Self { table: if subject.is_some() { "ledger_subjects" } else { "ledger_index" }, conditions, subject: None }
    }

    fn is_of_a_request(&self) -> bool {
        self.conditions.first().is_some_and(|(column, _)| *column == "request")
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
        let of_a_request = scope.is_of_a_request();
        if (scope.conditions.is_empty() || of_a_request) && !named {
            return Ok(None);
        }
        let mut wanted = self.all("SELECT number, act, outcome FROM ledger_deeds ORDER BY number", [], |row| {
            let fits = query.act.as_deref().is_none_or(|act| row.text(1).is_ok_and(|found| found == act))
                && query.outcome.as_deref().is_none_or(|outcome| row.text(2).is_ok_and(|found| found == outcome));
            Ok(fits.then_some(row.get::<i64>(0)?))
        })?;
        if !scope.conditions.is_empty() && !of_a_request {
            let there = self.deeds_there(scope)?;
            wanted.retain(|deed| deed.is_some_and(|deed| there.contains(&deed)));
        }
        Ok(Some(wanted.into_iter().flatten().collect()))
    }

    /// The deeds that there are within `scope`.
    fn deeds_there(&self, scope: &Scope) -> Result<Vec<i64>, StoreError> {
        let (sql, values) = deeds_statement(scope);
        self.all(&sql, values, |row| row.get(0))
    }

    fn places(&self, (sql, values): (String, Vec<Value<'static>>)) -> Result<Vec<LedgerPlace>, StoreError> {
        self.all(&sql, values, place)
    }
}

/// Asks for the deeds that there are within `scope`: one look into the index for each.
fn deeds_statement(scope: &Scope) -> (String, Vec<Value<'static>>) {
    let Scope { table, conditions, .. } = scope;
    let within: Vec<String> =
        conditions.iter().zip(1..).map(|((column, _), number)| format!("{column} = ?{number}")).collect();
    let within = within.join(" AND ");
    let sql = format!(
        "WITH RECURSIVE there (deed) AS (SELECT min(deed) FROM {table} WHERE {within} UNION ALL \
         SELECT (SELECT min(deed) FROM {table} WHERE {within} AND deed > there.deed) FROM there WHERE there.deed IS NOT NULL) \
         SELECT deed FROM there WHERE deed IS NOT NULL"
    );
    (sql, conditions.iter().map(|(_, value)| Value::Integer(*value)).collect())
}

/// Asks for the newest places of all `deeds` together, each deed's out of its own order; of all deeds where there are none.
fn statement(
    dialect: Dialect,
    query: &LedgerQuery,
    scope: &Scope,
    deeds: &[i64],
) -> Result<(String, Vec<Value<'static>>), StoreError> {
    let mut values: Vec<Value<'static>> = Vec::new();
    let mut bind = |value: Value<'static>| {
        values.push(value);
        format!("?{}", values.len())
    };
    let table = scope.table;
    let limit = bind(Value::Integer(i64::from(query.limit)));
    let mut within = Vec::new();
    for (column, value) in &scope.conditions {
        within.push(format!("{column} = {}", bind(Value::Integer(*value))));
    }
    if let Some(since) = query.since {
        within.push(format!("time >= {}", bind(Value::Integer(since.as_millis()))));
    }
    if let Some(until) = query.until {
        within.push(format!("time < {}", bind(Value::Integer(until.as_millis()))));
    }
    if let Some(after) = query.after {
        let time = bind(Value::Integer(after.time.as_millis()));
        let position = bind(Value::Integer(integer(after.index)?));
        within.push(format!("(time, position) < ({time}, {position})"));
    }
    if let Some(subject) = scope.subject {
        within.push(format!(
            "EXISTS (SELECT 1 FROM ledger_subjects s WHERE s.subject = {} AND s.deed = {table}.deed AND s.time = {table}.time \
             AND s.position = {table}.position)",
            bind(Value::Integer(subject))
        ));
    }
    if scope.is_of_a_request() && !deeds.is_empty() {
        let list = bind(Value::from(serde_json::to_string(deeds).map_err(backend)?));
        within.push(format!("+deed IN {}", dialect.integers(&list)));
    }
    let one = |more: Option<String>| {
        let conditions: Vec<String> = within.iter().cloned().chain(more).collect();
        let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
        format!("SELECT time, position FROM {table}{filter} ORDER BY time DESC, position DESC LIMIT {limit}")
    };
    let sql = if deeds.is_empty() || scope.is_of_a_request() {
        one(None)
    } else {
        // Statements are kept compiled by their text, so that there should not be one for each number of deeds.
        let mut padded = deeds.to_vec();
        padded.resize(deeds.len().next_power_of_two(), -1);
        let mut branches = Vec::with_capacity(padded.len());
        for (number, deed) in padded.into_iter().enumerate() {
            let named = bind(Value::Integer(deed));
            branches.push(format!("SELECT * FROM ({}) AS d{number}", one(Some(format!("deed = {named}")))));
        }
        format!("{} ORDER BY 1 DESC, 2 DESC LIMIT {limit}", branches.join(" UNION ALL "))
    };
    Ok((sql, values))
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use sealyard_core::Timestamp;

    use super::*;

    /// What SQLite means to do for a search with rows of these deeds.
    fn plan(query: &LedgerQuery, deeds: &[i64]) -> Vec<String> {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::sqlite::migrate::migrate(&mut connection, Timestamp::from_millis(0)).unwrap();
        let session = Session::sqlite(&connection);
        let (sql, values) = statement(session.dialect(), query, &Scope::of(query), deeds).unwrap();
        session.all(&format!("EXPLAIN QUERY PLAN {sql}"), values, |row| row.get::<String>(3)).unwrap()
    }

    /// The steps that read a table. Nothing is sorted but the pages of single deeds that are merged.
    fn reads(query: &LedgerQuery, deeds: &[i64]) -> Vec<String> {
        let plan = plan(query, deeds);
        let mut before = "";
        for step in &plan {
            let sorts = step.contains("TEMP B-TREE") && !before.starts_with("SCAN d");
            assert!(!sorts, "it sorts: {query:?}: {plan:#?}");
            before = step;
            let whole = step.starts_with("SCAN ledger");
            assert!(
                !whole || query == &LedgerQuery { after: query.after, limit: 100, ..LedgerQuery::default() },
                "{plan:#?}"
            );
        }
        let mut reads: Vec<String> =
            plan.into_iter().filter(|step| step.contains("ledger_") || step.contains(" s ")).collect();
        reads.dedup();
        reads
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    /// Each kind of search, alone, in a window of time and on a later page, walks an index that has its rows in their order.
    #[test]
    fn every_search_walks_an_index() {
        let none = LedgerQuery { limit: 100, ..LedgerQuery::default() };
        let two: &[i64] = &[1, 2];
        for (query, deeds, index) in [
            (LedgerQuery { actor: some("ada"), ..none.clone() }, two, "ledger_index_by_actor (actor=? AND deed=?"),
            (
                LedgerQuery { actor: some("ada"), act: some("published"), ..none.clone() },
                &two[..1],
                "ledger_index_by_actor (actor=? AND deed=?",
            ),
            (LedgerQuery { act: some("published"), ..none.clone() }, two, "ledger_index_by_deed (deed=?"),
            (LedgerQuery { outcome: some("refused"), ..none.clone() }, two, "ledger_index_by_deed (deed=?"),
            (LedgerQuery { subject: some("run:a"), ..none.clone() }, two, "PRIMARY KEY (subject=? AND deed=?"),
            (LedgerQuery { rule: some("role"), ..none.clone() }, two, "PRIMARY KEY (subject=? AND deed=?"),
            (
                LedgerQuery { subject: some("run:a"), rule: some("role"), act: some("published"), ..none.clone() },
                &two[..1],
                "PRIMARY KEY (subject=? AND deed=?",
            ),
            (
                LedgerQuery { subject: some("run:a"), actor: some("ada"), ..none.clone() },
                two,
                "ledger_subjects_by_actor (subject=? AND actor=? AND deed=?",
            ),
            (none.clone(), &[], ""),
        ] {
            let timed = LedgerQuery {
                since: Some(Timestamp::from_millis(5)),
                until: Some(Timestamp::from_millis(9)),
                ..query.clone()
            };
            let later = LedgerPlace { time: Timestamp::from_millis(7), index: 3 };
            let paged = LedgerQuery { after: Some(later), ..query.clone() };
            for (query, bound) in [(&query, ""), (&timed, " AND time>? AND time<?"), (&paged, "")] {
                let reads = reads(query, deeds);
                assert_eq!(reads.len(), 1, "{query:?}: {reads:?}");
                let expected = match (index, bound) {
                    ("", "") => "ledger_index".to_owned(),
                    ("", _) => "PRIMARY KEY (time>? AND time<?)".to_owned(),
                    _ => format!("{index}{bound}"),
                };
                assert!(reads[0].contains(&expected), "{query:?}: {reads:?}");
            }
        }
    }

    #[test]
    fn what_a_request_did_is_found_by_the_request() {
        let request = LedgerQuery { request_id: some("q"), limit: 100, ..LedgerQuery::default() };
        for query in [
            request.clone(),
            LedgerQuery { actor: some("ada"), since: Some(Timestamp::from_millis(5)), ..request.clone() },
            LedgerQuery { act: some("published"), outcome: some("done"), ..request.clone() },
            LedgerQuery { subject: some("run:a"), actor: some("ada"), ..request.clone() },
        ] {
            let deeds: &[i64] = if query.act.is_some() { &[1] } else { &[] };
            let reads = reads(&query, deeds);
            assert!(reads[0].contains("ledger_index_by_request (request=?"), "{query:?}: {reads:?}");
            if query.subject.is_some() {
                assert!(reads[1].contains("PRIMARY KEY (subject=? AND deed=? AND time=? AND position=?)"), "{reads:?}");
            }
        }
    }

    /// Which deeds there are is one look into an index for each, not a look at all rows.
    #[test]
    fn deeds_are_skipped_to() {
        let mut connection = Connection::open_in_memory().unwrap();
        crate::sqlite::migrate::migrate(&mut connection, Timestamp::from_millis(0)).unwrap();
        let session = Session::sqlite(&connection);
        for query in [
            LedgerQuery { actor: some("ada"), ..LedgerQuery::default() },
            LedgerQuery { subject: some("run:a"), ..LedgerQuery::default() },
            LedgerQuery { subject: some("run:a"), actor: some("ada"), ..LedgerQuery::default() },
        ] {
            let (sql, values) = deeds_statement(&Scope::of(&query));
            let plan = session.all(&format!("EXPLAIN QUERY PLAN {sql}"), values, |row| row.get::<String>(3)).unwrap();
            let reads: Vec<&String> = plan.iter().filter(|step| step.contains("ledger_")).collect();
            assert_eq!(reads.len(), 2, "{plan:?}");
            assert!(reads.iter().all(|step| step.starts_with("SEARCH")), "{plan:?}");
            assert!(reads[1].contains("deed>?"), "{plan:?}");
        }
    }
}
