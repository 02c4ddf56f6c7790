use sealyard_core::{Digest, Timestamp};
use sealyard_store::model::{DEFAULT_WORKSPACE, NewObject, ObjectUse};
use sealyard_store::{Objects, StoreError};

use super::convert::{Columns as _, integer};
use crate::seals::SHARED_OBJECTS;
use crate::session::Session;

/// A row of any kind names the object.
const NAMED: &str = "(EXISTS (SELECT 1 FROM artifacts a WHERE a.object = o.object)
     OR EXISTS (SELECT 1 FROM version_files f WHERE f.object = o.object)
     OR EXISTS (SELECT 1 FROM upload_parts p WHERE p.object = o.object))";

impl Objects for Session<'_> {
    fn bytes_of_object(&mut self, object: &str) -> Result<String, StoreError> {
        let columns = SHARED_OBJECTS.list("t");
        let sql = format!("SELECT {columns} FROM stored_objects AS t WHERE object = ?1 AND state = 'shared'");
        let shared = self.optional(&sql, [object], |row| {
            self.check_asked(&SHARED_OBJECTS, row, 0, object)?;
            row.get::<String>(1)
        })?;
        Ok(shared.unwrap_or_else(|| object.to_owned()))
    }

    fn new_objects(&mut self, limit: u32) -> Result<Vec<NewObject>, StoreError> {
        self.all(
            "SELECT o.object, o.digest, o.size,
                 (SELECT min(t.object) FROM stored_objects t WHERE t.digest = o.digest AND t.size = o.size
                     AND t.workspace = o.workspace AND t.state = 'kept')
             FROM stored_objects o WHERE o.state = 'new' ORDER BY o.changed LIMIT ?1",
            [i64::from(limit)],
            |row| {
                Ok(NewObject {
                    object: row.get(0)?,
                    digest: row.digest(1)?,
                    size: row.unsigned(2)?,
                    twin: row.get::<Option<String>>(3)?,
                })
            },
        )
    }

    fn keep_object(&mut self, object: &str) -> Result<(), StoreError> {
        // Two of one content that arrived together: the second is looked at again, and finds the first.
        self.execute(
            "UPDATE stored_objects SET state = 'kept' WHERE object = ?1 AND state = 'new'
                 AND NOT EXISTS (SELECT 1 FROM stored_objects t WHERE t.digest = stored_objects.digest
                     AND t.size = stored_objects.size AND t.workspace = stored_objects.workspace AND t.state = 'kept')",
            [object],
        )?;
        Ok(())
    }

    fn distrust_object(&mut self, object: &str) -> Result<(), StoreError> {
        self.execute(
            "UPDATE stored_objects SET state = 'lone' WHERE object = ?1 AND state IN ('new', 'kept')",
            [object],
        )?;
        Ok(())
    }

    fn share_object(&mut self, object: &str, twin: &str, now: Timestamp) -> Result<bool, StoreError> {
        // Held until the end of the transaction, in one order whoever does it, so that a release waits or is seen.
        let mut both = [object, twin];
        both.sort_unstable();
        for one in both {
            self.hold(one)?;
        }
        if !self.is_in_use(object)? || !self.is_in_use(twin)? {
            return Ok(false);
        }
        let changed = self.execute(
            "UPDATE stored_objects SET state = 'shared', bytes = ?2, changed = ?3
             WHERE object = ?1 AND state = 'new' AND object <> ?2
                 AND NOT EXISTS (SELECT 1 FROM stored_objects s WHERE s.bytes = ?1)
                 AND EXISTS (SELECT 1 FROM stored_objects t WHERE t.object = ?2 AND t.state = 'kept'
                     AND t.digest = stored_objects.digest AND t.size = stored_objects.size
                     AND t.workspace = stored_objects.workspace)",
            (object, twin, now.as_millis()),
        )?;
        if changed == 1 {
            self.seal(&SHARED_OBJECTS, (object, twin))?;
        }
        Ok(changed == 1)
    }

    fn release_object(&mut self, object: &str, now: Timestamp) -> Result<Vec<String>, StoreError> {
        self.hold(object)?;
        if self.is_named(object)? {
            return Ok(Vec::new());
        }
        let bytes = self.bytes_of_object(object)?;
        if bytes != object {
            self.hold(&bytes)?;
            self.execute("DELETE FROM stored_objects WHERE object = ?1 AND state = 'shared'", [object])?;
        }
        if self.is_in_use(&bytes)? {
            return Ok(Vec::new());
        }
        self.execute(
            "UPDATE stored_objects SET state = 'retired', bytes = NULL, changed = ?2 WHERE object = ?1",
            (bytes.as_str(), now.as_millis()),
        )?;
        Ok(vec![bytes])
    }

    fn object_uses(&mut self, objects: &[String]) -> Result<Vec<ObjectUse>, StoreError> {
        objects
            .iter()
            .map(|object| {
                let state =
                    self.optional("SELECT state FROM stored_objects WHERE object = ?1", [object.as_str()], |row| {
                        row.get::<String>(0)
                    })?;
                Ok(match state.as_deref() {
                    None if self.is_named(object)? => ObjectUse::InUse,
                    None => ObjectUse::Unknown,
                    Some("shared" | "retired") => ObjectUse::Gone,
                    Some(_) if self.is_in_use(object)? => ObjectUse::InUse,
                    Some(_) => ObjectUse::Unused,
                })
            })
            .collect()
    }

    fn retire_unknown_object(&mut self, object: &str, now: Timestamp) -> Result<bool, StoreError> {
        if self.is_named(object)? {
            return Ok(false);
        }
        let inserted = self.execute(
            "INSERT INTO stored_objects (object, digest, size, state, changed) VALUES (?1, ?2, 0, 'retired', ?3)
             ON CONFLICT (object) DO NOTHING",
            (object, Digest::of(b"").as_bytes(), now.as_millis()),
        )?;
        Ok(inserted == 1)
    }

    fn unused_sharers(&mut self, limit: u32) -> Result<Vec<String>, StoreError> {
        self.all(
            &format!("SELECT o.object FROM stored_objects o WHERE o.state = 'shared' AND NOT {NAMED} LIMIT ?1"),
            [i64::from(limit)],
            |row| row.get(0),
        )
    }

    fn forget_retired_objects(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        let forgotten =
            self.execute("DELETE FROM stored_objects WHERE state = 'retired' AND changed < ?1", [before.as_millis()])?;
        Ok(forgotten as u64)
    }
}

