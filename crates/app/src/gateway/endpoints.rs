use sealyard_identity::{Authorized, Edit, ExperimentId, GatewayEndpointId, Manage, ProtectedResource as _, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{GatewayEndpoint, GatewayFallback, Lifecycle, Pair};

use super::access::{forget_grants, give_manage};
use super::models::{MOST_MODELS, add};
use super::secrets::later;
use super::{GatewayId, MayCreateInGateway, NAME_CHARS, UsableModels, room};
use crate::tracking::experiment_id;
use crate::{App, AppError, Caller};

/// Tags of an endpoint, and characters of a tag's value.
const MOST_TAGS: usize = 100;
const TAG_CHARS: usize = 5000;
/// The strategies there are.
const ROUTING: &str = "REQUEST_BASED_TRAFFIC_SPLIT";
const FALLBACK: &str = "SEQUENTIAL";

/// An endpoint to be made.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewEndpoint {
    pub name: String,
    pub models: UsableModels,
    pub routing_strategy: Option<String>,
    pub fallback: Option<GatewayFallback>,
    pub experiment_id: Option<String>,
    pub usage_tracking: bool,
}

/// What changes of an endpoint; `None` leaves it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct EndpointChange {
    pub name: Option<String>,
    /// In the place of all there were.
    pub models: Option<UsableModels>,
    pub routing_strategy: Option<String>,
    pub fallback: Option<GatewayFallback>,
    pub experiment_id: Option<String>,
    pub usage_tracking: Option<bool>,
}

impl App {
    /// Makes an endpoint; its maker gets MANAGE on it. With usage tracking and no experiment, it gets one of its own.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`], [`AppError::Missing`]; [`AppError::Denied`] for an experiment
    /// that the caller may not edit or make.
    pub async fn create_gateway_endpoint(
        &self,
        caller: &Caller,
        may: &MayCreateInGateway<GatewayEndpointId>,
        new: NewEndpoint,
    ) -> Result<GatewayEndpoint, AppError> {
        check_name(&new.name)?;
        check_strategies(new.routing_strategy.as_deref(), new.fallback.as_ref())?;
        if new.models.is_empty() {
            return Err(AppError::Invalid("Endpoint must have at least one model configuration".to_owned()));
        }
        let id = self.gateway_id::<GatewayEndpointId>();
        let resource = GatewayEndpointId::parse(&id).ok_or_else(|| missing(&id))?.resource();
        let experiment_id = match new.experiment_id {
            Some(given) => Some(self.traced_experiment(caller, &given).await?),
            None if new.usage_tracking => {
                let name = new.name.clone();
                // Before there is an experiment for nothing.
                self.store()
                    .read(move |tx| match tx.gateway_endpoint_id(&name)? {
                        Some(_) => Err(AppError::AlreadyExists { kind: GatewayEndpointId::KIND, id: name }),
                        None => Ok(()),
                    })
                    .await?;
                Some(self.experiment_of_endpoint(caller, &new.name, &id).await?)
            }
            None => None,
        };
        let fallback = new.fallback.or_else(|| new.models.has_fallback().then(GatewayFallback::default));
        let now = self.now();
        let act = Act::GatewayEndpointCreated {
            id: id.clone(),
            name: new.name.clone(),
            definitions: new.models.definitions(),
        };
        let event = self.event(caller, Outcome::Done, act);
        let mappings = self.gateway_mappings(caller, new.models, now);
        let endpoint = GatewayEndpoint {
            id: id.clone(),
            name: new.name,
            routing_strategy: new.routing_strategy,
            fallback,
            experiment_id,
            usage_tracking: new.usage_tracking,
            models: Vec::new(),
            tags: Vec::new(),
            created: now,
            updated: now,
            created_by: caller.actor().to_owned(),
            updated_by: caller.actor().to_owned(),
        };
        let principal = may.principal().clone();
        self.change_grants(move |tx| {
            room(tx.count_gateway_endpoints()?, "endpoints")?;
            tx.create_gateway_endpoint(&endpoint)?;
            for mapping in &mappings {
                add(tx, &id, mapping)?;
            }
            tx.record(&event)?;
            give_manage(tx, &event, &principal, &resource)?;
            find(tx, &id)
        })
        .await
    }

