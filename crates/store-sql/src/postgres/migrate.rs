use std::time::Duration;

use sealyard_core::Timestamp;
use sealyard_store::StoreError;

use super::connection::Connection;
use super::schema;
use crate::sql::Value;

/// The advisory lock of whoever writes: `SYRD`.
pub(crate) const WRITER: i64 = 0x5359_5244;

/// Oldest server that is supported, as `server_version_num` says it.
const OLDEST: i64 = 130_000;

/// How long a statement of a migration may take; until then nothing is given up.
const LONGEST_MIGRATION: Duration = Duration::from_hours(24);

/// Every step that ever was, in its order; the catalog's row says how many a database has had.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_catalog.sql"),
    include_str!("../../migrations/postgres/0004_webhooks_access.sql"),
    include_str!("../../migrations/postgres/0008_sessions.sql"),
    include_str!("../../migrations/postgres/0009_search.sql"),
    include_str!("../../migrations/postgres/0010_registry.sql"),
    include_str!("../../migrations/postgres/0011_vault.sql"),
    include_str!("../../migrations/postgres/0012_traces.sql"),
    include_str!("../../migrations/postgres/0014_gateway.sql"),
    include_str!("../../migrations/postgres/0016_runs_of_one_start.sql"),
    include_str!("../../migrations/postgres/0017_loose_artifacts.sql"),
    include_str!("../../migrations/postgres/0020_workspaces.sql"),
    include_str!("../../migrations/postgres/0021_import.sql"),
    include_str!("../../migrations/postgres/0022_groups.sql"),
    include_str!("../../migrations/postgres/0023_row_seals.sql"),
    include_str!("../../migrations/postgres/0024_used_once.sql"),
    include_str!("../../migrations/postgres/0025_ledger_index.sql"),
    include_str!("../../migrations/postgres/0026_cosignatures.sql"),
    include_str!("../../migrations/postgres/0027_account_security.sql"),
    include_str!("../../migrations/postgres/0028_workspace_keys.sql"),
    include_str!("../../migrations/postgres/0029_ledger_personal.sql"),
    include_str!("../../migrations/postgres/0031_more_row_seals.sql"),
    include_str!("../../migrations/postgres/0032_workspace_key_seals.sql"),
];

/// Brings the database to this release's schema, in one transaction, and makes the default experiment in a new one. Servers
/// that start at the same time do so one after the other.
pub(crate) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    check_server(connection)?;
    // A step can rewrite the largest tables, and so can one that another server is at.
    connection.set_patience(LONGEST_MIGRATION);
    connection.batch("SET lock_timeout = 0")?;
    let connection = &*connection;
    connection.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({WRITER})"))?;
    let found = match check(connection)? {
        0 => {
            begin_catalog(connection)?;
            0
        }
        found => {
            schema::check(connection, found)?;
            found
        }
    };
    for migration in MIGRATIONS.iter().skip(found as usize) {
        connection.batch(migration)?;
    }
    if found == 0 {
        connection.execute(
            "INSERT INTO experiments (number, key, name, workspace, created, updated) VALUES (0, '0/Default', 'Default', 0, ?1, ?1)",
            &[Value::Integer(now.as_millis())],
        )?;
    }
    connection.execute("UPDATE sealyard_catalog SET version = ?1", &[Value::Integer(MIGRATIONS.len() as i64)])?;
    connection.batch("COMMIT")
}

/// Makes a catalog that has had the first `schema` steps in an empty database, in a transaction that it begins.
pub(crate) fn begin_at(connection: &Connection, schema: u32) -> Result<(), StoreError> {
    check_server(connection)?;
    let known = MIGRATIONS.len() as u32;
    if schema > known {
        return Err(StoreError::Newer { found: schema, known });
    }
    connection.batch(&format!("SET lock_timeout = 0; BEGIN; SELECT pg_advisory_xact_lock({WRITER})"))?;
    if check(connection)? != 0 {
        return Err(StoreError::Invalid("the database has a catalog already".to_owned()));
    }
    begin_catalog(connection)?;
    for migration in MIGRATIONS.iter().take(schema as usize) {
        connection.batch(migration)?;
    }
    connection.execute("UPDATE sealyard_catalog SET version = ?1", &[Value::Integer(i64::from(schema))])?;
    Ok(())
}

