//! Who else says who somebody is: from the settings to what the application asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use sealyard_app::{App, DeclaredRoles};
use sealyard_core::{Clock, Digest, Redacted, Rng};
use sealyard_identity::PasswordDirectory;
use sealyard_identity_ldap::Directory;
use sealyard_identity_oidc::{Providers, StateKey};
use sealyard_identity_saml as saml;
use sealyard_vault::Vault;

use crate::ServerError;
use crate::settings::{Settings, SettingsError};

/// Refuses a name that two sections of different kinds have: accounts are known by the provider's name and what it calls them, so
/// one provider could speak for the other's people.
pub(crate) fn check_names(settings: &Settings) -> Result<(), SettingsError> {
    let identity = &settings.identity;
    let mut seen = BTreeSet::new();
    for name in identity.oidc.keys().chain(identity.ldap.keys()).chain(identity.saml.keys()) {
        if !seen.insert(name) {
            let problem = format!("two providers are called {name}: each kind needs names of its own");
            return Err(SettingsError::invalid("identity", problem));
        }
        // They stand for something else where a provider's name stands.
        if ["scim", "certificate", "certificates"].contains(&name.as_str()) {
            return Err(SettingsError::invalid("identity", format!("no provider can be called {name}")));
        }
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fine) {
            let problem = format!("{name:?} is no name of a provider: 1 to 64 letters, digits and . _ -");
            return Err(SettingsError::invalid("identity", problem));
        }
    }
    Ok(())
}

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
    let all = settings.identity.oidc.iter();
    let all = all.map(|(name, section)| section.provider(name, &settings.folder, Arc::clone(clock), Arc::clone(rng)));
    // Whatever shares the vault's keys has the same: a log-in may end at another server than it began at.
    let code = Redacted::new(vault.mac("oidc log-in", b"state key 1"));
    let key = StateKey::new(Redacted::new(*Digest::of(code.expose().as_bytes()).as_bytes()));
    let providers = Providers::new(all.collect::<Result<_, _>>()?, key, Arc::clone(clock))
        .map_err(|error| SettingsError::invalid(format!("identity.oidc.{}", error.provider), error.reason))?;
    Ok(Some(providers))
}

/// The SAML providers of the settings, and the key of what binds a log-in to its browser.
pub(crate) fn saml_providers(
    settings: &Settings,
    vault: &Vault,
    clock: &Arc<dyn Clock>,
    rng: &Arc<dyn Rng>,
) -> Result<(Vec<saml::Provider>, saml::StateKey), ServerError> {
    let open = |(name, section): (&String, &saml::SamlSettings)| {
        let section = section.clone().in_folder(&settings.folder);
        saml::Provider::open(name, section, Arc::clone(clock), Arc::clone(rng)).map_err(|error| {
            SettingsError::invalid(format!("identity.saml.{name}"), sealyard_core::with_causes(&error))
        })
    };
    let all = settings.identity.saml.iter().map(open).collect::<Result<_, _>>()?;
    // As for OpenID: all servers of one catalog have the same.
    let code = Redacted::new(vault.mac("saml log-in", b"state key 1"));
    Ok((all, saml::StateKey::new(Redacted::new(*Digest::of(code.expose().as_bytes()).as_bytes()))))
}

/// Asks each provider once, so that what is wrong with one stands in the log before somebody wants to log in.
pub(crate) async fn probe(app: Arc<App>) {
    for (provider, problem) in app.oidc_problems().await {
        tracing::warn!(provider, problem, "an identity provider can't be used now");
    }
}

/// What the settings give to the groups of providers.
pub(crate) fn declared_roles(settings: &Settings) -> DeclaredRoles {
    let identity = &settings.identity;
    let oidc = identity.oidc.iter().map(|(name, section)| (name.clone(), section.roles.clone()));
    let ldap = identity.ldap.iter().map(|(name, section)| (name.clone(), section.roles_of_groups()));
    let saml = identity.saml.iter().map(|(name, section)| (name.clone(), section.roles.clone()));
    oidc.chain(ldap).chain(saml).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn no_two_providers_have_one_name() {
        let ldap = |name: &str| {
            format!(
                "[identity.ldap.{name}]\nurl = \"ldaps://x\"\nuser_base = \"dc=x\"\nroles = {{ \"CN=a, dc=x\" = [\"r\"] }}\n"
            )
        };
        let saml = |name: &str| {
            format!("[identity.saml.{name}]\nentity_id = \"x\"\nacs_url = \"x\"\nroles = {{ A = [\"r\"] }}\n")
        };
        let read = |text: String| Settings::parse(&text, Path::new("/")).unwrap();
        let both = read(ldap("corp") + &saml("other"));
        check_names(&both).unwrap();
        let roles = declared_roles(&both);
        assert_eq!(roles["corp"]["cn=a,dc=x"], ["r"]);
        assert_eq!(roles["other"]["A"], ["r"]);
        assert!(check_names(&read(ldap("corp") + &saml("corp"))).is_err());
        for not_a_name in ["\"a/b\"", "scim", "certificate", "certificates"] {
            assert!(check_names(&read(ldap(not_a_name))).is_err(), "{not_a_name}");
        }
    }
}
