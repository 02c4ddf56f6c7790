use std::sync::Arc;

use sealyard_core::TreePath;
use sealyard_identity::Edit;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::ArtifactOwner;

use super::{ArtifactProof, check_count, full_path};
use crate::housekeeping::ids;
use crate::tasks::{remove_objects, to_its_end};
use crate::{App, AppError, Caller};

impl App {
    /// Removes the file at `path`, or all files below it.
    ///
    /// # Errors
    /// [`AppError::NotFound`] when there is none; [`AppError::Conflict`] for a finalised model and for what became part of
    /// a version.
    pub async fn delete_artifacts(
        &self,
        caller: &Caller,
        proof: impl Into<ArtifactProof<'_, Edit>> + Send,
        owner: &ArtifactOwner,
        path: &TreePath,
    ) -> Result<(), AppError> {
        self.check_owner(proof.into(), owner).await?;
        let full = full_path(owner, path.as_str());
        let event = self.event(caller, Outcome::Done, Act::ArtifactDeleted { path: full.clone() });
        let (owner, path, now) = (owner.clone(), path.as_str().to_owned(), self.now());
        let (store, vault) = (Arc::clone(&self.store), Arc::clone(&self.vault));
        to_its_end("a deletion broke", async move {
            let unused = store
                .write(move |tx| {
                    check_count(tx.count_artifacts_below(&owner, &path)?)?;
                    let gone = tx.artifacts_below(&owner, &path)?;
                    if tx.delete_artifacts_below(&owner, &path)? == 0 {
                        return Err(AppError::NotFound { kind: "artifact", id: full });
                    }
                    tx.record(&event)?;
                    let mut unused = Vec::new();
                    for artifact in gone {
                        unused.extend(tx.release_object(&artifact.object, now)?);
                    }
                    Ok(unused)
                })
                .await?;
            remove_objects(&*store, &vault, ids(unused)).await;
            Ok(())
        })
        .await?;
        self.sequencer.notify();
        Ok(())
    }
}
