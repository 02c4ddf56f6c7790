use std::collections::{BTreeMap, BTreeSet};

use sealyard_store::StoreError;

use super::is_name;
use crate::error::corrupt;
use crate::session::Session;
use crate::sql::Dialect;

/// A table as the database has it.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// The catalog's tables, each after those that its rows refer to.
pub(super) fn tables(session: &Session<'_>) -> Result<Vec<Table>, StoreError> {
    let postgres = session.dialect() == Dialect::Postgres;
    let names: Vec<String> = session.all(
        if postgres {
            "SELECT CAST(relname AS TEXT) FROM pg_class
             WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind = 'r'
                 AND relname <> 'sealyard_catalog' ORDER BY 1"
        } else {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        },
        [],
        |row| row.get(0),
    )?;
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in &names {
        let referred: Vec<String> = session.all(
            if postgres {
                "SELECT CAST(b.relname AS TEXT) FROM pg_constraint c
                 JOIN pg_class a ON a.oid = c.conrelid JOIN pg_class b ON b.oid = c.confrelid
                 WHERE c.contype = 'f' AND a.relnamespace = to_regnamespace(quote_ident(current_schema()))
                     AND CAST(a.relname AS TEXT) = ?1"
            } else {
                "SELECT \"table\" FROM pragma_foreign_key_list(?1)"
            },
            [name],
            |row| row.get(0),
        )?;
        needs.insert(name.clone(), referred.into_iter().filter(|other| other != name).collect());
        let found: Vec<String> = session.all(
            if postgres {
                "SELECT CAST(t.attname AS TEXT) FROM pg_attribute t JOIN pg_class a ON a.oid = t.attrelid
                 WHERE a.relnamespace = to_regnamespace(quote_ident(current_schema())) AND CAST(a.relname AS TEXT) = ?1
                     AND t.attnum > 0 AND NOT t.attisdropped ORDER BY t.attnum"
            } else {
                "SELECT name FROM pragma_table_info(?1) ORDER BY cid"
            },
            [name],
            |row| row.get(0),
        )?;
        if !is_name(name) || !found.iter().all(|column| is_name(column)) {
            return Err(corrupt("name of a table"));
        }
        columns.insert(name.clone(), found);
    }
    let mut ordered = Vec::new();
    while !needs.is_empty() {
        let ready: Vec<String> = needs
            .iter()
            .filter(|(_, others)| !others.iter().any(|other| needs.contains_key(other)))
            .map(|(name, _)| name.clone())
            .collect();
        if ready.is_empty() {
            return Err(corrupt("reference between tables"));
        }
        for name in ready {
            needs.remove(&name);
            let columns = columns.remove(&name).unwrap_or_default();
            ordered.push(Table { name, columns });
        }
    }
    Ok(ordered)
}

/// The last numbers that tables gave, of those that never use one again.
pub(super) fn last_numbers(session: &Session<'_>) -> Result<BTreeMap<String, i64>, StoreError> {
    if session.dialect() == Dialect::Sqlite {
        let found = session.all("SELECT name, seq FROM sqlite_sequence", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        return Ok(found.into_iter().collect());
    }
    let mut last = BTreeMap::new();
    for (table, sequence) in sequences(session)? {
        let value = session.optional(&format!("SELECT last_value FROM {sequence}"), [], |row| row.get(0))?;
        last.insert(table, value.unwrap_or(0));
    }
    Ok(last)
}

/// PostgreSQL's sequences of the tables' numbers, by table, as they stand in statements.
pub(super) fn sequences(session: &Session<'_>) -> Result<Vec<(String, String)>, StoreError> {
    session.all(
        "SELECT CAST(table_name AS TEXT),
             pg_get_serial_sequence(quote_ident(CAST(table_name AS TEXT)), CAST(column_name AS TEXT))
         FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )
}
