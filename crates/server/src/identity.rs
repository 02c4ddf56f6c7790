//! Who else says who somebody is: from the settings to what the application asks.

use std::sync::Arc;

use sealyard_app::{App, DeclaredRoles};
use sealyard_core::{Clock, Digest, Redacted, Rng};
use sealyard_identity::PasswordDirectory;
use sealyard_identity_ldap::Directory;
use sealyard_identity_oidc::{Providers, StateKey};
use sealyard_vault::Vault;

use crate::ServerError;
use crate::settings::{Settings, SettingsError};

/// The directories of the settings, in the order of their names.
pub(crate) fn directories(
    settings: &Settings,
    rng: &Arc<dyn Rng>,
) -> Result<Vec<Arc<dyn PasswordDirectory>>, ServerError> {
    let open = |(name, section): (&String, &sealyard_identity_ldap::LdapSettings)| {
        let section = section.clone().in_folder(&settings.folder);
        let opened = Directory::open(name, section, Arc::clone(rng));
        let opened = opened.map_err(|error| {
            SettingsError::invalid(format!("identity.ldap.{name}"), sealyard_core::with_causes(&error))
        })?;
        Ok(Arc::new(opened) as Arc<dyn PasswordDirectory>)
    };
    settings.identity.ldap.iter().map(open).collect()
}

/// The OpenID providers of the settings, if there are any.
pub(crate) fn oidc_providers(
    settings: &Settings,
    vault: &Vault,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> Result<Option<Providers>, ServerError> {
    if settings.identity.oidc.is_empty() {
        return Ok(None);
    }
    // Whose subject it is is told by the provider's name.
    if let Some(name) = settings.identity.oidc.keys().find(|name| settings.identity.ldap.contains_key(*name)) {
        let problem = "an LDAP directory has the same name: the one's people would be the other's".to_owned();
        return Err(SettingsError::invalid(format!("identity.oidc.{name}"), problem).into());
    }
    let all = settings.identity.oidc.iter();
    let all = all.map(|(name, section)| section.provider(name, &settings.folder, Arc::clone(clock), Arc::clone(rng)));
    // Whatever shares the vault's keys has the same: a log-in may end at another server than it began at.
    let code = Redacted::new(vault.mac("oidc log-in", b"state key 1"));
    let key = StateKey::new(Redacted::new(*Digest::of(code.expose().as_bytes()).as_bytes()));
    let providers = Providers::new(all.collect::<Result<_, _>>()?, key, Arc::clone(clock))
        .map_err(|error| SettingsError::invalid(format!("identity.oidc.{}", error.provider), error.reason))?;
    Ok(Some(providers))
}

/// Asks each provider once, so that what is wrong with one stands in the log before somebody wants to log in.
pub(crate) async fn probe(app: Arc<App>) {
    for (provider, problem) in app.oidc_problems().await {
        tracing::warn!(provider, problem, "an identity provider can't be used now");
    }
}

/// What the settings give to the groups of providers.
pub(crate) fn declared_roles(settings: &Settings) -> DeclaredRoles {
    let directories = settings.identity.ldap.iter().map(|(name, section)| (name.clone(), section.roles_of_groups()));
    let providers = settings.identity.oidc.iter().map(|(name, section)| (name.clone(), section.roles.clone()));
    directories.chain(providers).collect()
}
