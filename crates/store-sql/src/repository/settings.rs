use sealyard_store::{Settings, StoreError};

use crate::session::Session;

impl Settings for Session<'_> {
    fn setting(&mut self, key: &str) -> Result<Option<String>, StoreError> {
        self.optional("SELECT value FROM settings WHERE key = ?1", [key], |row| row.get(0))
    }

    fn put_setting(&mut self, key: &str, value: &str) -> Result<(), StoreError> {
        self.execute(
            "INSERT INTO settings (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [key, value],
        )?;
        Ok(())
    }
}
