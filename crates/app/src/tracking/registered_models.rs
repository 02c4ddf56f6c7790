//! Registered models: the names under which versions are kept.

use sealyard_identity::{
    Action as _, ActsOn, Authorized, Edit, Effect, Grant, Grantee, Manage, ModelName, Permission, Principal,
    ProtectedResource, Read, RegistryEntry, ResourcePattern, Right, ServerWide,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{Cursor, ModelVersion, OrderBy, Page, Pair, RegisteredModel};

use super::limits;
use super::paging::{Listing, PageToken, Query, visible_page};
use super::search::RegistryFilter;
use crate::webhooks::Happening;
use crate::{App, AppError, Caller};

/// Proof that its holder may create the registered model or prompt of this name: EDIT on the name, by a pattern, or on the server.
#[derive(Debug)]
pub struct MayCreateRegisteredModel {
    entry: RegistryEntry,
    principal: Principal,
}

impl MayCreateRegisteredModel {
    fn by_name(proof: &Authorized<Edit, RegistryEntry>) -> Self {
        Self { entry: proof.resource().clone(), principal: proof.principal().clone() }
    }

    fn by_server(proof: &Authorized<Edit, ServerWide>, entry: RegistryEntry) -> Self {
        Self { entry, principal: proof.principal().clone() }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &ModelName {
        self.entry.name()
    }
}

/// A registered model with its newest version of each stage, as MLflow shows it.
#[derive(Debug, Clone)]
pub struct RegisteredModelWithLatest {
    /// The model.
    pub model: RegisteredModel,
    /// Newest versions.
    pub latest: Vec<ModelVersion>,
}

/// A search in the registry.
#[derive(Debug, Clone, Default)]
pub struct SearchRegistry {
    /// All must hold.
    pub filter: RegistryFilter,
    /// First is most significant.
    pub order: Vec<OrderBy>,
    /// Page size as asked for.
    pub max_results: Option<i64>,
    /// Where to go on.
    pub from: PageToken,
}

/// How many of a name's newest versions are looked at for the newest of each stage.
const LATEST_WINDOW: u32 = 200;

impl App {
    /// Asks the authorizer about the registered model of this name.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Invalid`] for what is no name.
    pub async fn authorize_registered_model<A>(
        &self,
        caller: &Caller,
        action: A,
        name: &str,
    ) -> Result<Authorized<A, RegistryEntry>, AppError>
    where
        A: ActsOn<RegistryEntry>,
    {
        let entry = self.registry_entry(model_name(name)?).await?;
        self.authorize(caller, action, entry).await
    }

    /// What is kept under a name. One that is not there is taken for a model's.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub(crate) async fn registry_entry(&self, name: ModelName) -> Result<RegistryEntry, AppError> {
        self.store().read(move |tx| entry_of(tx, name)).await
    }

    /// Whether `caller` may create a registered model, or a prompt, called `name`.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Invalid`] for what is no name.
    pub async fn authorize_registered_model_creation(
        &self,
        caller: &Caller,
        name: &str,
        prompt: bool,
    ) -> Result<MayCreateRegisteredModel, AppError> {
        let entry = RegistryEntry::new(model_name(name)?, prompt);
        // A DENY on the name is not got around by a right on the whole server.
        let denied = caller.principal().is_some_and(|principal| {
            let explained = self.rights().explain(principal, Edit::KIND, entry.resource());
            explained.considered.iter().any(|rule| rule.effect == Effect::Denies)
        });
        if denied || self.may(caller, Edit, entry.clone()) {
            return Ok(MayCreateRegisteredModel::by_name(&self.authorize(caller, Edit, entry).await?));
        }
        let proof = self.authorize(caller, Edit, ServerWide).await?;
        Ok(MayCreateRegisteredModel::by_server(&proof, entry))
    }

    /// Creates a registered model, or a prompt if its tags say so; its creator gets MANAGE on it.
    ///
    /// # Errors
    /// [`AppError::AlreadyExists`]; [`AppError::Invalid`], also for tags that say something else than the proof.
    pub async fn create_registered_model(
        &self,
        caller: &Caller,
        may: &MayCreateRegisteredModel,
        description: String,
        tags: Vec<Pair>,
    ) -> Result<RegisteredModel, AppError> {
        limits::registry_tags(&tags)?;
        limits::description(&description)?;
        // Of two the last would be kept, and each could say something else.
        let said = tags.iter().filter(|tag| tag.key == PROMPT_TAG).count();
        if said > 1 || is_prompt(&tags) != may.entry.is_prompt() {
            return Err(AppError::Invalid("the tags don't say what is to be made".to_owned()));
        }
        let (name, now) = (may.entry.name().clone(), self.now());
        let created_by = may.principal.name.to_string();
        let grant = manage(&may.principal, self.only(&may.entry));
        let created = self.event(caller, Outcome::Done, Act::RegisteredModelCreated { name: name.to_string() });
        let granted = self.event(
            caller,
            Outcome::Done,
            Act::GrantSet {
                principal: created_by.clone(),
                resource: grant.pattern.to_string(),
                permission: grant.right.to_string(),
            },
        );
        let announcer = self.announcer();
        let model = self
            .change_grants(move |tx| {
                let model = tx.create_registered_model(name.as_str(), &description, &tags, &created_by, now)?;
                announcer
                    .announce(tx, Happening::Created { name: name.as_str(), tags: &tags, description: &description })?;
                tx.record(&created)?;
                tx.set_grant(&grant)?;
                tx.record(&granted)?;
                Ok::<_, AppError>(model)
            })
            .await?;
        Ok(model)
    }

    /// The registered model.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn registered_model(
        &self,
        may: &Authorized<Read, RegistryEntry>,
    ) -> Result<RegisteredModelWithLatest, AppError> {
        let name = may.resource().to_string();
        self.store()
            .read(move |tx| {
                let found = tx.registered_model(&name)?;
                let model = found.ok_or(AppError::NotFound { kind: "registered model", id: name })?;
                Ok(RegisteredModelWithLatest { latest: latest(tx, &model.name)?, model })
            })
            .await
    }

    /// Changes what it says of itself.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn describe_registered_model(
        &self,
        may: &Authorized<Edit, RegistryEntry>,
        description: String,
    ) -> Result<RegisteredModel, AppError> {
        limits::description(&description)?;
        let (entry, now) = (may.resource().clone(), self.now());
        let work = move |tx: &mut dyn Transaction| {
            is_still(tx, &entry)?;
            Ok::<_, AppError>(tx.describe_registered_model(entry.as_str(), &description, now)?)
        };
        self.store().write(work).await
    }

    /// Gives it another name. Grants on the old name go with it, so that none of them waits for whoever takes that name
    /// next, and grants that wait for the new name must be the caller's to use.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::AlreadyExists`]; [`AppError::Conflict`] with a published version, whose
    /// attestations speak of the old name.
    pub async fn rename_registered_model(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, RegistryEntry>,
        to: &MayCreateRegisteredModel,
    ) -> Result<RegisteredModel, AppError> {
        let (from, to, now) = (may.resource().clone(), to.entry.clone(), self.now());
        if from.is_prompt() != to.is_prompt() {
            return Err(AppError::Invalid("a model stays a model, and a prompt a prompt".to_owned()));
        }
        let act = Act::RegisteredModelRenamed { name: from.to_string(), to: to.to_string() };
        let moved: Vec<_> = self.named(from.name()).into_iter().zip(self.named(to.name())).collect();
        let event = self.event(caller, Outcome::Done, act);
        let model = self
            .change_grants(move |tx| {
                is_still(tx, &from)?;
                refuse_published(tx, from.as_str(), "renamed")?;
                let model = tx.rename_registered_model(from.as_str(), to.as_str(), now)?;
                for (old, new) in &moved {
                    for grant in grants_on(tx, old)? {
                        tx.remove_grant(&grant)?;
                        tx.set_grant(&Grant { pattern: new.clone(), ..grant })?;
                    }
                }
                tx.record(&event)?;
                Ok::<_, AppError>(model)
            })
            .await?;
        Ok(model)
    }

    /// Deletes the model with its versions, aliases and grants.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] with a published version.
    pub async fn delete_registered_model(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, RegistryEntry>,
    ) -> Result<(), AppError> {
        let name = may.resource().clone();
        let named = self.named(name.name());
        let event = self.event(caller, Outcome::Done, Act::RegisteredModelDeleted { name: name.to_string() });
        self.change_grants(move |tx| {
            is_still(tx, &name)?;
            refuse_published(tx, name.as_str(), "deleted")?;
            tx.delete_registered_model(name.as_str())?;
            for only in &named {
                for grant in grants_on(tx, only)? {
                    tx.remove_grant(&grant)?;
                }
            }
            Ok::<_, AppError>(tx.record(&event)?)
        })
        .await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn set_registered_model_tag(
        &self,
        may: &Authorized<Edit, RegistryEntry>,
        tag: Pair,
    ) -> Result<(), AppError> {
        limits::registry_tags(std::slice::from_ref(&tag))?;
        if tag.key == PROMPT_TAG && is_prompt(std::slice::from_ref(&tag)) != may.resource().is_prompt() {
            return Err(stays_what_it_is());
        }
        let (entry, name, announcer) = (may.resource().clone(), may.resource().to_string(), self.announcer());
        self.store()
            .write(move |tx| {
                is_still(tx, &entry)?;
                tx.set_registered_model_tag(&name, &tag.key, &tag.value)?;
                announcer.announce(tx, Happening::TagSet { name: &name, tag: &tag })
            })
            .await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_registered_model_tag(
        &self,
        may: &Authorized<Edit, RegistryEntry>,
        key: &str,
    ) -> Result<(), AppError> {
        if key == PROMPT_TAG && may.resource().is_prompt() {
            return Err(stays_what_it_is());
        }
        let (entry, name) = (may.resource().clone(), may.resource().to_string());
        let (key, announcer) = (key.to_owned(), self.announcer());
        self.store()
            .write(move |tx| {
                is_still(tx, &entry)?;
                tx.delete_registered_model_tag(&name, &key)?;
                announcer.announce(tx, Happening::TagDeleted { name: &name, key: &key })
            })
            .await
    }

    /// The patterns that speak of this name of this workspace alone.
    fn named(&self, name: &ModelName) -> [ResourcePattern; 2] {
        [false, true].map(|prompt| self.only(&RegistryEntry::new(name.clone(), prompt)))
    }

    /// Registered models that the caller may read.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`], [`AppError::Invalid`].
    pub async fn search_registered_models(
        &self,
        caller: &Caller,
        search: SearchRegistry,
    ) -> Result<Listing<RegisteredModelWithLatest>, AppError> {
        let principal = caller.principal().cloned().ok_or(AppError::Unauthenticated)?;
        let SearchRegistry { filter, order, max_results, from } = search;
        let limit = limits::page(max_results, 100, limits::REGISTERED_MODELS_PER_PAGE)?;
        let rights = self.rights();
        let mark = Query::of(&("registered models", &filter, &order));
        let after = self.page_tokens().open_token(mark, &from)?;
        let page = self
            .store()
            .read(move |tx| {
                let fetch = |limit, after: Option<Cursor>| {
                    Ok(tx.search_registered_models(&filter.conditions, &order, None, limit, after.as_ref())?)
                };
                let page = visible_page(limit, after, fetch, |model| {
                    let entry = model_name(&model.name).map(|name| RegistryEntry::new(name, is_prompt(&model.tags)));
                    entry.is_ok_and(|entry| rights.may(&principal, Read, entry))
                })?;
                let mut items = Vec::with_capacity(page.items.len());
                for model in page.items {
                    items.push(RegisteredModelWithLatest { latest: latest(tx, &model.name)?, model });
                }
                Ok::<_, AppError>(Page { items, next: page.next })
            })
            .await?;
        Ok(self.page_tokens().listing(mark, page))
    }

    /// The newest version of each stage.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn latest_versions(
        &self,
        may: &Authorized<Read, RegistryEntry>,
        stages: Vec<String>,
    ) -> Result<Vec<ModelVersion>, AppError> {
        let mut versions = self.registered_model(may).await?.latest;
        if !stages.is_empty() {
            versions.retain(|version| stages.iter().any(|stage| stage.eq_ignore_ascii_case(&version.stage)));
        }
        Ok(versions)
    }
}

