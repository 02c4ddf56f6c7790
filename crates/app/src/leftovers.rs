//! What a killed server left in the vault.

use std::cell::RefCell;

use sealyard_vault::{ObjectId, Vault};

use crate::tasks::{blocking, remove_if_unused};
use crate::{App, AppError};

/// Objects that are looked up in one reading of the catalog.
const AT_ONCE: usize = 500;

impl App {
    /// Removes what uploads left that ended with the server: half-written files, and objects that got no row. Uploads may go
    /// on meanwhile.
    ///
    /// # Errors
    /// [`AppError::Vault`], [`AppError::Store`].
    pub async fn remove_leftovers(&self) -> Result<(), AppError> {
        let vault = Vault::clone(&self.vault);
        let objects = blocking("the vault could not be swept", move || {
            let objects = RefCell::new(Vec::new());
            vault.sweep(&|object| {
                objects.borrow_mut().push(*object);
                true
            })?;
            Ok(objects.into_inner())
        })
        .await?;
        for some in objects.chunks(AT_ONCE) {
            let some = some.to_vec();
            let without_row: Vec<ObjectId> = self
                .store()
                .read(move |tx| {
                    let mut found = Vec::new();
                    for object in some {
                        if !tx.object_is_referenced(&object.to_string())? {
                            found.push(object);
                        }
                    }
                    Ok::<_, AppError>(found)
                })
                .await?;
            for object in without_row {
                // Its row may have been about to be written; with this held, none is, so that it is asked again.
                let _nobody_places = self.placing.write().await;
                remove_if_unused(self.store(), &self.vault, object).await;
            }
        }
        Ok(())
    }
}
