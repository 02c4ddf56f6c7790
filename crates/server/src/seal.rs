//! The key that the catalog's rows are sealed with. It lies in the catalog, sealed by the vault, so that every server of a catalog
//! has the same; whoever has the catalog and not the vault's key can make no seal.
//!
//! `keys/rows.sealed` notes beside the keys what a catalog that was put back, or changed by somebody who wants the next start to
//! seal what they have written, would not say: that there are seals, of which form, and how often each set of rows was changed.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Weak;
use std::time::Duration;

use sealyard_app::App;
use sealyard_core::{Redacted, Rng, durable};
use sealyard_store::{SEAL_FORM, Store, StoreError};
use sealyard_store_sql::RowSeals;
use sealyard_vault::{Sealer, Vault, VaultError};

use crate::{DataDirectory, ServerError};

/// The setting, and what it is sealed for.
const KEY: &str = "row-seal-key";
const PURPOSE: &str = "setting";
/// Which rows are sealed; a catalog that does not say so has the first form.
const FORM: &str = "row-seal-form";
/// So often the note is written at most.
const EVERY: Duration = Duration::from_secs(10);
/// No note is larger.
const LARGEST: u64 = 64 << 10;

/// The form of the seals, and how often each table's rows were changed.
type Known = (u32, BTreeMap<String, i64>);

/// Where it is noted, and what.
#[derive(Debug, Clone)]
pub(crate) struct Noted {
    path: PathBuf,
    seals: RowSeals,
}

/// Reads the key, or makes it in a catalog that has none and seals every row that is there.
pub(crate) async fn prepare(
    directory: &DataDirectory,
    store: &dyn Store,
    seals: &RowSeals,
    vault: &Vault,
    rng: &dyn Rng,
) -> Result<Noted, ServerError> {
    let noted = Noted { path: directory.keys().join("rows.sealed"), seals: seals.clone() };
    let before = noted.read()?;
    let sealer = vault.sealer(PURPOSE);
    let there = store.read(|tx| tx.setting(KEY)).await?;
    let key = match there {
        Some(sealed) => read(&sealer, &sealed)?,
        None if before.is_some() => return Err(ServerError::SealsLost),
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
                    tx.put_setting(FORM, &SEAL_FORM.to_string())?;
                    seals.set(key.expose());
                    tx.seal_rows_since(0)?;
                    Ok::<_, StoreError>(sealed)
                })
                .await?;
            read(&sealer, &given)?
        }
    };
    seals.set(key.expose());
    let found = form(store.read(|tx| tx.setting(FORM)).await?)?;
    if before.as_ref().is_some_and(|(form, _)| *form > found) {
        return Err(ServerError::SealsLost);
    }
    if found < SEAL_FORM {
        store
            .write(move |tx| {
                let found = form(tx.setting(FORM)?)?;
                if found < SEAL_FORM {
                    tx.seal_rows_since(found)?;
                    tx.put_setting(FORM, &SEAL_FORM.to_string())?;
                }
                Ok::<_, StoreError>(())
            })
            .await?;
    }
    match before {
        Some((_, changes)) => seals.know_changes(changes),
        // Whoever removed the note takes the rows for right that are there.
        None => store.write(|tx| tx.seal_rows_since(SEAL_FORM)).await?,
    }
    noted.write()?;
    Ok(noted)
}

fn form(setting: Option<String>) -> Result<u32, StoreError> {
    let Some(text) = setting else { return Ok(1) };
    let known = text.parse().ok().filter(|form| (1..=SEAL_FORM).contains(form));
    known.ok_or_else(|| StoreError::Invalid(format!("the setting {FORM} of the catalog is not one of this release")))
}

impl Noted {
    /// The form and the changes, if there is a note.
    fn read(&self) -> Result<Option<Known>, ServerError> {
        let failed = |source| ServerError::File { what: "read", path: self.path.clone(), source };
        match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
            Ok(found) if found.len() > LARGEST => return Err(failed(ErrorKind::FileTooLarge.into())),
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(&self.path).map_err(failed)?;
        parse(&text).map(Some).ok_or_else(|| failed(ErrorKind::InvalidData.into()))
    }

    pub(crate) fn write(&self) -> Result<(), ServerError> {
        let mut text = format!("The catalog's rows are sealed.\nform {SEAL_FORM}\n");
        for (table, count) in self.seals.changes() {
            text.push_str(&format!("changes {table} {count}\n"));
        }
        let failed = |source| ServerError::File { what: "write", path: self.path.clone(), source };
        durable::write(&self.path, text.as_bytes(), 0o600).map_err(failed)
    }

    /// Keeps the note up to date for as long as the server runs.
    pub(crate) async fn follow(self, app: Weak<App>) {
        // What was known at the start may not be noted yet.
        let mut last = BTreeMap::new();
        loop {
            tokio::time::sleep(EVERY).await;
            if app.strong_count() == 0 {
                return;
            }
            let now = self.seals.changes();
            if now == last {
                continue;
            }
            match self.write() {
                Ok(()) => last = now,
                Err(error) => tracing::warn!(%error, "what is known of the rows' seals could not be kept"),
            }
        }
    }
}

/// A note of the first form has one line.
fn parse(text: &str) -> Option<Known> {
    let (mut form, mut changes) = (1, BTreeMap::new());
    for line in text.lines().skip(1) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["form", number] => form = number.parse().ok()?,
            ["changes", table, count] => {
                changes.insert((*table).to_owned(), count.parse().ok()?);
            }
            _ => return None,
        }
    }
    Some((form, changes))
}

fn read(sealer: &Sealer, sealed: &str) -> Result<Redacted<[u8; 32]>, ServerError> {
    let bytes = sealer.open(KEY, &Sealer::from_text(sealed).ok_or(VaultError::Secret)?)?;
    let key = <[u8; 32]>::try_from(bytes.expose().as_slice()).map_err(|_| VaultError::Secret)?;
    Ok(Redacted::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_what_was_known() {
        assert_eq!(parse("The catalog's rows are sealed.\n"), Some((1, BTreeMap::new())));
        let known = BTreeMap::from([("grants".to_owned(), 7)]);
        assert_eq!(parse("The catalog's rows are sealed.\nform 2\nchanges grants 7\n"), Some((2, known)));
        for bad in ["x\nform two\n", "x\nchanges grants\n", "x\nchanges grants y\n", "x\nother\n"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_unknown_form_is_refused() {
        assert_eq!(form(None).unwrap(), 1);
        assert_eq!(form(Some("2".to_owned())).unwrap(), 2);
        for bad in ["", "0", "4", "x"] {
            assert!(form(Some(bad.to_owned())).is_err(), "{bad}");
        }
    }
}
