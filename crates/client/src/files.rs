use std::path::Path;

use sealyard_core::{FileEntry, Hasher};
use tokio::io::AsyncWriteExt as _;

use crate::{Client, ClientError, path, segment};

/// Fetches the files of one version. What it writes is what the server sent: whoever reads it compares digests.
#[derive(Debug, Clone)]
pub struct FileFetcher {
    client: Client,
    name: String,
    version: u32,
}

impl FileFetcher {
    /// For a version of a registered model.
    #[must_use]
    pub const fn new(client: Client, name: String, version: u32) -> Self {
        Self { client, name, version }
    }

    /// Writes one file to `target`, whose directory exists. Stops at the size that the manifest gives, so that a server
    /// can't fill the disk. Gives back whether size and digest were the manifest's.
    ///
    /// # Errors
    /// [`ClientError`]; a disk error is a [`std::io::Error`] inside.
    pub async fn fetch(&self, entry: &FileEntry, target: &Path) -> Result<bool, FetchError> {
        let place = format!(
            "/api/sealyard/v1/models/{}/versions/{}/files/{}",
            segment(&self.name),
            self.version,
            path(entry.path.as_str())
        );
        let mut answer = self.client.send(self.client.request(reqwest::Method::GET, &place)).await?;
        let mut file = tokio::fs::File::create(target).await?;
        let mut hasher = Hasher::default();
        let mut size = 0_u64;
        while let Some(piece) = answer.chunk().await.map_err(ClientError::Transport)? {
            size += piece.len() as u64;
            if size > entry.size {
                return Ok(false);
            }
            hasher.update(&piece);
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        Ok(size == entry.size && hasher.finish() == entry.digest)
    }
}

/// A file could not be fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The server.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The disk.
    #[error("the file could not be written")]
    Disk(#[from] std::io::Error),
}
