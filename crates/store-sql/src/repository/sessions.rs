use sealyard_core::Timestamp;
use sealyard_store::model::SessionRecord;
use sealyard_store::{Identities as _, Sessions, StoreError};

use super::convert::{Columns as _, already_exists, not_found};
use crate::seals::SESSIONS;
use crate::session::Session;
use crate::sql::Row;

/// In the order of [`SESSIONS`], with the seal, the owner's name and the last use.
const SESSION: &str = "SELECT sessions.id, sessions.\"user\", sessions.hash, sessions.created, sessions.expires,
         sessions.provider, sessions.external, sessions.seal, users.name, sessions.seen
     FROM sessions JOIN users ON users.number = sessions.\"user\"";

impl Sessions for Session<'_> {
    fn create_session(&mut self, session: &SessionRecord) -> Result<(), StoreError> {
        let user = self.user(&session.owner)?.ok_or_else(|| not_found("user", &session.owner))?;
        let inserted = self.execute(
            "INSERT INTO sessions (id, \"user\", hash, created, seen, expires, provider, external)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
            (
                &session.id,
                user.id,
                &session.hash,
                session.created.as_millis(),
                session.seen.as_millis(),
                session.expires.as_millis(),
                &session.provider,
                &session.external,
            ),
        )?;
        if inserted == 0 {
            return Err(already_exists("session", &session.id));
        }
        let (created, expires) = (session.created.as_millis(), session.expires.as_millis());
        let meant = (&session.id, user.id, &session.hash, created, expires, &session.provider, &session.external);
        self.seal(&SESSIONS, meant)
    }

    fn session_by_hash(&mut self, hash: &str) -> Result<Option<SessionRecord>, StoreError> {
        self.optional(&format!("{SESSION} WHERE sessions.hash = ?1"), [hash], |row| {
            self.check_asked(&SESSIONS, row, 2, hash)?;
            read_session(row)
        })
    }

    fn sessions_of(&mut self, owner: &str) -> Result<Vec<SessionRecord>, StoreError> {
        let sql = format!("{SESSION} WHERE users.name = ?1 ORDER BY sessions.created, sessions.id");
        self.all(&sql, [owner], read_session)
    }

    fn sessions_of_provider(
        &mut self,
        provider: &str,
        external: Option<&str>,
        owner: Option<&str>,
    ) -> Result<Vec<SessionRecord>, StoreError> {
        let sql = format!(
            "{SESSION} WHERE sessions.provider = ?1 AND (CAST(?2 AS TEXT) IS NULL OR sessions.external = ?2)
               AND (CAST(?3 AS TEXT) IS NULL OR users.name = ?3) ORDER BY sessions.created, sessions.id"
        );
        self.all(&sql, (provider, external, owner), read_session)
    }

    fn session_seen(&mut self, hash: &str, at: Timestamp) -> Result<(), StoreError> {
        self.execute("UPDATE sessions SET seen = ?2 WHERE hash = ?1 AND seen < ?2", (hash, at.as_millis()))?;
        Ok(())
    }

    fn end_session(&mut self, hash: &str) -> Result<bool, StoreError> {
        Ok(self.remove(&SESSIONS, "hash = ?1", [hash])? > 0)
    }

    fn remove_old_sessions(&mut self, now: Timestamp, idle_since: Timestamp) -> Result<usize, StoreError> {
        self.remove(&SESSIONS, "expires <= ?1 OR seen <= ?2", (now.as_millis(), idle_since.as_millis()))
    }
}

fn read_session(row: &Row<'_>) -> Result<SessionRecord, StoreError> {
    Ok(SessionRecord {
        id: row.get(0)?,
        owner: row.get(8)?,
        hash: row.get(2)?,
        created: row.timestamp(3)?,
        seen: row.timestamp(9)?,
        expires: row.timestamp(4)?,
        provider: row.get(5)?,
        external: row.get(6)?,
    })
}
