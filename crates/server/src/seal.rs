//! The key that the catalog's rows are sealed with. It lies in the catalog, sealed by the vault, so that every server of a catalog
//! has the same; whoever has the catalog and not the vault's key can make no seal.

use std::path::PathBuf;

use sealyard_core::{Redacted, Rng, durable};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::RowSeals;
use sealyard_vault::{Sealer, Vault, VaultError};

use crate::{DataDirectory, ServerError};

/// The setting, and what it is sealed for.
const KEY: &str = "row-seal-key";
const PURPOSE: &str = "setting";

/// Reads the key, or makes it in a catalog that has none and seals every row that is there.
///
/// That a catalog has one is also noted beside the keys: one that has lost it was put in the place of the one before, or changed
/// by somebody who wants the next start to seal what they have written.
pub(crate) async fn prepare(
    directory: &DataDirectory,
    store: &dyn Store,
    seals: &RowSeals,
    vault: &Vault,
    rng: &dyn Rng,
) -> Result<(), ServerError> {
    let note = directory.keys().join("rows.sealed");
    let sealer = vault.sealer(PURPOSE);
    let there = store.read(|tx| tx.setting(KEY)).await?;
    let key = match there {
        Some(sealed) => read(&sealer, &sealed)?,
        None if note.exists() => return Err(ServerError::SealsLost),
        None => {
            let key = Redacted::new(rng.bytes::<32>());
            let sealed = Sealer::to_text(&sealer.seal(KEY, key.expose())?);
            let seals = seals.clone();
            let given = store
                .write(move |tx| {
                    // Another server may have been first.
                    if let Some(there) = tx.setting(KEY)? {
                        return Ok(there);
                    }
                    // The key is there with the seals or not at all: a start that is killed here is made up for by the next.
                    tx.put_setting(KEY, &sealed)?;
                    seals.set(key.expose());
                    tx.seal_all_rows()?;
                    Ok::<_, StoreError>(sealed)
                })
                .await?;
            read(&sealer, &given)?
        }
    };
    seals.set(key.expose());
    if !note.exists() {
        let failed = |source| ServerError::File { what: "write", path: PathBuf::from(&note), source };
        durable::write(&note, b"The catalog's rows are sealed.\n", 0o600).map_err(failed)?;
    }
    Ok(())
}

fn read(sealer: &Sealer, sealed: &str) -> Result<Redacted<[u8; 32]>, ServerError> {
    let bytes = sealer.open(KEY, &Sealer::from_text(sealed).ok_or(VaultError::Secret)?)?;
    let key = <[u8; 32]>::try_from(bytes.expose().as_slice()).map_err(|_| VaultError::Secret)?;
    Ok(Redacted::new(key))
}
