//! Rows that were changed behind the server's back: looked for again and again, told once each.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use sealyard_ledger::{Act, Outcome};
use sealyard_store::DamagedRow;

use crate::{App, AppError, Caller};

/// More are not told of at once.
const MOST: u32 = 1000;

/// What this process has put into the ledger already.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<BTreeSet<DamagedRow>>);

impl App {
    /// Looks at every row that decides something, and puts those that are not as the server wrote them into the ledger. A damaged
    /// row decides nothing whether or not it was found by this. Where nothing can be written, since the schema is not the server's,
    /// they are said all the same, and told when that is over.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn look_for_damaged_rows(&self) -> Result<Vec<DamagedRow>, AppError> {
        let found = self.store().read(|tx| Ok::<_, AppError>(tx.damaged_rows(MOST)?)).await?;
        let new: Vec<DamagedRow> = {
            let told = self.told_damage.0.lock().unwrap_or_else(PoisonError::into_inner);
            found.iter().filter(|row| !told.contains(row)).cloned().collect()
        };
        if !new.is_empty() {
            tracing::error!(rows = new.len(), "rows of the catalog were changed behind the server's back");
            let event = |row: &DamagedRow| {
                let act = Act::CatalogDamaged { table: row.table.to_owned(), row: row.row.clone() };
                self.event(&Caller::system(), Outcome::Failed, act)
            };
            match self.record_all(new.iter().map(event).collect()).await {
                Ok(()) => {}
                Err(error) if error.foreign_schema().is_some() => {
                    tracing::error!(error = ?error, "the ledger could not be told");
                    return Ok(found);
                }
                Err(error) => return Err(error),
            }
        }
        // What was mended and is damaged again is told again.
        *self.told_damage.0.lock().unwrap_or_else(PoisonError::into_inner) = found.iter().cloned().collect();
        Ok(found)
    }
}
