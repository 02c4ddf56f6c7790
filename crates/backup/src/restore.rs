use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use sealyard_store::BACKUP_HOLD;
use sealyard_store_sql::{DumpTable, DumpValue, PostgresUrl, load_postgres, load_sqlite};
use sealyard_vault::{ObjectId, Vault, VaultError};

use crate::BackupError;
use crate::verify::Opened;

/// Where a catalog is restored to.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "both databases")]
pub enum CatalogTarget<'t> {
    /// A file that is not there.
    Sqlite(&'t Path),
    /// An empty database.
    Postgres(&'t PostgresUrl),
}

/// What has no place in a restored catalog: sessions, whose cookies may be anybody's by now, and that a backup is under way.
fn keep(table: &DumpTable, row: &[DumpValue]) -> bool {
    let is_hold = |value: &DumpValue| matches!(value, DumpValue::Text(text) if text == BACKUP_HOLD);
    table.table != "sessions" && !(table.table == "settings" && row.iter().any(is_hold))
}

/// That a vault, which is to get the objects, has none but those: a server that uses it would lose what is newer, as the restored one
/// does not know of it.
///
/// # Errors
/// [`BackupError::Occupied`].
pub fn check_vault(opened: &Opened<'_>, vault: &Vault) -> Result<(), BackupError> {
    let mut ours = BTreeSet::new();
    opened.each_object(&mut |copy| {
        ours.insert(copy.object);
        Ok(())
    })?;
    let (mut count, mut first) = (0_u64, None);
    vault.each_object(&mut |listed| {
        if !ours.contains(&listed.id) {
            count += 1;
            first.get_or_insert(listed.id);
        }
    })?;
    first.map_or(Ok(()), |first| Err(BackupError::Occupied { count, first }))
}

/// Makes the catalog of a backup that was verified.
///
/// # Errors
/// [`BackupError::Store`].
pub fn open_catalog(opened: &Opened<'_>, target: &CatalogTarget<'_>) -> Result<(), BackupError> {
    let mut dump = opened.dump()?;
    match target {
        CatalogTarget::Sqlite(path) => load_sqlite(path, &mut dump, &mut keep)?,
        CatalogTarget::Postgres(url) => load_postgres(url, &mut dump, &mut keep)?,
    }
    Ok(())
}

/// Puts the objects of a backup that was verified into a vault. What is there already, of a restore that was stopped, stays when
/// it is authentic. Those that are `damaged` are left out.
///
/// # Errors
/// [`BackupError::Vault`], [`BackupError::Refused`].
pub fn restore_objects(
    opened: &Opened<'_>,
    vault: &Vault,
    damaged: &BTreeSet<ObjectId>,
    go_on: &mut dyn FnMut(u64),
) -> Result<u64, BackupError> {
    let mut count = 0;
    opened.each_object(&mut |copy| {
        let Some(stored) = copy.stored.filter(|_| !damaged.contains(&copy.object)) else { return Ok(()) };
        go_on(count);
        count += 1;
        let path = opened.store.object_path(&stored);
        let file = File::open(&path).map_err(BackupError::io("read", &path))?;
        match vault.restore_stored(&copy.object, &mut BufReader::new(file)) {
            Err(VaultError::Exists { id }) => drop(vault.open(&id)?),
            other => other?,
        }
        let object = vault.open(&copy.object)?;
        if (object.size(), object.digest()?) != (copy.size, copy.digest) {
            let detail = format!("the content of object {} has another digest than the catalog says", copy.object);
            return Err(BackupError::refused("backup.digest", detail));
        }
        Ok(())
    })?;
    Ok(count)
}
