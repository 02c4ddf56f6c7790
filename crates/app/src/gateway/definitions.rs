use sealyard_identity::{
    Authorized, Edit, GatewayModelDefinitionId, GatewaySecretId, Manage, ProtectedResource as _, Read, Use,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::GatewayModelDefinition;

use super::access::{forget_grants, give_manage};
use super::secrets::later;
use super::{GatewayId, MODEL_CHARS, MayCreateInGateway, NAME_CHARS, PROVIDER_CHARS, room, text};
use crate::{App, AppError, Caller};

/// A model definition to be made.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewDefinition {
    pub name: String,
    /// The proof for its secret.
    pub secret: Authorized<Use, GatewaySecretId>,
    pub provider: String,
    pub model_name: String,
}

/// What changes of a model definition; `None` leaves it.
#[derive(Debug, Default)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct DefinitionChange {
    pub name: Option<String>,
    /// The proof for the other secret.
    pub secret: Option<Authorized<Use, GatewaySecretId>>,
    pub provider: Option<String>,
    pub model_name: Option<String>,
}

impl App {
    /// Makes a model definition; its maker gets MANAGE on it.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`]; [`AppError::NotFound`] for a secret that is not there.
    pub async fn create_gateway_definition(
        &self,
        caller: &Caller,
        may: &MayCreateInGateway<GatewayModelDefinitionId>,
        new: NewDefinition,
    ) -> Result<GatewayModelDefinition, AppError> {
        text("name", &new.name, NAME_CHARS)?;
        text("provider", &new.provider, PROVIDER_CHARS)?;
        text("model_name", &new.model_name, MODEL_CHARS)?;
        let id = self.gateway_id::<GatewayModelDefinitionId>();
        let resource = GatewayModelDefinitionId::parse(&id).ok_or_else(|| missing(&id))?.resource();
        let secret = new.secret.resource().to_string();
        let now = self.now();
        let definition = GatewayModelDefinition {
            id: id.clone(),
            name: new.name,
            secret_id: Some(secret.clone()),
            secret_name: None,
            provider: new.provider,
            model_name: new.model_name,
            created: now,
            updated: now,
            created_by: caller.actor().to_owned(),
            updated_by: caller.actor().to_owned(),
        };
        let act = Act::GatewayModelDefinitionCreated { id: id.clone(), name: definition.name.clone(), secret };
        let event = self.event(caller, Outcome::Done, act);
        let principal = may.principal().clone();
        self.change_grants(move |tx| {
            room(tx.count_gateway_model_definitions()?, "model definitions")?;
            tx.create_gateway_model_definition(&definition)?;
            tx.record(&event)?;
            give_manage(tx, &event, &principal, &resource)?;
            find(tx, &id)
        })
        .await
    }

    /// The model definition.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn gateway_definition(
        &self,
        may: &Authorized<Read, GatewayModelDefinitionId>,
    ) -> Result<GatewayModelDefinition, AppError> {
        let id = may.resource().to_string();
        self.store().read(move |tx| find(tx, &id)).await
    }

    /// Those that the caller may see: of a provider, with a secret, or all.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn gateway_definitions(
        &self,
        caller: &Caller,
        provider: Option<String>,
        secret: Option<String>,
    ) -> Result<Vec<GatewayModelDefinition>, AppError> {
        let found = self
            .store()
            .read(move |tx| Ok::<_, AppError>(tx.gateway_model_definitions(provider.as_deref(), secret.as_deref())?))
            .await?;
        let seen = |definition: &GatewayModelDefinition| {
            GatewayModelDefinitionId::parse(&definition.id).is_some_and(|id| self.may(caller, Read, id))
        };
        Ok(found.into_iter().filter(seen).collect())
    }

    /// Changes a model definition. Naming another provider takes USE on the secret: it is what the secret is sent to.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`], [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn update_gateway_definition(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayModelDefinitionId>,
        change: DefinitionChange,
    ) -> Result<GatewayModelDefinition, AppError> {
        change.name.as_deref().map_or(Ok(()), |name| text("name", name, NAME_CHARS))?;
        change.provider.as_deref().map_or(Ok(()), |provider| text("provider", provider, PROVIDER_CHARS))?;
        change.model_name.as_deref().map_or(Ok(()), |model| text("model_name", model, MODEL_CHARS))?;
        let id = may.resource().to_string();
        let before = self.gateway_definition(&may.weaken()).await?;
        let secret = match (&change.secret, &change.provider, &before.secret_id) {
            (Some(other), ..) => Some(other.resource().to_string()),
            (None, Some(provider), Some(present)) if *provider != before.provider => {
                let proof: Authorized<Use, GatewaySecretId> = self.authorize_gateway(caller, Use, present).await?;
                Some(proof.resource().to_string())
            }
            _ => None,
        };
        let mut changed = Vec::new();
        for (what, is) in [
            ("name", change.name.is_some()),
            ("secret", change.secret.is_some()),
            ("provider", change.provider.is_some()),
            ("model", change.model_name.is_some()),
        ] {
            if is {
                changed.push(what);
            }
        }
        let act = Act::GatewayModelDefinitionUpdated {
            id: id.clone(),
            change: changed.join(", "),
            secret: change.secret.as_ref().map(|secret| secret.resource().to_string()),
        };
        let event = self.event(caller, Outcome::Done, act);
        let (now, by) = (self.now(), caller.actor().to_owned());
        let definition = self
            .store()
            .write(move |tx| {
                let present = find(tx, &id)?;
                let elsewhere = change.provider.as_ref().is_some_and(|provider| *provider != present.provider);
                let unasked = secret.is_none() && present.secret_id.is_some() && elsewhere;
                if unasked || change.secret.is_none() && secret.is_some() && present.secret_id != secret {
                    // What was asked about is not what is there by now.
                    return Err(AppError::Conflict(
                        "the model definition was given another secret meanwhile".to_owned(),
                    ));
                }
                let definition = GatewayModelDefinition {
                    name: change.name.unwrap_or(present.name),
                    secret_id: secret.or(present.secret_id),
                    provider: change.provider.unwrap_or(present.provider),
                    model_name: change.model_name.unwrap_or(present.model_name),
                    updated: later(now, present.updated),
                    updated_by: by,
                    ..present
                };
                tx.update_gateway_model_definition(&definition)?;
                tx.record(&event)?;
                find(tx, &id)
            })
            .await?;
        self.sequencer.notify();
        Ok(definition)
    }

    /// Deletes a model definition that no endpoint has.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Conflict`].
    pub async fn delete_gateway_definition(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, GatewayModelDefinitionId>,
    ) -> Result<(), AppError> {
        let (id, resource) = (may.resource().to_string(), may.resource().resource());
        let event = self.event(caller, Outcome::Done, Act::GatewayModelDefinitionDeleted { id: id.clone() });
        self.change_grants(move |tx| {
            tx.delete_gateway_model_definition(&id)?;
            forget_grants(tx, &resource)?;
            Ok(tx.record(&event)?)
        })
        .await
    }
}

fn find(tx: &mut dyn Transaction, id: &str) -> Result<GatewayModelDefinition, AppError> {
    tx.gateway_model_definition(id)?.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> AppError {
    AppError::NotFound { kind: GatewayModelDefinitionId::KIND, id: id.to_owned() }
}
