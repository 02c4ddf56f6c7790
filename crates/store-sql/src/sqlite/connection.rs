use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use sealyard_store::StoreError;

use crate::error::{OrBackend as _, backend};
use crate::sqlite::{like, migrate, rlike};

/// Statements kept compiled by each connection.
const STATEMENTS: usize = 256;
/// Pages of 4 KiB in the WAL before it is written back. A page that is changed again meanwhile is written back once.
const WRITTEN_BACK_AT: i64 = 4000;
/// How long to wait for another process, such as a backup.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Write,
    Read,
}

/// Makes the file with mode 0600 before SQLite does, which gives its `-wal` and `-shm` files the same mode; the
/// process's umask has no say in it. A symbolic link is refused.
pub(crate) fn prepare_file(path: &Path) -> Result<(), StoreError> {
    let create = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match create {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(backend(error)),
    }
    let metadata = fs::symlink_metadata(path).map_err(backend)?;
    if !metadata.is_file() {
        return Err(StoreError::Invalid(format!("the catalog {} is not a regular file", path.display())));
    }
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(backend)
}

/// Opens a connection with every safety switch on.
pub(crate) fn connect(path: &Path, access: Access) -> Result<Connection, StoreError> {
    // Also readers of a live database open it for writing, or they could not take part in the WAL; `query_only`
    // is what keeps them from writing.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_backend()?;
    connection.busy_timeout(BUSY).or_backend()?;
    harden(&connection)?;
    connection.pragma_update(None, "journal_mode", "WAL").or_backend()?;
    connection.pragma_update(None, "synchronous", "FULL").or_backend()?;
    connection.pragma_update(None, "wal_autocheckpoint", WRITTEN_BACK_AT).or_backend()?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).or_backend()?;
    connection.pragma_update(None, "cache_size", -16_384).or_backend()?;
    connection.pragma_update(None, "temp_store", "MEMORY").or_backend()?;
    // What is deleted, such as the key of a workspace, does not stay in its page.
    connection.pragma_update(None, "secure_delete", true).or_backend()?;
    if access == Access::Read {
        connection.pragma_update(None, "query_only", true).or_backend()?;
    }
    Ok(connection)
}

/// Opens a database that nothing may change, for looking into it offline.
pub(crate) fn connect_offline(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).or_backend()?;
    connection.busy_timeout(BUSY).or_backend()?;
    harden(&connection)?;
    connection.pragma_update(None, "query_only", true).or_backend()?;
    Ok(connection)
}

/// Opens a catalog offline, in one snapshot: what is read of it belongs together.
pub(crate) fn connect_to_read(path: &Path) -> Result<Connection, StoreError> {
    let connection = connect_offline(path)?;
    if migrate::check(&connection)? == 0 {
        return Err(StoreError::Invalid(format!("{} is not a Sealyard catalog: it is empty", path.display())));
    }
    connection.execute_batch("BEGIN DEFERRED").or_backend()?;
    Ok(connection)
}

/// Makes a catalog of an earlier or this schema for rows to be put into, in one transaction; [`finish_load`] ends it. Nobody else
/// knows it yet, so that it need not survive a power cut before that.
pub(crate) fn connect_to_load(path: &Path, schema: u32) -> Result<Connection, StoreError> {
    prepare_file(path)?;
    let connection = connect(path, Access::Write)?;
    connection.pragma_update(None, "synchronous", "OFF").or_backend()?;
    connection.execute_batch("BEGIN IMMEDIATE").or_backend()?;
    migrate::begin_at(&connection, schema)?;
    Ok(connection)
}

/// Commits what was put into a catalog by [`connect_to_load`], and sees to it that it is on the disk.
pub(crate) fn finish_load(connection: &Connection) -> Result<(), StoreError> {
    connection.execute_batch("COMMIT").or_backend()?;
    connection.pragma_update(None, "synchronous", "FULL").or_backend()?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").or_backend()?;
    let path = connection.path().map(std::path::PathBuf::from);
    let path = path.ok_or_else(|| backend("a catalog without a file"))?;
    fs::File::open(&path).and_then(|file| file.sync_all()).map_err(backend)?;
    sealyard_core::durable::sync_parent(&path).map_err(backend)
}

fn harden(connection: &Connection) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).or_backend()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false).or_backend()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true).or_backend()?;
    // Else a cached statement is compiled anew for each set of values, which costs several times what it does. No plan here
    // shall depend on values.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).or_backend()?;
    connection.pragma_update(None, "cell_size_check", true).or_backend()?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    like::register(connection).or_backend()?;
    rlike::register(connection).or_backend()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_private_whatever_the_mode_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        fs::write(&path, b"").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        prepare_file(&path).unwrap();
        let connection = connect(&path, Access::Write).unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
            let mode = fs::metadata(directory.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn every_safety_switch_is_on() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        prepare_file(&path).unwrap();
        for access in [Access::Write, Access::Read] {
            let connection = connect(&path, access).unwrap();
            let ask = |name: &str| -> i64 { connection.pragma_query_value(None, name, |row| row.get(0)).unwrap() };
            assert_eq!(ask("foreign_keys"), 1);
            assert_eq!(ask("trusted_schema"), 0);
            assert_eq!(ask("cell_size_check"), 1);
            assert_eq!(ask("synchronous"), 2, "FULL");
            assert_eq!(ask("secure_delete"), 1);
            assert_eq!(ask("query_only"), i64::from(access == Access::Read));
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
            assert!(connection.db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE).unwrap());
        }
    }

    #[test]
    fn a_link_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        fs::write(directory.path().join("elsewhere"), b"").unwrap();
        std::os::unix::fs::symlink(directory.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(prepare_file(&path), Err(StoreError::Invalid(_))));
    }

    #[test]
    fn a_reader_cannot_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("catalog.db");
        prepare_file(&path).unwrap();
        connect(&path, Access::Write).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(connect(&path, Access::Read).unwrap().execute_batch("INSERT INTO t VALUES (1)").is_err());
    }
}
