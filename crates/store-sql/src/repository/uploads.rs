use sealyard_core::Timestamp;
use sealyard_store::model::{ArtifactOwner, PartedUpload, UploadPart, UploadState};
use sealyard_store::{StoreError, Uploads};

use super::artifacts::owner_columns;
use super::convert::{Columns as _, already_exists, integer, not_found};
use crate::session::Session;
use crate::sql::Row;

impl Uploads for Session<'_> {
    fn begin_upload(&mut self, upload: &PartedUpload) -> Result<(), StoreError> {
        self.check_owner_takes_files(&upload.owner)?;
        let (kind, owner) = owner_columns(&upload.owner);
        let inserted = self.execute(
            "INSERT INTO uploads (id, owner_kind, owner, path, parts, created_by, created, state)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING",
            (
                &upload.id,
                kind,
                owner,
                upload.path.as_str(),
                i64::from(upload.parts),
                &upload.created_by,
                upload.created.as_millis(),
                upload.state.as_str(),
            ),
        )?;
        if inserted == 1 { Ok(()) } else { Err(already_exists("upload", &upload.id)) }
    }

    fn upload(&mut self, id: &str) -> Result<Option<PartedUpload>, StoreError> {
        let upload = self.optional(
            "SELECT id, owner_kind, owner, path, parts, created_by, created, state FROM uploads WHERE id = ?1",
            [id],
            read,
        )?;
        // One whose owner is in another workspace is not here.
        let Some(upload) = upload else { return Ok(None) };
        let here = !self.columns(&upload.owner)?.1.is_empty();
        Ok(here.then_some(upload))
    }

    fn count_open_uploads(&mut self, created_by: &str) -> Result<u64, StoreError> {
        let count = self.optional(
            "SELECT count(*) FROM uploads WHERE created_by = ?1 AND state <> 'done'",
            [created_by],
            |row| row.unsigned(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn put_upload_part(
        &mut self,
        id: &str,
        part: &UploadPart,
        limit: u64,
        now: Timestamp,
    ) -> Result<Option<String>, StoreError> {
        // Takes the row, so that two parts can't both be the last that fits.
        let open = self.execute("UPDATE uploads SET state = 'open' WHERE id = ?1 AND state = 'open'", [id])?;
        if open == 0 {
            return Err(StoreError::Conflict("the upload is over or takes no parts any more".to_owned()));
        }
        let number = i64::from(part.number);
        let others = self.optional(
            "SELECT coalesce(CAST(sum(size) AS BIGINT), 0) FROM upload_parts WHERE upload = ?1 AND number <> ?2",
            (id, number),
            |row| row.unsigned(0),
        )?;
        if others.unwrap_or(0).saturating_add(part.size) > limit {
            return Err(StoreError::Conflict(format!("the parts are together larger than {limit} bytes")));
        }
        let replaced =
            self.optional("SELECT object FROM upload_parts WHERE upload = ?1 AND number = ?2", (id, number), |row| {
                row.get::<String>(0)
            })?;
        self.use_object(&part.object, &part.digest, part.size, "part", now)?;
        self.execute(
            "INSERT INTO upload_parts (upload, number, object, digest, size) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (upload, number) DO UPDATE SET object = excluded.object, digest = excluded.digest,
                 size = excluded.size",
            (id, number, &part.object, part.digest.as_bytes(), integer(part.size)?),
        )?;
        Ok(replaced)
    }

    fn upload_parts(&mut self, id: &str) -> Result<Vec<UploadPart>, StoreError> {
        self.all(
            "SELECT number, object, digest, size FROM upload_parts WHERE upload = ?1 ORDER BY number",
            [id],
            |row| {
                Ok(UploadPart {
                    number: u32::try_from(row.unsigned(0)?).unwrap_or(u32::MAX),
                    object: row.get(1)?,
                    digest: row.digest(2)?,
                    size: row.unsigned(3)?,
                })
            },
        )
    }

    fn set_upload_state(&mut self, id: &str, from: UploadState, to: UploadState) -> Result<bool, StoreError> {
        let changed = self
            .execute("UPDATE uploads SET state = ?3 WHERE id = ?1 AND state = ?2", (id, from.as_str(), to.as_str()))?;
        Ok(changed == 1)
    }

    fn reopen_uploads(&mut self) -> Result<u64, StoreError> {
        let (from, to) = (UploadState::Completing.as_str(), UploadState::Open.as_str());
        let opened = self.execute("UPDATE uploads SET state = ?2 WHERE state = ?1", (from, to))?;
        Ok(opened as u64)
    }

    fn remove_upload_parts(&mut self, id: &str) -> Result<Vec<String>, StoreError> {
        let objects = self.all("SELECT object FROM upload_parts WHERE upload = ?1", [id], |row| row.get(0))?;
        self.execute("DELETE FROM upload_parts WHERE upload = ?1", [id])?;
        Ok(objects)
    }

    fn remove_upload(&mut self, id: &str) -> Result<Vec<String>, StoreError> {
        let objects = self.remove_upload_parts(id)?;
        if self.execute("DELETE FROM uploads WHERE id = ?1", [id])? == 0 {
            return Err(not_found("upload", id));
        }
        Ok(objects)
    }

    fn uploads_begun_before(&mut self, before: Timestamp, limit: u32) -> Result<Vec<String>, StoreError> {
        self.all(
            "SELECT id FROM uploads WHERE created < ?1 ORDER BY created LIMIT ?2",
            (before.as_millis(), i64::from(limit)),
            |row| row.get(0),
        )
    }
}

fn read(row: &Row<'_>) -> Result<PartedUpload, StoreError> {
    let owner: String = row.get(2)?;
    Ok(PartedUpload {
        id: row.get(0)?,
        owner: row.named(1, |kind| match kind {
            "run" => Some(ArtifactOwner::Run(owner)),
            "model" => Some(ArtifactOwner::LoggedModel(owner)),
            _ => None,
        })?,
        path: row.tree_path(3)?,
        parts: u32::try_from(row.unsigned(4)?).unwrap_or(u32::MAX),
        created_by: row.get(5)?,
        created: row.timestamp(6)?,
        state: row.named(7, UploadState::parse)?,
    })
}