/// A statement that fails where the schema is not this release's: a newer server may have changed it while this one was
/// connected, and must not be given rows as they used to be.
pub(crate) fn guard() -> String {
    format!("SELECT 1 / (CASE WHEN version = {} THEN 1 ELSE 0 END) FROM sealyard_catalog", MIGRATIONS.len())
}

/// The database's schema version, if this release can read it; 0 where there is no catalog.
pub(crate) fn check(connection: &Connection) -> Result<u32, StoreError> {
    let there = connection.optional("SELECT 1 WHERE to_regclass('sealyard_catalog') IS NOT NULL", &[], |_| Ok(()))?;
    if there.is_none() {
        return Ok(0);
    }
    let found: Option<u32> = connection.optional("SELECT version FROM sealyard_catalog", &[], |row| row.get(0))?;
    let found = found.ok_or_else(|| crate::error::corrupt("schema version"))?;
    let known = MIGRATIONS.len() as u32;
    if found > known { Err(StoreError::Newer { found, known }) } else { Ok(found) }
}

/// Marks an empty schema as a catalog; one with anything in it belongs to another program.
pub(super) fn begin_catalog(connection: &Connection) -> Result<(), StoreError> {
    let foreign: Option<String> = connection.optional(
        "SELECT CAST(relname AS TEXT) FROM pg_class
         WHERE relnamespace = to_regnamespace(quote_ident(current_schema())) AND relkind IN ('r', 'p', 'v', 'm', 'f') LIMIT 1",
        &[],
        |row| row.get(0),
    )?;
    if let Some(name) = foreign {
        return Err(StoreError::Invalid(format!(
            "the database is not a Sealyard catalog: it holds other tables, such as {name:?}"
        )));
    }
    let unicode = connection
        .optional(
            "SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu' AND collnamespace = to_regnamespace('pg_catalog')",
            &[],
            |_| Ok(()),
        )?
        .is_some();
    // MLflow's ILIKE folds the letters of every language, but "C" knows those of English only. A server without ICU has at
    // least its own collation.
    let collation = if unicode { "\"und-x-icu\"" } else { "\"default\"" };
    connection.batch(&format!(
        "CREATE TABLE sealyard_catalog (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL);
         INSERT INTO sealyard_catalog VALUES (1, 0);
         CREATE FUNCTION fold_case(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
         $$ SELECT lower(value COLLATE {collation}) COLLATE \"C\" $$"
    ))
}

/// What the server itself must be.
fn check_server(connection: &Connection) -> Result<(), StoreError> {
    let ask = |name: &str| -> Result<String, StoreError> {
        let value = connection.optional("SELECT current_setting(?1)", &[name.into()], |row| row.get(0))?;
        Ok(value.unwrap_or_default())
    };
    let version = ask("server_version_num")?;
    if version.parse().unwrap_or(0) < OLDEST {
        return Err(StoreError::Invalid("the database's server is older than PostgreSQL 13".into()));
    }
    if ask("server_encoding")? != "UTF8" {
        return Err(StoreError::Invalid("the database's encoding is not UTF8; hint: createdb --encoding=UTF8".into()));
    }
    for name in ["fsync", "full_page_writes"] {
        if ask(name)? != "on" {
            tracing::warn!(
                "the database's server has {name} off: what it acknowledged may be lost when it loses power"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// A step that one database has and the other has not would only be found out by who uses the other.
    #[test]
    fn both_databases_take_the_same_steps() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let names = |database: &str| {
            let files = std::fs::read_dir(folder.join(database)).unwrap();
            files.map(|file| file.unwrap().file_name()).collect::<BTreeSet<_>>()
        };
        assert_eq!(names("postgres"), names("sqlite"));
        assert_eq!(names("postgres").len(), MIGRATIONS.len());
        assert_eq!(crate::sqlite::migrate::MIGRATIONS.len(), MIGRATIONS.len());
    }
}
