use sealyard_core::Timestamp;
use sealyard_store::{StoreError, WorkspaceKey, WorkspaceKeys};

use crate::error::corrupt;
use crate::forgotten;
use crate::session::Session;
use crate::sql::Row;

const FROM: &str = "SELECT workspace, id, sealed FROM workspace_keys";

fn read(row: &Row<'_>) -> Result<WorkspaceKey, StoreError> {
    Ok(WorkspaceKey { workspace: row.get(0)?, key: row.get(1)?, sealed: row.get(2)? })
}

impl WorkspaceKeys for Session<'_> {
    fn workspace_keys(&mut self) -> Result<Vec<WorkspaceKey>, StoreError> {
        self.all(&format!("{FROM} ORDER BY workspace"), [], read)
    }

    fn workspace_key(&mut self, workspace: i64) -> Result<Option<WorkspaceKey>, StoreError> {
        self.optional(&format!("{FROM} WHERE workspace = ?1"), [workspace], read)
    }

    fn put_workspace_key(&mut self, key: &WorkspaceKey, now: Timestamp) -> Result<WorkspaceKey, StoreError> {
        self.execute(
            "INSERT INTO workspace_keys (workspace, id, sealed, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            (key.workspace, &key.key, &key.sealed, now.as_millis()),
        )?;
        self.workspace_key(key.workspace)?.ok_or_else(|| corrupt("key of a workspace"))
    }

    fn destroy_workspace_key(&mut self, workspace: i64) -> Result<Option<String>, StoreError> {
        let found = self.workspace_key(workspace)?;
        // Written over first, so that the page does not keep it.
        self.execute("UPDATE workspace_keys SET sealed = ?2 WHERE workspace = ?1", (workspace, vec![0_u8; 200]))?;
        self.execute("DELETE FROM workspace_keys WHERE workspace = ?1", [workspace])?;
        forgotten::note();
        Ok(found.map(|key| key.key))
    }
}
