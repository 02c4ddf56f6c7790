//! Rights on one experiment, model or thing of the gateway, given and taken by whoever may MANAGE it.

use sealyard_identity::{
    ActsOn, Administer, Authorized, ExperimentId, Grant, Grantee, Manage, ModelName, Permission, PrincipalName,
    RegistryEntry, ResourcePattern, Right, UserDirectory,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;

use super::users::find;
use crate::authentication::principal_id;
use crate::{App, AppError, Caller, GatewayId};

/// How much a user has on one thing, in MLflow's words. `NO_PERMISSIONS` is more than nothing: it takes away what others
/// give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub enum PermissionLevel {
    Read,
    Use,
    Edit,
    Manage,
    NoPermissions,
}

impl PermissionLevel {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "READ",
            Self::Use => "USE",
            Self::Edit => "EDIT",
            Self::Manage => "MANAGE",
            Self::NoPermissions => "NO_PERMISSIONS",
        }
    }

    /// From MLflow's capitals.
    ///
    /// # Errors
    /// [`AppError::Invalid`], in the words that clients know.
    pub fn parse(text: &str) -> Result<Self, AppError> {
        [Self::Read, Self::Use, Self::Edit, Self::Manage, Self::NoPermissions]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or_else(|| {
                AppError::Invalid(format!(
                    "Invalid permission '{}'. Valid permissions are: ('READ', 'USE', 'EDIT', 'MANAGE', 'NO_PERMISSIONS')",
                    text.chars().take(80).collect::<String>()
                ))
            })
    }

    pub(super) const fn of(right: Right) -> Option<Self> {
        match right {
            Right::Level(Permission::Read) => Some(Self::Read),
            Right::Level(Permission::Use) => Some(Self::Use),
            Right::Level(Permission::Edit) => Some(Self::Edit),
            Right::Level(Permission::Manage) => Some(Self::Manage),
            Right::Level(Permission::No) | Right::Deny => Some(Self::NoPermissions),
            Right::Act(_) => None,
        }
    }

    pub(crate) const fn right(self) -> Right {
        match self {
            Self::Read => Right::Level(Permission::Read),
            Self::Use => Right::Level(Permission::Use),
            Self::Edit => Right::Level(Permission::Edit),
            Self::Manage => Right::Level(Permission::Manage),
            Self::NoPermissions => Right::Deny,
        }
    }
}

/// Proof that its holder may give and take rights on one thing: MANAGE on it, or being an administrator.
#[derive(Debug)]
pub struct Shared {
    pattern: ResourcePattern,
    /// Rights on a prompt that were given before prompts had a pattern of their own, or by one that speaks of models too.
    wider: Option<ResourcePattern>,
}

