//! The section `[identity.ldap.NAME]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use sealyard_core::{Redacted, durable};
use serde::Deserialize;

use crate::LdapSettingsError;
use crate::server::Server;
use crate::template::Template;

/// Servers of one directory.
const MOST_SERVERS: usize = 8;
/// A file of certificates.
const LONGEST_FILE: u64 = 1024 * 1024;

/// The section as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapSettings {
    /// `ldaps://host:636` or `ldap://host:389`, tried in this order.
    pub url: Urls,
    /// Begin TLS on `ldap://`.
    #[serde(default)]
    pub starttls: bool,
    /// Allow `ldap://` without TLS, to this machine.
    #[serde(default)]
    pub insecure: bool,
    /// The authorities that sign the servers' certificates, as PEM; without it those that the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Who searches; without it nobody in particular.
    pub bind_dn: Option<String>,
    /// A file with its password, mode 0600.
    pub bind_password_file: Option<PathBuf>,
    /// Where people are.
    pub user_base: String,
    /// What finds the one that `{name}` means.
    #[serde(default = "user_filter")]
    pub user_filter: String,
    /// An attribute that an entry keeps for ever and no other ever gets.
    #[serde(default = "id_attribute")]
    pub id_attribute: String,
    /// An attribute with the name that somebody gets here.
    #[serde(default = "name_attribute")]
    pub name_attribute: String,
    /// Where groups are; without it there are none.
    pub group_base: Option<String>,
    /// What finds the groups of `{dn}` or `{name}`.
    #[serde(default = "group_filter")]
    pub group_filter: String,
    /// How groups in groups are found.
    #[serde(default)]
    pub nested_groups: NestedGroups,
    /// The roles of its groups, which are called by their DN: who may make a group somewhere must not be able to make one with
    /// the short name of another.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Its groups, by their DN, whose members are administrators.
    #[serde(default)]
    pub administrators: Vec<String>,
    /// Seconds that one server gets for all of a sign-in.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
}

/// One URL or several.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Urls {
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

/// How groups in groups are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NestedGroups {
    /// They are not.
    Off,
    /// By asking for the groups of each group.
    #[default]
    Search,
    /// By the server: Active Directory's rule `LDAP_MATCHING_RULE_IN_CHAIN`.
    InChain,
}

fn user_filter() -> String {
    "(&(objectClass=person)(uid={name}))".to_owned()
}
fn id_attribute() -> String {
    "entryUUID".to_owned()
}
fn name_attribute() -> String {
    "uid".to_owned()
}
fn group_filter() -> String {
    "(member={dn})".to_owned()
}
const fn timeout_seconds() -> u64 {
    10
}

/// Where and how groups are searched.
#[derive(Debug)]
pub(crate) struct GroupSearch {
    pub(crate) base: String,
    pub(crate) filter: Template,
    pub(crate) nested_filter: Template,
    pub(crate) nested: NestedGroups,
}

/// The section, checked, with its files read.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) servers: Vec<Server>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) service: Option<(String, Redacted<String>)>,
    pub(crate) user_base: String,
    pub(crate) user_filter: Template,
    pub(crate) id_attribute: String,
    pub(crate) name_attribute: String,
    pub(crate) groups: Option<GroupSearch>,
    pub(crate) administrators: BTreeSet<String>,
    pub(crate) time: Duration,
}

impl LdapSettings {
    /// With paths that are relative to `folder`.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        for path in [&mut self.ca_file, &mut self.bind_password_file].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        self
    }

    /// The roles of its groups, by the names that sign-ins give.
    #[must_use]
    pub fn roles_of_groups(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (group, roles) in &self.roles {
            all.entry(plain_dn(group)).or_default().extend(roles.iter().cloned());
        }
        all
    }

    pub(crate) fn resolve(self) -> Result<Resolved, LdapSettingsError> {
        let urls = match self.url {
            Urls::One(url) => vec![url],
            Urls::Several(urls) => urls,
        };
        if urls.is_empty() || urls.len() > MOST_SERVERS {
            return Err(LdapSettingsError::value("url", format!("1 to {MOST_SERVERS} of them")));
        }
        let servers =
            urls.iter().map(|url| Server::parse(url, self.starttls, self.insecure)).collect::<Result<_, _>>()?;
        let service = match (self.bind_dn, self.bind_password_file) {
            (None, None) => None,
            (Some(dn), Some(path)) if !dn.is_empty() => Some((dn, read_secret("bind_password_file", &path)?)),
            _ => return Err(LdapSettingsError::value("bind_dn", "bind_dn and bind_password_file go together")),
        };
        for (key, attribute) in [("id_attribute", &self.id_attribute), ("name_attribute", &self.name_attribute)] {
            let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
            if attribute.is_empty() || !attribute.bytes().all(fine) {
                return Err(LdapSettingsError::value(key, "it is no attribute's name"));
            }
        }
        if self.group_base.is_none() && !(self.roles.is_empty() && self.administrators.is_empty()) {
            return Err(LdapSettingsError::value("group_base", "groups are named, but not where they are"));
        }
        let mut filter = self.group_filter;
        if self.nested_groups == NestedGroups::InChain {
            filter = filter.replace("member={dn}", "member:1.2.840.113556.1.4.1941:={dn}");
            if !filter.contains(":1.2.840.113556.1.4.1941:=") {
                return Err(LdapSettingsError::value("group_filter", "in-chain needs member={dn} in it"));
            }
        }
        let filter = Template::new("group_filter", &filter, &["{dn}", "{name}"])?;
        let nested_filter = Template::new("group_filter", "(member={dn})", &["{dn}"])?;
        let nested = self.nested_groups;
        let groups = self.group_base.map(|base| GroupSearch { base, filter, nested_filter, nested });
        if self.roles.keys().chain(&self.administrators).any(|group| !group.contains('=')) {
            return Err(LdapSettingsError::value("roles", "groups are named by their DN"));
        }
        if !(1..=60).contains(&self.timeout_seconds) {
            return Err(LdapSettingsError::value("timeout_seconds", "1 to 60"));
        }
        if self.user_base.is_empty() {
            return Err(LdapSettingsError::value("user_base", "it is empty"));
        }
        Ok(Resolved {
            servers,
            tls: tls(self.ca_file.as_deref())?,
            service,
            user_base: self.user_base,
            user_filter: Template::new("user_filter", &self.user_filter, &["{name}"])?,
            id_attribute: self.id_attribute,
            name_attribute: self.name_attribute,
            groups,
            administrators: self.administrators.iter().map(|dn| plain_dn(dn)).collect(),
            time: Duration::from_secs(self.timeout_seconds),
        })
    }
}