    /// The endpoint with its models.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn gateway_endpoint(
        &self,
        may: &Authorized<Read, GatewayEndpointId>,
    ) -> Result<GatewayEndpoint, AppError> {
        let id = may.resource().to_string();
        self.store().read(move |tx| find(tx, &id)).await
    }

    /// Those that the caller may see: with a model of a provider or of a secret, or all.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn gateway_endpoints(
        &self,
        caller: &Caller,
        provider: Option<String>,
        secret: Option<String>,
    ) -> Result<Vec<GatewayEndpoint>, AppError> {
        let found = self
            .store()
            .read(move |tx| Ok::<_, AppError>(tx.gateway_endpoints(provider.as_deref(), secret.as_deref())?))
            .await?;
        let seen = |endpoint: &GatewayEndpoint| {
            GatewayEndpointId::parse(&endpoint.id).is_some_and(|id| self.may(caller, Read, id))
        };
        Ok(found.into_iter().filter(seen).collect())
    }

    /// Changes an endpoint.
    ///
    /// # Errors
    /// As [`Self::create_gateway_endpoint`], and [`AppError::NotFound`].
    pub async fn update_gateway_endpoint(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        change: EndpointChange,
    ) -> Result<GatewayEndpoint, AppError> {
        change.name.as_deref().map_or(Ok(()), check_name)?;
        check_strategies(change.routing_strategy.as_deref(), change.fallback.as_ref())?;
        let id = may.resource().to_string();
        let before = self.gateway_endpoint(&may.weaken()).await?;
        let experiment_id = match &change.experiment_id {
            Some(given) => Some(self.traced_experiment(caller, given).await?),
            None if change.usage_tracking == Some(true) && before.experiment_id.is_none() => {
                let name = change.name.as_deref().unwrap_or(&before.name);
                Some(self.experiment_of_endpoint(caller, name, &id).await?)
            }
            None => None,
        };
        let mut changed = Vec::new();
        for (what, is) in [
            ("name", change.name.is_some()),
            ("models", change.models.is_some()),
            ("routing", change.routing_strategy.is_some()),
            ("fallback", change.fallback.is_some()),
            ("experiment", experiment_id.is_some()),
            ("usage tracking", change.usage_tracking.is_some()),
        ] {
            if is {
                changed.push(what);
            }
        }
        let now = self.now();
        let definitions = change.models.as_ref().map(UsableModels::definitions).unwrap_or_default();
        let act = Act::GatewayEndpointUpdated { id: id.clone(), change: changed.join(", "), definitions };
        let event = self.event(caller, Outcome::Done, act);
        // What falls back is said anew with the models.
        let fallback =
            if change.models.is_some() { Some(change.fallback.unwrap_or_default()) } else { change.fallback };
        let mappings = change.models.map(|models| self.gateway_mappings(caller, models, now));
        let by = caller.actor().to_owned();
        let endpoint = self
            .store()
            .write(move |tx| {
                let before = find(tx, &id)?;
                let endpoint = GatewayEndpoint {
                    name: change.name.unwrap_or(before.name),
                    routing_strategy: change.routing_strategy.or(before.routing_strategy),
                    fallback: fallback.or(before.fallback),
                    experiment_id: experiment_id.or(before.experiment_id),
                    usage_tracking: change.usage_tracking.unwrap_or(before.usage_tracking),
                    updated: later(now, before.updated),
                    updated_by: by,
                    ..before
                };
                tx.update_gateway_endpoint(&endpoint)?;
                if let Some(mappings) = mappings {
                    tx.remove_gateway_mappings(&id, None)?;
                    for mapping in mappings.iter().take(MOST_MODELS) {
                        add(tx, &id, mapping)?;
                    }
                }
                tx.record(&event)?;
                find(tx, &id)
            })
            .await?;
        self.sequencer.notify();
        Ok(endpoint)
    }

    /// Deletes an endpoint with its models, tags and bindings.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_gateway_endpoint(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, GatewayEndpointId>,
    ) -> Result<(), AppError> {
        let (id, resource) = (may.resource().to_string(), may.resource().resource());
        let event = self.event(caller, Outcome::Done, Act::GatewayEndpointDeleted { id: id.clone() });
        self.change_grants(move |tx| {
            tx.delete_gateway_endpoint(&id)?;
            forget_grants(tx, &resource)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::NotFound`].
    pub async fn set_gateway_endpoint_tag(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        tag: Pair,
    ) -> Result<(), AppError> {
        crate::tracking::check_tag(&tag)?;
        if tag.value.chars().count() > TAG_CHARS {
            return Err(AppError::Invalid(format!("an endpoint's tag has at most {TAG_CHARS} characters")));
        }
        let (id, event) = self.tag_event(caller, may, "tag", &tag.key);
        self.store()
            .write(move |tx| {
                let there = find(tx, &id)?.tags;
                if there.len() >= MOST_TAGS && there.iter().all(|other| other.key != tag.key) {
                    return Err(AppError::Invalid(format!("an endpoint has at most {MOST_TAGS} tags")));
                }
                tx.set_gateway_endpoint_tag(&id, &tag.key, &tag.value)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Removes a tag, if it is there.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for the endpoint.
    pub async fn delete_gateway_endpoint_tag(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        key: &str,
    ) -> Result<(), AppError> {
        let key: String = key.chars().take(250).collect();
        let (id, event) = self.tag_event(caller, may, "without the tag", &key);
        self.store()
            .write(move |tx| {
                let found = find(tx, &id)?;
                if tx.delete_gateway_endpoint_tag(&found.id, &key)? {
                    tx.record(&event)?;
                }
                Ok::<_, AppError>(())
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    fn tag_event(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        what: &str,
        key: &str,
    ) -> (String, sealyard_ledger::Event) {
        let id = may.resource().to_string();
        let change = format!("{what} {key:?}");
        let act = Act::GatewayEndpointUpdated { id: id.clone(), change, definitions: Vec::new() };
        (id, self.event(caller, Outcome::Done, act))
    }

    /// An experiment that traces are to be written into: the caller must be allowed to.
    async fn traced_experiment(&self, caller: &Caller, id: &str) -> Result<String, AppError> {
        let may: Authorized<Edit, ExperimentId> = self.authorize(caller, Edit, experiment_id(id)?).await?;
        let experiment = self.experiment(&may.weaken()).await?;
        if experiment.lifecycle != Lifecycle::Active {
            return Err(AppError::Conflict(format!("The experiment {} must be in the 'active' state.", experiment.id)));
        }
        Ok(experiment.id)
    }

    /// The experiment of an endpoint, which is made if there is none.
    async fn experiment_of_endpoint(&self, caller: &Caller, name: &str, id: &str) -> Result<String, AppError> {
        let name = format!("gateway/{name}");
        let wanted = name.clone();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.experiment_by_name(&wanted)?)).await?;
        if let Some(experiment) = found {
            return self.traced_experiment(caller, &experiment.id).await;
        }
        let may = self.authorize_experiment_creation(caller).await?;
        let tags = vec![
            Pair::new("mlflow.experiment.sourceType", "GATEWAY"),
            Pair::new("mlflow.experiment.sourceId", id),
            Pair::new("mlflow.experiment.isGateway", "true"),
        ];
        Ok(self.create_experiment(caller, &may, &name, tags).await?.id)
    }
}

pub(super) fn find(tx: &mut dyn Transaction, id: &str) -> Result<GatewayEndpoint, AppError> {
    tx.gateway_endpoint(id)?.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> AppError {
    AppError::NotFound { kind: GatewayEndpointId::KIND, id: id.to_owned() }
}

fn check_name(name: &str) -> Result<(), AppError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    if name.is_empty() || name.len() > NAME_CHARS || !name.bytes().all(plain) {
        let shown: String = name.chars().take(80).collect();
        return Err(AppError::Invalid(format!(
            "Invalid endpoint name '{shown}'. Name can only contain letters, numbers, underscores, hyphens, and dots, and has at \
             most {NAME_CHARS} of them."
        )));
    }
    Ok(())
}

fn check_strategies(routing: Option<&str>, fallback: Option<&GatewayFallback>) -> Result<(), AppError> {
    if routing.is_some_and(|strategy| strategy != ROUTING) {
        return Err(AppError::Invalid(format!("'routing_strategy' is {ROUTING} or nothing")));
    }
    let Some(fallback) = fallback else { return Ok(()) };
    if fallback.strategy.as_deref().is_some_and(|strategy| strategy != FALLBACK) {
        return Err(AppError::Invalid(format!("'strategy' is {FALLBACK} or nothing")));
    }
    if fallback.max_attempts.is_some_and(|attempts| !(0..=1000).contains(&attempts)) {
        return Err(AppError::Invalid("'max_attempts' is a number from 0 to 1000".to_owned()));
    }
    Ok(())
}
