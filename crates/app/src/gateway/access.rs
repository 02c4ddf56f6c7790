use std::marker::PhantomData;

use sealyard_identity::{
    Action, ActsOn, Authorized, Edit, GatewayEndpointId, GatewayModelDefinitionId, GatewaySecretId, Grant, Grantee,
    Permission, Principal, ProtectedResource, Read, Resource, ResourcePattern, Right, ServerWide, WorkspaceName,
};
use sealyard_ledger::{Act, Event};
use sealyard_store::Transaction;

use crate::{App, AppError, Caller};

/// The id under which patterns such as `gateway-secret:*` are asked about something that has none yet. Real ids begin with
/// a letter and a dash, so it is never one.
const FUTURE: &str = "new";

/// The id of something that is protected in the gateway.
pub trait GatewayId: ProtectedResource {
    /// What it is called when it is not there.
    const KIND: &'static str;
    /// What its ids begin with.
    const PREFIX: &'static str;
    /// From text that can be an id.
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! ids {
    ($($id:ident $kind:literal $prefix:literal;)*) => {$(
        impl GatewayId for $id {
            const KIND: &'static str = $kind;
            const PREFIX: &'static str = $prefix;

            fn parse(text: &str) -> Option<Self> {
                Self::new(text).ok()
            }
        }
    )*};
}

ids! {
    GatewaySecretId "GatewaySecret" "s-";
    GatewayModelDefinitionId "GatewayModelDefinition" "d-";
    GatewayEndpointId "GatewayEndpoint" "e-";
}

/// Proof that its holder may make things of the kind `R`: EDIT on the server, or on every such thing there may be.
#[derive(Debug)]
pub struct MayCreateInGateway<R> {
    principal: Principal,
    kind: PhantomData<R>,
}

impl<R> MayCreateInGateway<R> {
    pub(super) const fn principal(&self) -> &Principal {
        &self.principal
    }
}

impl App {
    /// Asks the authorizer about a secret, definition or endpoint. Ids are random and a deleted thing leaves no grant, so
    /// that who has no right on it can't tell whether it is there.
    ///
    /// # Errors
    /// [`AppError::Denied`]; an administrator gets [`AppError::NotFound`] for what can't be an id.
    pub async fn authorize_gateway<A, R>(
        &self,
        caller: &Caller,
        action: A,
        id: &str,
    ) -> Result<Authorized<A, R>, AppError>
    where
        A: ActsOn<R>,
        R: GatewayId,
    {
        match R::parse(id) {
            Some(id) => self.authorize(caller, action, id).await,
            None => Err(self.deny_unseen(caller, <A as Action>::KIND.to_string(), R::KIND, id).await?),
        }
    }

    /// Whether `caller` may make a secret, definition or endpoint.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub async fn authorize_gateway_creation<R>(&self, caller: &Caller) -> Result<MayCreateInGateway<R>, AppError>
    where
        Edit: ActsOn<R>,
        R: GatewayId,
    {
        let principal = match R::parse(FUTURE) {
            Some(future) if self.may(caller, Edit, future.clone()) => {
                self.authorize(caller, Edit, future).await?.principal().clone()
            }
            _ => self.authorize::<Edit, ServerWide>(caller, Edit, ServerWide).await?.principal().clone(),
        };
        Ok(MayCreateInGateway { principal, kind: PhantomData })
    }

    /// Finds the endpoint called `name` and asks the authorizer about it. Who may make endpoints learns that there is none;
    /// to others one that they may not see and none are the same.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Missing`].
    pub async fn authorize_gateway_endpoint_named<A>(
        &self,
        caller: &Caller,
        action: A,
        name: &str,
    ) -> Result<Authorized<A, GatewayEndpointId>, AppError>
    where
        A: ActsOn<GatewayEndpointId>,
    {
        let wanted = name.to_owned();
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.gateway_endpoint_id(&wanted)?)).await?;
        let found = found.as_deref().and_then(GatewayEndpointId::parse);
        let shown: String = name.chars().take(200).collect();
        let makes = || {
            self.may(caller, Edit, ServerWide)
                || GatewayEndpointId::parse(FUTURE).is_some_and(|future| self.may(caller, Edit, future))
        };
        match found {
            Some(id) if self.may(caller, action, id.clone()) || self.may(caller, Read, id.clone()) => {
                self.authorize(caller, action, id).await
            }
            None if makes() => {
                Err(AppError::Missing(format!("GatewayEndpoint not found (name='{}')", shown.escape_debug())))
            }
            _ => {
                let (action, kind) = (<A as Action>::KIND.to_string(), GatewayEndpointId::KIND);
                Err(self.deny_unseen(caller, action, kind, &shown).await?)
            }
        }
    }

    pub(super) fn gateway_id<R: GatewayId>(&self) -> String {
        format!("{}{}", R::PREFIX, self.rng().hex_id())
    }
}

/// Whoever makes something has MANAGE on it. The gateway is in the default workspace alone: in others nothing can be made.
pub(super) fn give_manage(
    tx: &mut dyn Transaction,
    event: &Event,
    principal: &Principal,
    resource: &Resource,
) -> Result<(), AppError> {
    let grant = Grant {
        grantee: Grantee::Principal(principal.id.clone()),
        pattern: ResourcePattern::exact(&WorkspaceName::default(), resource),
        right: Right::Level(Permission::Manage),
    };
    tx.set_grant(&grant)?;
    let act = Act::GrantSet {
        principal: principal.name.to_string(),
        resource: resource.to_string(),
        permission: grant.right.to_string(),
    };
    Ok(tx.record(&Event { act, ..event.clone() })?)
}

/// Takes away every grant on this very thing. Patterns that cover it are not its own and stay.
pub(super) fn forget_grants(tx: &mut dyn Transaction, resource: &Resource) -> Result<(), AppError> {
    let exact = ResourcePattern::exact(&WorkspaceName::default(), resource);
    for grant in tx.grants()?.into_iter().filter(|grant| grant.pattern == exact) {
        tx.remove_grant(&grant)?;
    }
    Ok(())
}