/// A DN as it is compared here: in lower case, and without the blanks that may stand after commas (RFC 2253).
pub(crate) fn plain_dn(dn: &str) -> String {
    dn.split(',').map(|part| part.trim_start().to_lowercase()).collect::<Vec<_>>().join(",")
}

fn read_secret(key: &'static str, path: &Path) -> Result<Redacted<String>, LdapSettingsError> {
    let file = |source| LdapSettingsError::File { key, path: path.display().to_string(), source };
    let bytes = durable::read_private(path).map_err(file)?;
    let bytes = bytes.ok_or_else(|| file(std::io::ErrorKind::NotFound.into()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| LdapSettingsError::value(key, "it is no text"))?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(LdapSettingsError::value(key, "it is empty"));
    }
    Ok(Redacted::new(text.to_owned()))
}

fn tls(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, LdapSettingsError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = authorities {
        let file = |source| LdapSettingsError::File { key: "ca_file", path: path.display().to_string(), source };
        if std::fs::metadata(path).map_err(file)?.len() > LONGEST_FILE {
            return Err(LdapSettingsError::value("ca_file", "it is too long"));
        }
        let pem = std::fs::read(path).map_err(file)?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| LdapSettingsError::value("ca_file", error.to_string()))?;
            roots.add(certificate).map_err(|error| LdapSettingsError::value("ca_file", error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(LdapSettingsError::value("ca_file", "it holds no certificate"));
        }
    } else {
        let (_, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| LdapSettingsError::value("url", error.to_string()))?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> Option<String> {
        match toml::from_str::<LdapSettings>(text) {
            Err(error) => Some(error.to_string()),
            Ok(settings) => settings.resolve().err().map(|error| error.to_string()),
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let good = "url = \"ldaps://directory.example.org\"\nuser_base = \"ou=people,dc=example\"\n";
        assert_eq!(problem(good), None);
        for (more, wanted) in [
            ("users_base = \"x\"", "unknown field"),
            ("bind_dn = \"cn=x\"", "go together"),
            ("bind_password_file = \"/nowhere\"", "go together"),
            ("bind_dn = \"cn=x\"\nbind_password_file = \"/nowhere\"", "can't read"),
            ("ca_file = \"/nowhere\"", "can't read"),
            ("id_attribute = \"a b\"", "no attribute's name"),
            ("administrators = [\"cn=x\"]", "not where they are"),
            ("group_base = \"dc=x\"\nadministrators = [\"x\"]", "by their DN"),
            ("group_base = \"dc=x\"\nroles = { ml = [\"a\"] }", "by their DN"),
            ("group_filter = \"(uid=x)\"", "group_filter"),
            ("nested_groups = \"in-chain\"\ngroup_filter = \"(memberUid={name})\"", "in-chain"),
            ("user_filter = \"(uid=*)\"", "user_filter"),
            ("timeout_seconds = 0", "1 to 60"),
        ] {
            let found = problem(&format!("{good}{more}")).unwrap_or_default();
            assert!(found.contains(wanted), "{more}: {found}");
        }
        assert!(problem("url = []\nuser_base = \"dc=x\"").unwrap().contains("1 to 8"));
    }

    #[test]
    fn a_dn_is_compared_plainly() {
        assert_eq!(plain_dn("CN=ML, ou=Groups,  dc=example"), "cn=ml,ou=groups,dc=example");
    }
}
