use sealyard_core::Timestamp;
use sealyard_store::StoreError;
use sealyard_store::model::{Pair, RegisteredModel};

use super::batch::ByNumber;
use super::convert::{Columns as _, already_exists, not_found};
use super::pairs::REGISTERED_MODEL_TAGS;
use crate::seals::{ALIASES, MODEL_VERSIONS, REGISTERED_MODELS};
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
        let meant = (number, self.key_of(name), name, self.workspace(), created_by, 0_i64);
        self.seal(&REGISTERED_MODELS, meant)?;
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
        let key = self.key_of(to);
        let taken = "SELECT 1 FROM registered_models WHERE key = ?1 AND workspace = ?2 AND number <> ?3";
        if self.exists(taken, (&key, self.workspace(), number))? {
            return Err(already_exists("registered model", to));
        }
        let changes = [("name", to.into()), ("key", key.into()), ("updated", now.as_millis().into())];
        self.change(&REGISTERED_MODELS, [number], &changes)?;
        self.load_registered_model(number)
    }

    pub(super) fn registered_model_key(&self, name: &str) -> Result<i64, StoreError> {
        let (key, columns) = (self.key_of(name), REGISTERED_MODELS.list("t"));
        let sql = format!("SELECT {columns} FROM registered_models AS t WHERE key = ?1 AND workspace = ?2");
        let found = self.optional(&sql, (&key, self.workspace()), |row| {
            self.check_asked(&REGISTERED_MODELS, row, 1, &key)?;
            row.get(0)
        })?;
        found.ok_or_else(|| not_found("registered model", name))
    }

    /// Removes a model with all that hangs on it.
    pub(super) fn remove_model(&self, number: i64) -> Result<(), StoreError> {
        self.remove(&ALIASES, "model = ?1", [number])?;
        self.remove(&MODEL_VERSIONS, "model = ?1", [number])?;
        self.remove(&REGISTERED_MODELS, "number = ?1", [number]).map(drop)
    }

    pub(super) fn touch_registered_model(&self, number: i64, now: Timestamp) -> Result<(), StoreError> {
        self.execute("UPDATE registered_models SET updated = ?2 WHERE number = ?1", (number, now.as_millis()))?;
        Ok(())
    }

    pub(super) fn load_registered_model(&self, number: i64) -> Result<RegisteredModel, StoreError> {
        self.load_registered_models(&[number])?.pop().ok_or_else(|| not_found("registered model", number.to_string()))
    }

    /// Registered models with their tags and aliases, in the order of `numbers`, but not those that were changed behind our back.
    pub(super) fn load_registered_models(&self, numbers: &[i64]) -> Result<Vec<RegisteredModel>, StoreError> {
        let rows = self.all_of(
            numbers,
            |among| {
                format!(
                    "SELECT t.number, t.name, t.description, t.created, t.updated, t.created_by, {}
                     FROM registered_models AS t WHERE t.number {among}",
                    REGISTERED_MODELS.list("t")
                )
            },
            |row| {
                if !self.is_intact(&REGISTERED_MODELS, row, 6)? {
                    return Ok(None);
                }
                let model = RegisteredModel {
                    name: row.get(1)?,
                    description: row.get(2)?,
                    created: row.timestamp(3)?,
                    updated: row.timestamp(4)?,
                    created_by: row.get(5)?,
                    tags: Vec::new(),
                    aliases: Vec::new(),
                };
                Ok(Some((row.get(0)?, model)))
            },
        )?;
        let mut models = ByNumber::new(rows.into_iter().flatten().collect());
        models.add(self.pairs_of(REGISTERED_MODEL_TAGS, numbers)?, |model, pair| model.tags.push(pair));
        let aliases = self.all_of(
            numbers,
            |among| {
                let columns = ALIASES.list("t");
                format!("SELECT {columns} FROM aliases AS t WHERE t.model {among} ORDER BY t.model, t.alias")
            },
            |row| {
                let alias = (row.get(0)?, (row.get(1)?, row.get(2)?));
                Ok(self.is_intact(&ALIASES, row, 0)?.then_some(alias))
            },
        )?;
        let aliases = aliases.into_iter().flatten().collect();
        models.add(aliases, |model, alias| model.aliases.push(alias));
        Ok(models.in_order(numbers))
    }
}