impl App {
    /// Whether the caller may share the experiment of this id, which need not be there yet.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn authorize_sharing_experiment(&self, caller: &Caller, id: &str) -> Result<Shared, AppError> {
        let id = ExperimentId::new(id).map_err(|error| AppError::Invalid(error.to_string()))?;
        if !self.may(caller, Administer, UserDirectory) {
            let _may = self.authorize(caller, Manage, id.clone()).await?;
        }
        Ok(Shared { pattern: self.only(&id), wider: None })
    }

    /// Whether the caller may share the registered model or prompt of this name, which need not be there yet.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn authorize_sharing_model(&self, caller: &Caller, name: &str) -> Result<Shared, AppError> {
        let name = ModelName::new(name).map_err(|error| AppError::Invalid(error.to_string()))?;
        let entry = self.registry_entry(name).await?;
        if !self.may(caller, Administer, UserDirectory) {
            let _may = self.authorize(caller, Manage, entry.clone()).await?;
        }
        let wider = entry.is_prompt().then(|| self.only(&RegistryEntry::new(entry.name().clone(), false)));
        Ok(Shared { pattern: self.only(&entry), wider })
    }

    /// Whether the caller may share the secret, model definition or endpoint of this id, which need not be there yet.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn authorize_sharing_gateway<R>(&self, caller: &Caller, id: &str) -> Result<Shared, AppError>
    where
        R: GatewayId,
        Manage: ActsOn<R>,
    {
        if !self.may(caller, Administer, UserDirectory) {
            let may: Authorized<Manage, R> = self.authorize_gateway(caller, Manage, id).await?;
            return Ok(Shared { pattern: self.only(may.resource()), wider: None });
        }
        let shown = || format!("'{}' can't be an id", id.chars().take(80).collect::<String>().escape_debug());
        let id = R::parse(id).ok_or_else(|| AppError::Invalid(shown()))?;
        Ok(Shared { pattern: self.only(&id), wider: None })
    }

    /// Gives a user what it does not have yet. Gives the user's number.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user, [`AppError::AlreadyExists`].
    pub async fn create_permission(
        &self,
        caller: &Caller,
        may: &Shared,
        user: &str,
        level: PermissionLevel,
    ) -> Result<i64, AppError> {
        self.write_permission(caller, may, user, level, false).await
    }

    /// Changes what a user has.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user, or one that has nothing.
    pub async fn update_permission(
        &self,
        caller: &Caller,
        may: &Shared,
        user: &str,
        level: PermissionLevel,
    ) -> Result<i64, AppError> {
        self.write_permission(caller, may, user, level, true).await
    }

    async fn write_permission(
        &self,
        caller: &Caller,
        may: &Shared,
        user: &str,
        level: PermissionLevel,
        there: bool,
    ) -> Result<i64, AppError> {
        let user = user_name(user)?;
        let right = level.right();
        let act = Act::GrantSet {
            principal: user.to_string(),
            resource: may.pattern.to_string(),
            permission: right.to_string(),
        };
        let event = self.event(caller, Outcome::Done, act);
        let (pattern, wider) = (may.pattern.clone(), may.wider.clone());
        self.change_grants(move |tx| {
            let user = find(tx, user.as_str())?;
            let grantee = Grantee::Principal(principal_id(user.id)?);
            let before = held(tx, &grantee, &pattern, wider.as_ref())?;
            match (!before.is_empty(), there) {
                (true, false) => return Err(AppError::AlreadyExists { kind: PERMISSION, id: pattern.to_string() }),
                (false, true) => return Err(AppError::NotFound { kind: PERMISSION, id: pattern.to_string() }),
                _ => {}
            }
            for grant in before {
                tx.remove_grant(&grant)?;
            }
            tx.set_grant(&Grant { grantee, pattern, right })?;
            tx.record(&event)?;
            Ok(user.id)
        })
        .await
    }

    /// What a user has, with its number.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user, or one that has nothing.
    pub async fn permission(&self, may: &Shared, user: &str) -> Result<(i64, PermissionLevel), AppError> {
        let user = user_name(user)?;
        let (pattern, wider) = (may.pattern.clone(), may.wider.clone());
        self.store()
            .read(move |tx| {
                let user = find(tx, user.as_str())?;
                let grantee = Grantee::Principal(principal_id(user.id)?);
                let found = held(tx, &grantee, &pattern, wider.as_ref())?;
                let denied = found.iter().any(|grant| grant.right == Right::Deny);
                let most = found.into_iter().map(|grant| grant.right).max();
                let found =
                    if denied { Some(PermissionLevel::NoPermissions) } else { most.and_then(PermissionLevel::of) };
                let level = found.ok_or_else(|| AppError::NotFound { kind: PERMISSION, id: pattern.to_string() })?;
                Ok((user.id, level))
            })
            .await
    }

    /// Takes away what a user has.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user, or one that has nothing.
    pub async fn delete_permission(&self, caller: &Caller, may: &Shared, user: &str) -> Result<(), AppError> {
        let user = user_name(user)?;
        let act = Act::GrantRemoved { principal: user.to_string(), resource: may.pattern.to_string() };
        let event = self.event(caller, Outcome::Done, act);
        let (pattern, wider) = (may.pattern.clone(), may.wider.clone());
        self.change_grants(move |tx| {
            let user = find(tx, user.as_str())?;
            let grantee = Grantee::Principal(principal_id(user.id)?);
            let found = held(tx, &grantee, &pattern, wider.as_ref())?;
            if found.is_empty() {
                return Err(AppError::NotFound { kind: PERMISSION, id: pattern.to_string() });
            }
            for grant in found {
                tx.remove_grant(&grant)?;
            }
            Ok(tx.record(&event)?)
        })
        .await
    }
}

/// What is not found, or found already.
pub(super) const PERMISSION: &str = "permission";

fn user_name(text: &str) -> Result<PrincipalName, AppError> {
    // What can't be a name is nobody's.
    PrincipalName::new(text).map_err(|_| AppError::NotFound { kind: "user", id: text.chars().take(128).collect() })
}

/// The level or denial on exactly this pattern, and that on the wider one.
fn held(
    tx: &mut dyn Transaction,
    grantee: &Grantee,
    pattern: &ResourcePattern,
    wider: Option<&ResourcePattern>,
) -> Result<Vec<Grant>, AppError> {
    let on = |grant: &Grant| grant.pattern == *pattern || Some(&grant.pattern) == wider;
    let is = |grant: &Grant| grant.grantee == *grantee && on(grant) && !matches!(grant.right, Right::Act(_));
    Ok(tx.grants()?.into_iter().filter(is).collect())
}