/// The tag by which MLflow's clients mark prompts. It is said when a name is made and stays: rights hang on it.
pub(crate) const PROMPT_TAG: &str = "mlflow.prompt.is_prompt";

/// Whether these tags of a registered model make it a prompt, as clients understand them.
#[must_use]
pub fn is_prompt(tags: &[Pair]) -> bool {
    tags.iter().any(|tag| tag.key == PROMPT_TAG && tag.value.eq_ignore_ascii_case("true"))
}

/// What is kept under a name, for a transaction.
pub(crate) fn entry_of(tx: &mut dyn Transaction, name: ModelName) -> Result<RegistryEntry, AppError> {
    let prompt = tx.registered_model(name.as_str())?.is_some_and(|model| is_prompt(&model.tags));
    Ok(RegistryEntry::new(name, prompt))
}

/// Refuses an act on what is another thing by now than when it was allowed: a name can be deleted, and be made a prompt's or a
/// model's again by somebody else.
fn is_still(tx: &mut dyn Transaction, allowed: &RegistryEntry) -> Result<(), AppError> {
    if entry_of(tx, allowed.name().clone())? == *allowed {
        return Ok(());
    }
    Err(AppError::Conflict(format!("{allowed} was deleted and made anew meanwhile")))
}

fn stays_what_it_is() -> AppError {
    AppError::refused(
        "registry.prompt",
        "whether a name is a prompt's is said when it is made; whoever may edit it can't change who may",
    )
}

