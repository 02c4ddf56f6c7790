use std::collections::BTreeSet;

use sealyard_core::TreePath;
use sealyard_identity::Read;
use sealyard_store::model::ArtifactOwner;

use super::{ArtifactProof, check_count};
use crate::{App, AppError};

/// One line of a listing: a file, or a directory that holds some.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ArtifactListing {
    /// Path from the owner's artifact root.
    pub path: String,
    /// `None` for a directory.
    pub size: Option<u64>,
}

impl App {
    /// What lies directly below `directory`, as MLflow lists artifacts: directories and files by path.
    ///
    /// # Errors
    /// [`AppError::Denied`] when the owner is in another experiment; [`AppError::Invalid`] for far too many files.
    pub async fn list_artifacts(
        &self,
        proof: impl Into<ArtifactProof<'_, Read>> + Send,
        owner: &ArtifactOwner,
        directory: Option<&TreePath>,
    ) -> Result<Vec<ArtifactListing>, AppError> {
        self.check_owner(proof.into(), owner).await?;
        let prefix = directory.map_or_else(String::new, |path| path.as_str().to_owned());
        let (owner, below) = (owner.clone(), prefix.clone());
        let artifacts = self
            .store()
            .read(move |tx| {
                check_count(tx.count_artifacts_below(&owner, &below)?)?;
                Ok::<_, AppError>(tx.artifacts_below(&owner, &below)?)
            })
            .await?;
        let mut listing = BTreeSet::new();
        for artifact in artifacts {
            let path = artifact.path.as_str();
            let rest = match prefix.as_str() {
                "" => path,
                prefix => match path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
                    Some(rest) => rest,
                    None => continue,
                },
            };
            let start = path.len() - rest.len();
            listing.insert(match rest.find('/') {
                Some(end) => {
                    ArtifactListing { path: path.get(..start + end).unwrap_or_default().to_owned(), size: None }
                }
                None => ArtifactListing { path: path.to_owned(), size: Some(artifact.size) },
            });
        }
        Ok(listing.into_iter().collect())
    }
}
