//! What a dump says of workspaces: which there are, and their keys.

use sealyard_core::Redacted;
use sealyard_store_sql::DumpItem;
use sealyard_vault::Keyring;

use crate::columns::Columns;
use crate::verify::MOST_PROBLEMS;
use crate::{BackupError, BackupProblem, Opened};

impl Opened<'_> {
    /// The vault's keys with those of the workspaces, which are in the catalog, sealed by them.
    ///
    /// # Errors
    /// [`BackupError::Refused`]. One that can't be opened is a problem, and all else can be looked at.
    pub fn with_workspace_keys(&self, ring: Keyring) -> Result<(Keyring, Vec<BackupProblem>), BackupError> {
        let (mut ring, mut dump, mut current) = (ring, self.dump()?, Columns::default());
        let mut problems = Vec::new();
        while let Some(item) = dump.next_item()? {
            match item {
                DumpItem::Table(table) => current = Columns::of(&table),
                DumpItem::Row(row) if current.table == "workspace_keys" => {
                    let refused = || BackupError::refused("backup.catalog", "a row of a workspace's key is none");
                    let id = current.text(&row, "id").ok_or_else(refused)?;
                    let sealed = current.blob(&row, "sealed").ok_or_else(refused)?;
                    let opened = ring.open_sealed("workspace-key", &id, sealed).ok();
                    match opened.and_then(|key| <[u8; 32]>::try_from(key.expose().as_slice()).ok()) {
                        Some(key) => ring = ring.with_scoped(Redacted::new(key)),
                        None if problems.len() < MOST_PROBLEMS => problems.push(BackupProblem {
                            rule: "backup.workspace-key",
                            detail: format!(
                                "the key {id} of a workspace can't be opened: what is stored under it can't be read"
                            ),
                            damaged: Some(id),
                        }),
                        None => {}
                    }
                }
                DumpItem::Row(_) => {}
            }
        }
        Ok((ring, problems))
    }

    /// Which of these names no workspace in the backup has.
    ///
    /// # Errors
    /// [`BackupError::Refused`].
    pub fn unknown_workspaces(&self, names: &[String]) -> Result<Vec<String>, BackupError> {
        let (mut unknown, mut dump, mut current) = (names.to_vec(), self.dump()?, Columns::default());
        while let Some(item) = dump.next_item()? {
            match item {
                DumpItem::Table(table) => current = Columns::of(&table),
                DumpItem::Row(row) if current.table == "workspaces" => {
                    let name = current.text(&row, "name");
                    unknown.retain(|unknown| name.as_ref() != Some(unknown));
                }
                DumpItem::Row(_) => {}
            }
        }
        Ok(unknown)
    }
}