/// How objects of a workspace are marked.
pub(super) fn workspace_of_objects(number: i64) -> String {
    if number == DEFAULT_WORKSPACE { "default".to_owned() } else { number.to_string() }
}

impl Session<'_> {
    /// Takes the row's lock, so that what is read of it next stays true.
    fn hold(&self, object: &str) -> Result<(), StoreError> {
        self.execute("UPDATE stored_objects SET changed = changed WHERE object = ?1", [object]).map(drop)
    }

    /// Writes the row of an object that comes to be used. One that was removed meanwhile can't be: whoever uploads tries
    /// again, with a new object.
    pub(super) fn use_object(
        &self,
        object: &str,
        digest: &Digest,
        size: u64,
        state: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let inserted = self.execute(
            "INSERT INTO stored_objects (object, digest, size, state, changed, workspace) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (object) DO NOTHING",
            (object, digest.as_bytes(), integer(size)?, state, now.as_millis(), workspace_of_objects(self.workspace())),
        )?;
        if inserted == 1 {
            return Ok(());
        }
        self.hold(object)?;
        let retired = self.exists("SELECT 1 FROM stored_objects WHERE object = ?1 AND state = 'retired'", [object])?;
        if retired { Err(StoreError::Busy) } else { Ok(()) }
    }

    pub(super) fn is_named(&self, object: &str) -> Result<bool, StoreError> {
        for table in ["artifacts", "version_files", "upload_parts"] {
            if self.exists(&format!("SELECT 1 FROM {table} WHERE object = ?1"), [object])? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Named itself, or by its bytes.
    pub(super) fn is_in_use(&self, object: &str) -> Result<bool, StoreError> {
        Ok(self.is_named(object)?
            || self.exists("SELECT 1 FROM stored_objects WHERE bytes = ?1 AND state = 'shared'", [object])?)
    }
}
