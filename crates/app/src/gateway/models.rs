use sealyard_core::Timestamp;
use sealyard_identity::{Authorized, Edit, GatewayEndpointId, GatewayModelDefinitionId, Use};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{GatewayLinkage, GatewayMapping, NewGatewayMapping};
use sealyard_store::{StoreError, Transaction};

use super::endpoints::find;
use crate::{App, AppError, Caller};

/// Models of one endpoint.
pub(super) const MOST_MODELS: usize = 100;

/// A model of an endpoint, as a request has it.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct GivenModel {
    pub definition_id: String,
    pub weight: f64,
    pub linkage: GatewayLinkage,
    pub fallback_order: Option<i32>,
}

/// Models with the proof that the caller may use each.
#[derive(Debug)]
pub struct UsableModels(Vec<(GivenModel, Authorized<Use, GatewayModelDefinitionId>)>);

impl UsableModels {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn definitions(&self) -> Vec<String> {
        self.0.iter().map(|(_, proof)| proof.resource().to_string()).collect()
    }

    pub(super) fn has_fallback(&self) -> bool {
        self.0.iter().any(|(model, _)| model.linkage == GatewayLinkage::Fallback)
    }
}

impl App {
    /// Whether `caller` may put these models into an endpoint: USE on each of the definitions.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn authorize_gateway_models(
        &self,
        caller: &Caller,
        models: Vec<GivenModel>,
    ) -> Result<UsableModels, AppError> {
        if models.len() > MOST_MODELS {
            return Err(AppError::Invalid(format!("an endpoint has at most {MOST_MODELS} models")));
        }
        let mut usable = Vec::with_capacity(models.len());
        for model in models {
            let proof = self.authorize_gateway(caller, Use, &model.definition_id).await?;
            if !model.weight.is_finite() || !(0.0..=1e6).contains(&model.weight) {
                return Err(AppError::Invalid("'weight' is a number from 0 to 1000000".to_owned()));
            }
            if model.fallback_order.is_some_and(|order| !(0..=1000).contains(&order)) {
                return Err(AppError::Invalid("'fallback_order' is a number from 0 to 1000".to_owned()));
            }
            usable.push((model, proof));
        }
        Ok(UsableModels(usable))
    }

    /// The models as they are written.
    pub(super) fn gateway_mappings(
        &self,
        caller: &Caller,
        models: UsableModels,
        now: Timestamp,
    ) -> Vec<NewGatewayMapping> {
        let new = |(model, proof): (GivenModel, Authorized<Use, GatewayModelDefinitionId>)| NewGatewayMapping {
            id: format!("m-{}", self.rng().hex_id()),
            definition_id: proof.resource().to_string(),
            weight: model.weight,
            linkage: model.linkage,
            fallback_order: model.fallback_order,
            created: now,
            created_by: caller.actor().to_owned(),
        };
        models.0.into_iter().map(new).collect()
    }

    /// Puts one more model into an endpoint.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::AlreadyExists`] when it is there in that role.
    pub async fn attach_gateway_model(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        model: UsableModels,
    ) -> Result<GatewayMapping, AppError> {
        let id = may.resource().to_string();
        let (now, by) = (self.now(), caller.actor().to_owned());
        let definitions = model.definitions();
        let mapping = self.gateway_mappings(caller, model, now).pop();
        let mapping = mapping.ok_or_else(|| AppError::Invalid("no model was given".to_owned()))?;
        let act = Act::GatewayEndpointUpdated { id: id.clone(), change: "a model more".to_owned(), definitions };
        let event = self.event(caller, Outcome::Done, act);
        let made = self
            .store()
            .write(move |tx| {
                if find(tx, &id)?.models.len() >= MOST_MODELS {
                    return Err(AppError::Invalid(format!("an endpoint has at most {MOST_MODELS} models")));
                }
                add(tx, &id, &mapping)?;
                tx.touch_gateway_endpoint(&id, now, &by)?;
                tx.record(&event)?;
                let made = find(tx, &id)?.models.into_iter().find(|made| made.id == mapping.id);
                made.ok_or(AppError::NotFound { kind: "GatewayEndpoint", id })
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// Takes a model from an endpoint, in whatever role it is there.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Missing`].
    pub async fn detach_gateway_model(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        definition: &str,
    ) -> Result<(), AppError> {
        let id = may.resource().to_string();
        let (now, by) = (self.now(), caller.actor().to_owned());
        let definition: String = definition.chars().take(80).collect();
        let change = format!("without the model {}", definition.escape_debug());
        let act = Act::GatewayEndpointUpdated { id: id.clone(), change, definitions: Vec::new() };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                if tx.remove_gateway_mappings(&id, Some(&definition))? == 0 {
                    let definition = definition.escape_debug();
                    let text = format!("Model definition '{definition}' is not attached to endpoint '{id}'");
                    return Err(AppError::Missing(text));
                }
                tx.touch_gateway_endpoint(&id, now, &by)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }
}

/// In the words that clients know.
pub(super) fn add(tx: &mut dyn Transaction, endpoint: &str, mapping: &NewGatewayMapping) -> Result<(), AppError> {
    tx.add_gateway_mapping(endpoint, mapping).map_err(|error| match error {
        StoreError::NotFound { kind: "GatewayModelDefinition", id } => {
            AppError::Missing(format!("Model definitions not found: {}", id.escape_debug()))
        }
        other => other.into(),
    })
}
