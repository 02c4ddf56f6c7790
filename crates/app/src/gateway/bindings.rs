use sealyard_identity::{Authorized, Edit, GatewayEndpointId, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::{GatewayBinding, GatewayBindingQuery};

use super::endpoints::find;
use super::{GatewayId as _, found_experiments};
use crate::tracking::experiment_id;
use crate::{App, AppError, Caller};

/// Bindings of one endpoint.
const MOST_BINDINGS: u64 = 1000;
/// Bindings of one list.
const MOST_LISTED: u32 = 10_000;
const RESOURCE_CHARS: usize = 255;
/// What can be bound.
pub(super) const SCORER: &str = "scorer";

/// A search for bindings.
#[derive(Debug, Default)]
pub struct SearchBindings {
    /// The proof for the one endpoint that is asked about; without one, those that the caller may read.
    pub endpoint: Option<Authorized<Read, GatewayEndpointId>>,
    /// Only of this type.
    pub resource_type: Option<String>,
    /// Only of this resource.
    pub resource_id: Option<String>,
}

impl App {
    /// Notes that a resource uses an endpoint.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn create_gateway_binding(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        resource_type: &str,
        resource: &str,
    ) -> Result<GatewayBinding, AppError> {
        check(resource_type, resource)?;
        let binding = GatewayBinding {
            endpoint_id: may.resource().to_string(),
            resource_type: resource_type.to_owned(),
            resource_id: resource.to_owned(),
            scorer: None,
            created: self.now(),
            created_by: caller.actor().to_owned(),
        };
        let act = Act::GatewayEndpointBound {
            id: binding.endpoint_id.clone(),
            resource_type: binding.resource_type.clone(),
            resource: binding.resource_id.clone(),
        };
        let event = self.event(caller, Outcome::Done, act);
        let made = self
            .store()
            .write(move |tx| {
                let endpoint = find(tx, &binding.endpoint_id)?;
                if tx.count_gateway_bindings(&endpoint.id)? >= MOST_BINDINGS {
                    return Err(AppError::Invalid(format!("an endpoint has at most {MOST_BINDINGS} bindings")));
                }
                tx.create_gateway_binding(&binding)?;
                tx.record(&event)?;
                Ok(binding)
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// Notes that a resource does not use an endpoint any more.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn delete_gateway_binding(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewayEndpointId>,
        resource_type: &str,
        resource: &str,
    ) -> Result<(), AppError> {
        check(resource_type, resource)?;
        let id = may.resource().to_string();
        let (resource_type, resource) = (resource_type.to_owned(), resource.to_owned());
        let act = Act::GatewayEndpointUnbound {
            id: id.clone(),
            resource_type: resource_type.clone(),
            resource: resource.clone(),
        };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                tx.delete_gateway_binding(&id, &resource_type, &resource)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Bindings of endpoints that the caller may see. A scorer's name is in one only for who may see the scorer.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn gateway_bindings(
        &self,
        caller: &Caller,
        search: SearchBindings,
    ) -> Result<Vec<GatewayBinding>, AppError> {
        let query = GatewayBindingQuery {
            endpoint_id: search.endpoint.as_ref().map(|endpoint| endpoint.resource().to_string()),
            resource_type: search.resource_type,
            resource_id: search.resource_id,
        };
        let found = self
            .store()
            .read(move |tx| {
                let mut found = tx.gateway_bindings(&query, MOST_LISTED)?;
                let named = found.iter().filter_map(|binding| Some(binding.scorer.as_ref()?.0.as_str()));
                let here = found_experiments(tx, named)?;
                for binding in &mut found {
                    binding.scorer = binding.scorer.take().filter(|(experiment, _)| here.contains(experiment));
                }
                Ok::<_, AppError>(found)
            })
            .await?;
        let seen = |binding: &GatewayBinding| {
            GatewayEndpointId::parse(&binding.endpoint_id).is_some_and(|id| self.may(caller, Read, id))
        };
        let shown = |mut binding: GatewayBinding| {
            binding.scorer = binding
                .scorer
                .filter(|(experiment, _)| experiment_id(experiment).is_ok_and(|id| self.may(caller, Read, id)));
            binding
        };
        Ok(found.into_iter().filter(seen).map(shown).collect())
    }
}

fn check(resource_type: &str, resource: &str) -> Result<(), AppError> {
    if resource_type != SCORER {
        let shown: String = resource_type.chars().take(80).collect();
        return Err(AppError::Invalid(format!("'{}' is not a valid GatewayResourceType", shown.escape_debug())));
    }
    super::text("resource_id", resource, RESOURCE_CHARS)
}
