use sealyard_core::Timestamp;
use sealyard_store::StoreError;
use sealyard_store::model::{Pair, RegisteredModel};

use super::convert::{Columns as _, already_exists, not_found};
use super::pairs::REGISTERED_MODEL_TAGS;
use crate::session::Session;

impl Session<'_> {
    pub(super) fn insert_registered_model(
        &self,
        name: &str,
        description: &str,
        tags: &[Pair],
        created_by: &str,
        now: Timestamp,
    ) -> Result<RegisteredModel, StoreError> {
        let number = self
            .insert(
                "INSERT INTO registered_models (name, description, created, updated, created_by)
                 VALUES (?1, ?2, ?3, ?3, ?4) ON CONFLICT DO NOTHING RETURNING number",
                (name, description, now.as_millis(), created_by),
            )?
            .ok_or_else(|| already_exists("registered model", name))?;
        self.put_pairs(REGISTERED_MODEL_TAGS, number, tags)?;
        self.load_registered_model(number)
    }

    pub(super) fn change_model_name(
        &self,
        name: &str,
        to: &str,
        now: Timestamp,
    ) -> Result<RegisteredModel, StoreError> {
        let number = self.registered_model_key(name)?;
        let renamed = self.execute(
            "UPDATE registered_models SET name = ?2, updated = ?3 WHERE number = ?1
                 AND NOT EXISTS (SELECT 1 FROM registered_models other WHERE other.name = ?2 AND other.number <> ?1)",
            (number, to, now.as_millis()),
        )?;
        if renamed == 0 { Err(already_exists("registered model", to)) } else { self.load_registered_model(number) }
    }

    pub(super) fn registered_model_key(&self, name: &str) -> Result<i64, StoreError> {
        self.optional("SELECT number FROM registered_models WHERE name = ?1", [name], |row| row.get(0))?
            .ok_or_else(|| not_found("registered model", name))
    }

    pub(super) fn touch_registered_model(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        self.execute("UPDATE registered_models SET updated = ?2 WHERE number = ?1", (number, now.as_millis()))?;
        Ok(())
    }

    pub(super) fn load_registered_model(&self, number: i64) -> Result<RegisteredModel, StoreError> {
        let model = self.optional(
            "SELECT name, description, created, updated, created_by FROM registered_models WHERE number = ?1",
            [number],
            |row| {
                Ok(RegisteredModel {
                    name: row.get(0)?,
                    description: row.get(1)?,
                    created: row.timestamp(2)?,
                    updated: row.timestamp(3)?,
                    created_by: row.get(4)?,
                    tags: Vec::new(),
                    aliases: Vec::new(),
                })
            },
        )?;
        let mut model = model.ok_or_else(|| not_found("registered model", number.to_string()))?;
        model.tags = self.pairs(REGISTERED_MODEL_TAGS, number)?;
        model.aliases =
            self.all("SELECT alias, version FROM aliases WHERE model = ?1 ORDER BY alias", [number], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        Ok(model)
    }
}
