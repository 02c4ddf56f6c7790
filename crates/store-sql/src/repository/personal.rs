use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::personal::{Kept, Personal};
use sealyard_store::{PersonalRecords, StoreError};

use crate::forgotten;
use crate::session::Session;
use crate::sql::Row;

impl PersonalRecords for Session<'_> {
    fn personal(&mut self, digest: &Digest) -> Result<Kept, StoreError> {
        let found = self.optional(
            "SELECT salt, personal FROM ledger_personal WHERE digest = ?1",
            [digest.as_bytes().as_slice()],
            read_kept,
        )?;
        Ok(found.unwrap_or(Kept::Missing))
    }

    fn erase_personal(&mut self, actor: Option<&str>, before: Timestamp) -> Result<u64, StoreError> {
        forgotten::note();
        let erased = match actor {
            Some(actor) => self.execute(
                "UPDATE ledger_personal SET salt = NULL, personal = NULL WHERE actor = ?1 AND time < ?2 AND salt IS NOT NULL",
                (actor, before.as_millis()),
            ),
            None => self.execute(
                "UPDATE ledger_personal SET salt = NULL, personal = NULL WHERE time < ?1 AND salt IS NOT NULL",
                [before.as_millis()],
            ),
        };
        erased.map(|erased| erased as u64)
    }
}

/// Salt and text of a row; neither is there once it was erased.
pub(crate) fn read_kept(row: &Row<'_>) -> Result<Kept, StoreError> {
    Ok(match (row.get::<Option<Vec<u8>>>(0)?, row.get::<Option<String>>(1)?) {
        (Some(salt), Some(text)) => Kept::There { salt, text },
        (None, None) => Kept::Erased,
        // Half of it was taken away by nobody who may.
        _ => Kept::Missing,
    })
}

impl Session<'_> {
    pub(super) fn keep_personal(&self, personal: &Personal, actor: &str, time: Timestamp) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO ledger_personal (digest, salt, personal, actor, time) VALUES (?1, ?2, ?3, ?4, ?5)",
            (personal.digest.as_bytes().as_slice(), personal.salt.as_slice(), &personal.text, actor, time.as_millis()),
        )?;
        Ok(())
    }
}
