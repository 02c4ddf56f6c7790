use sealyard_core::{Digest, FileTree, Timestamp};
use sealyard_store::model::{
    Condition, Cursor, ModelVersion, NewModelVersion, OrderBy, Page, Pair, RegisteredModel, VersionFile,
};
use sealyard_store::{Registry, StoreError};

use super::convert::not_found;
use super::experiments::found;
use super::model_versions::version_not_found;
use super::pairs::{MODEL_VERSION_TAGS, REGISTERED_MODEL_TAGS};
use crate::seals::{self, ALIASES};
use crate::search::{MODEL_VERSIONS, REGISTERED_MODELS, Scope, Search};
use crate::session::Session;
use crate::sql::ToValue as _;

impl Registry for Session<'_> {
    fn create_registered_model(
        &mut self,
        name: &str,
        description: &str,
        tags: &[Pair],
        created_by: &str,
        now: Timestamp,
    ) -> Result<RegisteredModel, StoreError> {
        self.insert_registered_model(name, description, tags, created_by, now)
    }

    fn registered_model(&mut self, name: &str) -> Result<Option<RegisteredModel>, StoreError> {
        found(self.registered_model_key(name).and_then(|number| self.load_registered_model(number)))
    }

    fn rename_registered_model(&mut self, name: &str, to: &str, now: Timestamp) -> Result<RegisteredModel, StoreError> {
        self.change_model_name(name, to, now)
    }

    fn describe_registered_model(
        &mut self,
        name: &str,
        description: &str,
        now: Timestamp,
    ) -> Result<RegisteredModel, StoreError> {
        let number = self.registered_model_key(name)?;
        self.execute(
            "UPDATE registered_models SET description = ?2, updated = ?3 WHERE number = ?1",
            (number, description, now.as_millis()),
        )?;
        self.load_registered_model(number)
    }

    fn delete_registered_model(&mut self, name: &str) -> Result<(), StoreError> {
        let number = self.registered_model_key(name)?;
        if self.exists("SELECT 1 FROM model_versions WHERE model = ?1 AND published IS NOT NULL", [number])? {
            return Err(StoreError::Conflict(format!("registered model {name:?} has published versions")));
        }
        self.remove_model(number)
    }

    fn set_registered_model_tag(&mut self, name: &str, key: &str, value: &str) -> Result<(), StoreError> {
        let number = self.registered_model_key(name)?;
        self.put_pairs(REGISTERED_MODEL_TAGS, number, &[Pair::new(key, value)])
    }

    fn delete_registered_model_tag(&mut self, name: &str, key: &str) -> Result<(), StoreError> {
        let number = self.registered_model_key(name)?;
        self.delete_pair(REGISTERED_MODEL_TAGS, number, key)
    }

    fn search_registered_models(
        &mut self,
        filter: &[Condition],
        order: &[OrderBy],
        visible: Option<&[String]>,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<RegisteredModel>, StoreError> {
        let texts = visible.map(|names| ("t.name", names.to_vec()));
        let scope = Scope { texts, ..Scope::default() };
        let page = Search::new(self, REGISTERED_MODELS, scope, (filter, order), limit, after)?.run()?;
        Ok(Page { items: self.load_registered_models(&page.items)?, next: page.next })
    }

    fn create_model_version(&mut self, new: &NewModelVersion) -> Result<ModelVersion, StoreError> {
        self.insert_model_version(new)
    }

    fn model_version(&mut self, name: &str, version: u32) -> Result<Option<ModelVersion>, StoreError> {
        found(self.version_key(name, version).and_then(|key| self.load_model_version(key.number)))
    }

    fn model_version_files(&mut self, name: &str, version: u32) -> Result<(FileTree, Vec<VersionFile>), StoreError> {
        let key = self.version_key(name, version)?;
        self.version_files(key.number)
    }

    fn describe_model_version(
        &mut self,
        name: &str,
        version: u32,
        description: &str,
        now: Timestamp,
    ) -> Result<ModelVersion, StoreError> {
        let key = self.version_key(name, version)?;
        self.execute(
            "UPDATE model_versions SET description = ?2, updated = ?3 WHERE number = ?1",
            (key.number, description, now.as_millis()),
        )?;
        self.load_model_version(key.number)
    }

    fn set_model_version_stage(
        &mut self,
        name: &str,
        version: u32,
        stage: &str,
        now: Timestamp,
    ) -> Result<ModelVersion, StoreError> {
        let key = self.version_key(name, version)?;
        let changes = [("stage", stage.into()), ("updated", now.as_millis().into())];
        self.change(&seals::MODEL_VERSIONS, [key.number], &changes)?;
        self.touch_registered_model(key.model, now)?;
        self.load_model_version(key.number)
    }

    fn delete_model_version(&mut self, name: &str, version: u32) -> Result<(), StoreError> {
        let key = self.version_key(name, version)?;
        let published = "SELECT 1 FROM model_versions WHERE number = ?1 AND published IS NOT NULL";
        if self.exists(published, [key.number])? {
            return Err(StoreError::Conflict(format!(
                "version {version} of {name:?} is published and can't be deleted"
            )));
        }
        self.remove(&ALIASES, "model = ?1 AND version = ?2", (key.model, version))?;
        self.remove(&seals::MODEL_VERSIONS, "number = ?1", [key.number]).map(drop)
    }

    fn set_model_version_tag(&mut self, name: &str, version: u32, key: &str, value: &str) -> Result<(), StoreError> {
        let number = self.version_key(name, version)?.number;
        self.put_pairs(MODEL_VERSION_TAGS, number, &[Pair::new(key, value)])
    }

    fn delete_model_version_tag(&mut self, name: &str, version: u32, key: &str) -> Result<(), StoreError> {
        let number = self.version_key(name, version)?.number;
        self.delete_pair(MODEL_VERSION_TAGS, number, key)
    }

    fn search_model_versions(
        &mut self,
        filter: &[Condition],
        order: &[OrderBy],
        visible: Option<&[String]>,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<ModelVersion>, StoreError> {
        let texts = visible.map(|names| ("m.name", names.to_vec()));
        let scope = Scope { texts, ..Scope::default() };
        let page = Search::new(self, MODEL_VERSIONS, scope, (filter, order), limit, after)?.run()?;
        Ok(Page { items: self.load_model_versions(&page.items)?, next: page.next })
    }

    fn mark_published(
        &mut self,
        name: &str,
        version: u32,
        attestation: Digest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let key = self.version_key(name, version)?;
        let changes = [("published", attestation.as_bytes().to_value()), ("updated", now.as_millis().into())];
        self.change(&seals::MODEL_VERSIONS, [key.number], &changes).map(drop)
    }

    fn set_alias(&mut self, name: &str, alias: &str, version: u32, now: Timestamp) -> Result<(), StoreError> {
        let key = self.version_key(name, version)?;
        self.write_over(&ALIASES, (key.model, alias))?;
        self.execute(
            "INSERT INTO aliases (model, alias, version) VALUES (?1, ?2, ?3)
             ON CONFLICT (model, alias) DO UPDATE SET version = excluded.version",
            (key.model, alias, version),
        )?;
        self.seal(&ALIASES, (key.model, alias, version))?;
        self.touch_registered_model(key.model, now)
    }

    fn delete_alias(&mut self, name: &str, alias: &str) -> Result<(), StoreError> {
        let model = self.registered_model_key(name)?;
        match self.remove(&ALIASES, "model = ?1 AND alias = ?2", (model, alias))? {
            0 => Err(not_found("alias", alias)),
            _ => Ok(()),
        }
    }

    fn version_by_alias(&mut self, name: &str, alias: &str) -> Result<Option<u32>, StoreError> {
        let Some(model) = found(self.registered_model_key(name))? else { return Ok(None) };
        let columns = ALIASES.list("aliases");
        let sql = format!("SELECT {columns} FROM aliases WHERE aliases.model = ?1 AND aliases.alias = ?2");
        self.optional(&sql, (model, alias), |row| {
            self.check_asked(&ALIASES, row, 1, alias)?;
            row.get(2)
        })
    }
}

/// Where a version's row is.
#[derive(Debug, Clone, Copy)]
pub(super) struct VersionKey {
    pub(super) number: i64,
    pub(super) model: i64,
}

impl Session<'_> {
    pub(super) fn version_key(&self, name: &str, version: u32) -> Result<VersionKey, StoreError> {
        let model = self.registered_model_key(name)?;
        let number = self.optional(
            "SELECT number FROM model_versions WHERE model = ?1 AND version = ?2",
            (model, version),
            |row| row.get(0),
        )?;
        Ok(VersionKey { number: number.ok_or_else(|| version_not_found(name, version))?, model })
    }
}
