//! Versions of registered models: reading, tags, descriptions, search. Making one and aliases are in the crate's
//! `registry`.

use std::cell::RefCell;
use std::collections::HashMap;

use sealyard_identity::{Authorized, Edit, Manage, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{Cursor, ModelVersion, Pair};

use super::limits;
use super::paging::{Listing, Query, visible_page};
use super::registered_models::{SearchRegistry, entry_of, model_name};
use crate::webhooks::Happening;
use crate::{App, AppError, Caller, CreateVersion};

/// A version's number as clients write it: decimal, from 1, without sign or leading zeros.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionReference(u32);

impl VersionReference {
    /// Reads it.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for any other spelling.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        let canonical = !text.starts_with('0') && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if canonical { text.parse().ok() } else { None };
        number.map(Self).ok_or_else(|| {
            AppError::Invalid(format!(
                "Parameter 'version' must be an integer, got '{}'.",
                text.chars().take(40).flat_map(char::escape_debug).collect::<String>()
            ))
        })
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl App {
    /// The version.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn model_version(
        &self,
        may: &Authorized<Read, RegistryEntry>,
        version: VersionReference,
    ) -> Result<ModelVersion, AppError> {
        let (name, version) = (may.resource().to_string(), version.0);
        self.store().read(move |tx| tx.model_version(&name, version)?.ok_or_else(|| missing(&name, version))).await
    }

    /// The version that an alias points at.
    ///
    /// # Errors
    /// [`AppError::Invalid`] without such an alias, in the words that clients know; [`AppError::NotFound`] without such a
    /// model.
    pub async fn model_version_by_alias(
        &self,
        may: &Authorized<Read, RegistryEntry>,
        alias: &str,
    ) -> Result<ModelVersion, AppError> {
        let (name, alias) = (may.resource().to_string(), alias.to_owned());
        self.store()
            .read(move |tx| {
                if tx.registered_model(&name)?.is_none() {
                    return Err(AppError::NotFound { kind: "registered model", id: name });
                }
                let Some(version) = tx.version_by_alias(&name, &alias)? else {
                    let alias: String = alias.chars().take(80).collect();
                    return Err(AppError::Invalid(format!("Registered model alias {alias} not found.")));
                };
                tx.model_version(&name, version)?.ok_or_else(|| missing(&name, version))
            })
            .await
    }

    /// Changes what it says of itself.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn describe_model_version(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, RegistryEntry>,
        version: VersionReference,
        description: String,
    ) -> Result<ModelVersion, AppError> {
        limits::description(&description)?;
        let (name, version, now) = (may.resource().to_string(), version.0, self.now());
        let event = self.updated(caller, &name, version, "description");
        let changed = self
            .store()
            .write(move |tx| {
                let changed = tx.describe_model_version(&name, version, &description, now)?;
                tx.record(&event)?;
                Ok::<_, AppError>(changed)
            })
            .await?;
        self.sequencer.notify();
        Ok(changed)
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn set_model_version_tag(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, RegistryEntry>,
        version: VersionReference,
        tag: Pair,
    ) -> Result<(), AppError> {
        limits::registry_tags(std::slice::from_ref(&tag))?;
        let (name, version) = (may.resource().to_string(), version.0);
        let event = self.updated(caller, &name, version, &format!("tag {}", tag.key));
        let announcer = self.announcer();
        self.store()
            .write(move |tx| {
                tx.set_model_version_tag(&name, version, &tag.key, &tag.value)?;
                announcer.announce(tx, Happening::VersionTagSet { name: &name, version, tag: &tag })?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_model_version_tag(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, RegistryEntry>,
        version: VersionReference,
        key: &str,
    ) -> Result<(), AppError> {
        let (name, version, key) = (may.resource().to_string(), version.0, key.to_owned());
        let shown: String = key.chars().take(250).collect();
        let event = self.updated(caller, &name, version, &format!("tag {shown} removed"));
        let announcer = self.announcer();
        self.store()
            .write(move |tx| {
                tx.delete_model_version_tag(&name, version, &key)?;
                announcer.announce(tx, Happening::VersionTagDeleted { name: &name, version, key: &key })?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Deletes a version.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for a published one.
    pub async fn delete_model_version(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, RegistryEntry>,
        version: VersionReference,
    ) -> Result<(), AppError> {
        let (name, version, now) = (may.resource().to_string(), version.0, self.now());
        let event = self.updated(caller, &name, version, "deleted");
        self.store()
            .write(move |tx| {
                tx.delete_model_version(&name, version)?;
                tx.registered_model_changed(&name, now)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Versions of models that the caller may read.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], [`AppError::Invalid`].
    pub async fn search_model_versions(
        &self,
        caller: &Caller,
        search: SearchRegistry,
    ) -> Result<Listing<ModelVersion>, AppError> {
        let principal = caller.principal().cloned().ok_or(AppError::Unauthenticated)?;
        let SearchRegistry { filter, order, max_results, from } = search;
        let limit = limits::page(max_results, limits::MODEL_VERSIONS_PER_PAGE, limits::MODEL_VERSIONS_PER_PAGE)?;
        let rights = self.rights();
        let mark = Query::of(&("model versions", &filter, &order));
        let after = self.page_tokens().open_token(mark, &from)?;
        let page = self
            .store()
            .read(move |tx| {
                // A version's own tags don't say what it is of: whoever may edit it sets them.
                let apart = rights.tells_prompts_apart(&principal);
                let prompts = RefCell::new(HashMap::new());
                let fetch = |limit, after: Option<Cursor>| {
                    let page = tx.search_model_versions(&filter.conditions, &order, None, limit, after.as_ref())?;
                    for version in page.items.iter().filter(|_| apart) {
                        if !prompts.borrow().contains_key(&version.name)
                            && let Ok(name) = model_name(&version.name)
                        {
                            let prompt = entry_of(tx, name)?.is_prompt();
                            prompts.borrow_mut().insert(version.name.clone(), prompt);
                        }
                    }
                    Ok(page)
                };
                visible_page(limit, after, fetch, |version| {
                    let prompt = prompts.borrow().get(&version.name).copied().unwrap_or(false);
                    let entry = model_name(&version.name).map(|name| RegistryEntry::new(name, prompt));
                    entry.is_ok_and(|entry| rights.may(&principal, Read, entry))
                })
            })
            .await?;
        Ok(self.page_tokens().listing(mark, page))
    }

    /// Checks what a client says of a version to be made: a version can't claim to be of a run or a logged model that its
    /// maker may not read. Which run and model it really came from is found out when it is made.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::Denied`].
    pub async fn check_new_version(&self, caller: &Caller, request: CreateVersion) -> Result<CreateVersion, AppError> {
        limits::registry_tags(&request.tags)?;
        limits::description(&request.description)?;
        if request.source.len() > 2000 {
            return Err(AppError::Invalid("'source' exceeds the maximum length of 2000 characters".to_owned()));
        }
        // Of files that are here it is found out which run they are of; what a client says of it beyond what it may read does
        // not count.
        let here = request.source.starts_with("models:/") || request.source.starts_with("runs:/");
        let mut request = request;
        if here && self.check_claims(caller, request.run_id.as_deref(), None).await.is_err() {
            request.run_id = None;
        }
        self.check_claims(caller, request.run_id.as_deref(), request.model_id.as_deref()).await?;
        Ok(request)
    }

    /// Whether the caller may read the run and the logged model that a version is said to be of.
    pub(crate) async fn check_claims(
        &self,
        caller: &Caller,
        run: Option<&str>,
        model: Option<&str>,
    ) -> Result<(), AppError> {
        let known = |checked: Result<(), AppError>| match checked {
            // Who sees everything is told that it is not there; where places elsewhere are noted, so are runs elsewhere.
            Err(AppError::NotFound { .. }) if self.records_external_sources() => Ok(()),
            checked => checked,
        };
        if let Some(run) = run {
            known(self.authorize_run(caller, Read, run).await.map(drop))?;
        }
        if let Some(model) = model {
            known(self.authorize_logged_model(caller, Read, model).await.map(drop))?;
        }
        Ok(())
    }

    fn updated(&self, caller: &Caller, name: &str, version: u32, change: &str) -> sealyard_ledger::Event {
        let act = Act::VersionUpdated { name: name.to_owned(), version, change: change.to_owned() };
        self.event(caller, Outcome::Done, act)
    }
}

fn missing(name: &str, version: u32) -> AppError {
    AppError::NotFound { kind: "model version", id: format!("{name}/{version}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_one_spelling() {
        assert_eq!(VersionReference::parse("12").unwrap().number(), 12);
        for text in ["", "0", "01", "+1", "-1", " 1", "1.0", "1e2", "4294967296", "latest"] {
            assert!(VersionReference::parse(text).is_err(), "{text:?}");
        }
    }
}
