//! `[identity]`: who somebody is, and who else says so.

mod accounts;
mod oidc;

use std::collections::BTreeMap;

use sealyard_identity_ldap::LdapSettings;
use sealyard_identity_saml::SamlSettings;
use serde::Deserialize;

pub use accounts::{PasswordSettings, SecondFactorSetting, SessionSettings};
pub use oidc::{MachineSettings, OidcSettings};

use super::CertificateSettings;

/// `[identity]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySettings {
    /// `[identity.password]`: what is asked of passwords.
    pub password: PasswordSettings,
    /// `[identity.session]`: how long who is logged in stays so.
    pub session: SessionSettings,
    /// `[identity.ldap.NAME]`: directories that check passwords.
    pub ldap: BTreeMap<String, LdapSettings>,
    /// `[identity.oidc.NAME]`: providers that speak OpenID Connect.
    pub oidc: BTreeMap<String, OidcSettings>,
    /// `[identity.certificates]`: whose account a client's certificate stands for.
    pub certificates: CertificateSettings,
    /// `[identity.saml.NAME]`: providers that speak SAML 2.0.
    pub saml: BTreeMap<String, SamlSettings>,
}
