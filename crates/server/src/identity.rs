//! Who else says who somebody is: from the settings to what the application asks.

use std::sync::Arc;

use sealyard_app::DeclaredRoles;
use sealyard_core::Rng;
use sealyard_identity::PasswordDirectory;
use sealyard_identity_ldap::Directory;

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

/// What the settings give to the groups of providers.
pub(crate) fn declared_roles(settings: &Settings) -> DeclaredRoles {
    settings.identity.ldap.iter().map(|(name, section)| (name.clone(), section.roles_of_groups())).collect()
}
