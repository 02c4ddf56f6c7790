use rusqlite::{Connection, TransactionBehavior};
use sealyard_core::Timestamp;
use sealyard_store::StoreError;

use super::schema;
use crate::error::{OrBackend as _, corrupt};

/// Marks the file as a catalog: `SYRD`.
const APPLICATION: i32 = 0x5359_5244;

/// Every step that ever was, in its order; `user_version` is how many a database has had.
pub(crate) const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_catalog.sql"),
    include_str!("../../migrations/sqlite/0004_webhooks_access.sql"),
    include_str!("../../migrations/sqlite/0008_sessions.sql"),
    include_str!("../../migrations/sqlite/0009_search.sql"),
    include_str!("../../migrations/sqlite/0010_registry.sql"),
    include_str!("../../migrations/sqlite/0011_vault.sql"),
    include_str!("../../migrations/sqlite/0012_traces.sql"),
    include_str!("../../migrations/sqlite/0014_gateway.sql"),
    include_str!("../../migrations/sqlite/0016_runs_of_one_start.sql"),
    include_str!("../../migrations/sqlite/0017_loose_artifacts.sql"),
    include_str!("../../migrations/sqlite/0020_workspaces.sql"),
    include_str!("../../migrations/sqlite/0021_import.sql"),
    include_str!("../../migrations/sqlite/0022_groups.sql"),
    include_str!("../../migrations/sqlite/0023_row_seals.sql"),
    include_str!("../../migrations/sqlite/0024_used_once.sql"),
    include_str!("../../migrations/sqlite/0025_ledger_index.sql"),
    include_str!("../../migrations/sqlite/0026_cosignatures.sql"),
    include_str!("../../migrations/sqlite/0027_account_security.sql"),
    include_str!("../../migrations/sqlite/0028_workspace_keys.sql"),
    include_str!("../../migrations/sqlite/0029_ledger_personal.sql"),
    include_str!("../../migrations/sqlite/0031_more_row_seals.sql"),
    include_str!("../../migrations/sqlite/0032_workspace_key_seals.sql"),
];

/// Makes a catalog that has had the first `schema` steps, in a transaction of the caller's.
pub(crate) fn begin_at(connection: &Connection, schema: u32) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as u32;
    if schema > known {
        return Err(StoreError::Newer { found: schema, known });
    }
    for migration in MIGRATIONS.iter().take(schema as usize) {
        connection.execute_batch(migration).or_backend()?;
    }
    connection.pragma_update(None, "application_id", APPLICATION).or_backend()?;
    connection.pragma_update(None, "user_version", i64::from(schema)).or_backend()
}

/// Brings the database to this release's schema, in one transaction, and makes the default experiment in a new one.
pub(crate) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).or_backend()?;
    let found = check(&transaction)?;
    if found == 0 {
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).or_backend()?;
        if tables > 0 {
            return Err(StoreError::Invalid("the database is not a Sealyard catalog: it holds other tables".into()));
        }
    } else {
        schema::check(&transaction, found)?;
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration).or_backend()?;
    }
    if found == 0 {
        transaction
            .execute(
                "INSERT INTO experiments (number, key, name, workspace, created, updated) VALUES (0, '0/Default', 'Default', 0, ?1, ?1)",
                [now.as_millis()],
            )
            .or_backend()?;
        transaction.pragma_update(None, "application_id", APPLICATION).or_backend()?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as i64).or_backend()?;
    transaction.commit().or_backend()
}

/// The database's schema version, if this release can read it.
pub(crate) fn check(connection: &Connection) -> Result<u32, StoreError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).or_backend()?;
    if application != 0 && application != APPLICATION {
        return Err(StoreError::Invalid(
            "the database is not a Sealyard catalog: it belongs to another program".into(),
        ));
    }
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).or_backend()?;
    let found = u32::try_from(found).map_err(|_| corrupt("schema version"))?;
    let known = MIGRATIONS.len() as u32;
    if found > known {
        return Err(StoreError::Newer { found, known });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> Connection {
        Connection::open_in_memory().unwrap()
    }

    #[test]
    fn a_second_migration_changes_nothing() {
        let mut connection = database();
        migrate(&mut connection, Timestamp::from_millis(5)).unwrap();
        migrate(&mut connection, Timestamp::from_millis(9)).unwrap();
        let created: i64 = connection
            .query_row("SELECT created FROM experiments WHERE number = 0 AND name = 'Default'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(created, 5);
    }

    #[test]
    fn a_newer_database_is_refused() {
        let mut connection = database();
        migrate(&mut connection, Timestamp::from_millis(5)).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        let refused = migrate(&mut connection, Timestamp::from_millis(5));
        assert!(matches!(refused, Err(StoreError::Newer { found: 99, .. })));
    }

    #[test]
    fn another_programs_database_is_refused_and_left_alone() {
        let mut connection = database();
        connection.execute_batch("CREATE TABLE invoices (a)").unwrap();
        assert!(matches!(migrate(&mut connection, Timestamp::from_millis(5)), Err(StoreError::Invalid(_))));
        let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
        assert_eq!(tables, 1);
    }

    #[test]
    fn the_log_can_only_grow() {
        let mut connection = database();
        migrate(&mut connection, Timestamp::from_millis(5)).unwrap();
        connection
            .execute_batch(
                "INSERT INTO ledger_entries VALUES (0, x'61', zeroblob(32));
                 INSERT INTO ledger_checkpoints VALUES (1, 'note', 0);",
            )
            .unwrap();
        for sql in [
            "DELETE FROM ledger_entries",
            "UPDATE ledger_entries SET event = x'62'",
            "DELETE FROM ledger_checkpoints",
            "UPDATE ledger_checkpoints SET note = ''",
        ] {
            assert!(connection.execute_batch(sql).is_err(), "{sql}");
        }
    }
}
