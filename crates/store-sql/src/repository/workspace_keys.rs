use sealyard_core::Timestamp;
use sealyard_store::{StoreError, WorkspaceKey, WorkspaceKeys};

use crate::forgotten;
use crate::seals::WORKSPACE_KEYS;
use crate::session::Session;
use crate::sql::Row;

/// In the order of [`WORKSPACE_KEYS`], with the seal.
const FROM: &str = "SELECT workspace, id, sealed, seal FROM workspace_keys";

impl WorkspaceKeys for Session<'_> {
    fn workspace_keys(&mut self) -> Result<Vec<WorkspaceKey>, StoreError> {
        self.all_intact(&WORKSPACE_KEYS, read)
    }

    fn intact_workspace_keys(&mut self) -> Result<Vec<WorkspaceKey>, StoreError> {
        let found = self.all(&format!("{FROM} ORDER BY workspace"), [], |row| {
            Ok(if self.is_intact(&WORKSPACE_KEYS, row, 0)? { Some(read(row)?) } else { None })
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn workspace_key(&mut self, workspace: i64) -> Result<Option<WorkspaceKey>, StoreError> {
        self.optional(&format!("{FROM} WHERE workspace = ?1"), [workspace], |row| {
            self.check(&WORKSPACE_KEYS, row, 0)?;
            read(row)
        })
    }

    fn put_workspace_key(&mut self, key: &WorkspaceKey, now: Timestamp) -> Result<WorkspaceKey, StoreError> {
        // One that was put back meanwhile is not taken for the one that is there, and where one is missed no other takes its place.
        if let Some(there) = self.workspace_keys()?.into_iter().find(|there| there.workspace == key.workspace) {
            return Ok(there);
        }
        self.execute(
            "INSERT INTO workspace_keys (workspace, id, sealed, created) VALUES (?1, ?2, ?3, ?4)",
            (key.workspace, &key.key, &key.sealed, now.as_millis()),
        )?;
        self.seal(&WORKSPACE_KEYS, (key.workspace, key.key.as_str(), key.sealed.as_slice()))?;
        Ok(key.clone())
    }

    fn destroy_workspace_key(&mut self, workspace: i64) -> Result<Option<String>, StoreError> {
        // Of one that was changed nobody knows which key it is: the ledger would say that another one is gone. And one that is not
        // counted would be taken out of the count.
        let found = self.workspace_keys()?.into_iter().find(|there| there.workspace == workspace);
        self.write_over(&WORKSPACE_KEYS, [workspace])?;
        // Written over first, so that the page does not keep it.
        self.execute("UPDATE workspace_keys SET sealed = ?2 WHERE workspace = ?1", (workspace, vec![0_u8; 200]))?;
        self.execute("DELETE FROM workspace_keys WHERE workspace = ?1", [workspace])?;
        forgotten::note();
        Ok(found.map(|key| key.key))
    }
}

fn read(row: &Row<'_>) -> Result<WorkspaceKey, StoreError> {
    Ok(WorkspaceKey { workspace: row.get(0)?, key: row.get(1)?, sealed: row.get(2)? })
}
