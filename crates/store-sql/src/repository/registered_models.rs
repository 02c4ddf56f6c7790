use sealyard_core::Timestamp;
use sealyard_store::StoreError;
use sealyard_store::model::{Pair, RegisteredModel};

use super::batch::ByNumber;
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
        self.check_workspace()?;
        let number = self
            .insert(
                "INSERT INTO registered_models (key, name, workspace, description, created, updated, created_by)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6) ON CONFLICT DO NOTHING RETURNING number",
                (self.key_of(name), name, self.workspace(), description, now.as_millis(), created_by),
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
            "UPDATE registered_models SET name = ?2, key = ?3, updated = ?4 WHERE number = ?1 AND workspace = ?5
                 AND NOT EXISTS (SELECT 1 FROM registered_models other WHERE other.key = ?3 AND other.number <> ?1)",
            (number, to, self.key_of(to), now.as_millis(), self.workspace()),
        )?;
        if renamed == 0 { Err(already_exists("registered model", to)) } else { self.load_registered_model(number) }
    }

    pub(super) fn registered_model_key(&self, name: &str) -> Result<i64, StoreError> {
        let sql = "SELECT number FROM registered_models WHERE key = ?1 AND workspace = ?2";
        self.optional(sql, (self.key_of(name), self.workspace()), |row| row.get(0))?
            .ok_or_else(|| not_found("registered model", name))
    }

    pub(super) fn touch_registered_model(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        self.execute("UPDATE registered_models SET updated = ?2 WHERE number = ?1", (number, now.as_millis()))?;
        Ok(())
    }

    pub(super) fn load_registered_model(&self, number: i64) -> Result<RegisteredModel, StoreError> {
        self.load_registered_models(&[number])?.pop().ok_or_else(|| not_found("registered model", number.to_string()))
    }

    /// Registered models with their tags and aliases, in the order of `numbers`.
    pub(super) fn load_registered_models(&self, numbers: &[i64]) -> Result<Vec<RegisteredModel>, StoreError> {
        let rows = self.all_of(
            numbers,
            |among| {
                format!("SELECT number, name, description, created, updated, created_by FROM registered_models WHERE number {among}")
            },
            |row| {
                let model = RegisteredModel {
                    name: row.get(1)?,
                    description: row.get(2)?,
                    created: row.timestamp(3)?,
                    updated: row.timestamp(4)?,
                    created_by: row.get(5)?,
                    tags: Vec::new(),
                    aliases: Vec::new(),
                };
                Ok((row.get(0)?, model))
            },
        )?;
        let mut models = ByNumber::new(rows);
        models.add(self.pairs_of(REGISTERED_MODEL_TAGS, numbers)?, |model, pair| model.tags.push(pair));
        let aliases = self.all_of(
            numbers,
            |among| format!("SELECT model, alias, version FROM aliases WHERE model {among} ORDER BY model, alias"),
            |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))),
        )?;
        models.add(aliases, |model, alias| model.aliases.push(alias));
        Ok(models.in_order(numbers))
    }
}
