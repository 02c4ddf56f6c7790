//! Work that must not hold up others, and work that must not stop half-way.

use sealyard_core::Timestamp;
use sealyard_store::Store;
use sealyard_vault::{ObjectId, Vault, VaultError};

use crate::AppError;
use crate::backup_hold::is_held;

/// Runs what reads, writes or computes for long, away from the threads that serve everybody.
pub(crate) async fn blocking<T: Send + 'static>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
) -> Result<T, AppError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| AppError::internal(what, error))?
}

/// Runs `act` to its end even when the one who asked for it goes away: a closed connection drops the request's future at
/// any await, and between a change and what belongs to it that would leave one without the other.
pub(crate) async fn to_its_end<T: Send + 'static>(
    what: &'static str,
    act: impl Future<Output = Result<T, AppError>> + Send + 'static,
) -> Result<T, AppError> {
    tokio::spawn(act).await.map_err(|error| AppError::internal(what, error))?
}

/// Removes objects that nothing refers to any more. The act they belonged to is over, so a failure here is not its
/// failure: what stays behind goes at the next collection. So does what would go while a backup copies.
pub(crate) async fn remove_objects(store: &dyn Store, vault: &Vault, objects: Vec<ObjectId>) {
    if objects.is_empty() || is_held(store).await {
        return;
    }
    let vault = vault.clone();
    let removed = blocking("objects could not be removed", move || {
        for object in objects {
            if let Err(error) = vault.delete(&object)
                && !matches!(error, VaultError::Missing { .. })
            {
                tracing::warn!(%object, %error, "an object that nobody needs could not be removed");
            }
        }
        Ok(())
    });
    if let Err(error) = removed.await {
        tracing::warn!(%error, "objects that nobody needs could not be removed");
    }
}

/// Removes an object whose row could not be written. Only the catalog knows that for sure: a commit that seemed to fail
/// may have been written, and then the object is somebody's file. Asked as a writer, which waits for a commit that the database
/// is still busy with although its connection to us is gone.
pub(crate) async fn remove_if_unused(store: &dyn Store, vault: &Vault, object: ObjectId, now: Timestamp) {
    let name = object.to_string();
    match store.write(move |tx| Ok::<_, AppError>(tx.retire_unknown_object(&name, now)?)).await {
        Ok(true) => remove_objects(store, vault, vec![object]).await,
        Ok(false) => {}
        Err(error) => tracing::warn!(%object, %error, "whether an object is needed is not known; it is left"),
    }
}