pub(super) fn model_name(name: &str) -> Result<ModelName, AppError> {
    if name.is_empty() {
        return Err(AppError::Invalid("Registered model name cannot be empty.".to_owned()));
    }
    ModelName::new(name).map_err(|error| AppError::Invalid(error.to_string()))
}

fn manage(principal: &Principal, pattern: ResourcePattern) -> Grant {
    Grant { grantee: Grantee::Principal(principal.id.clone()), pattern, right: Right::Level(Permission::Manage) }
}

/// Grants on this very name. Patterns that cover it are not the model's and stay.
fn grants_on(tx: &mut dyn Transaction, exact: &ResourcePattern) -> Result<Vec<Grant>, AppError> {
    Ok(tx.grants()?.into_iter().filter(|grant| grant.pattern == *exact).collect())
}

fn newest(
    tx: &mut dyn Transaction,
    name: &str,
    limit: u32,
    after: Option<&Cursor>,
) -> Result<Page<ModelVersion>, AppError> {
    use sealyard_store::model::{Comparison, Condition, Field, Operand};
    let only = Condition {
        field: Field::Attribute("name"),
        comparison: Comparison::Equal,
        operand: Operand::Text(name.to_owned()),
    };
    let order = OrderBy { field: Field::Attribute("version_number"), ascending: false };
    Ok(tx.search_model_versions(&[only], &[order], None, limit, after)?)
}

fn latest(tx: &mut dyn Transaction, name: &str) -> Result<Vec<ModelVersion>, AppError> {
    let mut found: Vec<ModelVersion> = Vec::new();
    for version in newest(tx, name, LATEST_WINDOW, None)?.items {
        if !found.iter().any(|known| known.stage == version.stage) {
            found.push(version);
        }
    }
    Ok(found)
}

/// What was published can't be made to have never been.
fn refuse_published(tx: &mut dyn Transaction, name: &str, done: &str) -> Result<(), AppError> {
    let mut after = None;
    loop {
        let page = newest(tx, name, 1000, after.as_ref())?;
        if let Some(version) = page.items.iter().find(|version| version.published.is_some()) {
            return Err(AppError::Conflict(format!(
                "the registered model {name:?} can't be {done}: its version {} is published",
                version.version
            )));
        }
        match page.next {
            Some(next) if !page.items.is_empty() => after = Some(next),
            _ => return Ok(()),
        }
    }
}
