//! `[identity]`: who else says who somebody is.

use std::collections::BTreeMap;

use sealyard_identity_ldap::LdapSettings;
use serde::Deserialize;

/// `[identity]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentitySettings {
    /// `[identity.ldap.NAME]`: directories that check passwords.
    pub ldap: BTreeMap<String, LdapSettings>,
}
