use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sealyard_core::{Clock, Rng};
use sealyard_identity_oidc::{ClientAuthentication, Kind, MachineRule, Provider, ProviderSettings};
use sealyard_outbound::{AllowList, Outbound};
use serde::Deserialize;
use serde_json::Value;

use crate::settings::{SecretFile, SettingsError, SettingsPath};

/// A provider answers in this time, or is away: a person waits for it.
const LONGEST_REQUEST: Duration = Duration::from_secs(10);

/// `[identity.oidc.NAME]`: a provider that speaks OpenID Connect.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// `people` (if nothing is said) or `machines`.
    #[serde(default)]
    kind: OidcKind,
    /// What people read on the log-in page.
    display: Option<String>,
    issuer: String,
    #[serde(default)]
    client_id: String,
    client_secret_file: Option<SecretFile>,
    #[serde(default)]
    client_authentication: OidcClientAuthentication,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    redirect_base: String,
    name_claim: Option<String>,
    groups_claim: Option<String>,
    #[serde(default)]
    userinfo: bool,
    #[serde(default)]
    audiences: Vec<String>,
    /// Roles of the provider's groups.
    #[serde(default)]
    pub(crate) roles: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    administrators: Vec<String>,
    #[serde(default)]
    require: BTreeMap<String, Required>,
    #[serde(default)]
    machine: Vec<MachineSettings>,
    jwks_file: Option<SettingsPath>,
    token_file: Option<SettingsPath>,
    /// The authorities of its certificate, in place of the system's.
    ca_file: Option<SettingsPath>,
    /// Inner hosts, addresses and networks beside the issuer's host that it may name as its own.
    #[serde(default)]
    allow: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OidcKind {
    #[default]
    People,
    Machines,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OidcClientAuthentication {
    #[default]
    Basic,
    Post,
}

/// The value that a claim must have.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Required {
    Flag(bool),
    Number(i64),
    Text(String),
}

/// `[[identity.oidc.NAME.machine]]`: which tokens are which account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineSettings {
    account: String,
    claims: BTreeMap<String, String>,
}

impl OidcSettings {
    /// The provider, with paths relative to `folder`.
    pub(crate) fn provider(
        &self,
        name: &str,
        folder: &Path,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Arc<Provider>, SettingsError> {
        let section = format!("identity.oidc.{name}");
        let invalid = |problem: String| SettingsError::invalid(section.clone(), problem);
        let kind = match self.kind {
            OidcKind::People => Kind::People,
            OidcKind::Machines => Kind::Machines,
        };
        if !self.roles.is_empty() && self.groups_claim.is_none() {
            return Err(invalid(
                "`roles` are given to groups: `groups_claim` says where the provider tells them".into(),
            ));
        }
        let base = ProviderSettings::new(name, kind, &self.issuer);
        let settings = ProviderSettings {
            display: self.display.clone().unwrap_or_else(|| name.to_owned()),
            client_id: self.client_id.clone(),
            client_secret: self.client_secret_file.as_ref().map(|file| file.read(folder)).transpose()?,
            client_authentication: match self.client_authentication {
                OidcClientAuthentication::Basic => ClientAuthentication::Basic,
                OidcClientAuthentication::Post => ClientAuthentication::Post,
            },
            scopes: self.scopes.clone(),
            redirect_base: self.redirect_base.clone(),
            name_claim: self.name_claim.clone().unwrap_or(base.name_claim),
            groups_claim: self.groups_claim.clone(),
            userinfo: self.userinfo,
            audiences: self.audiences.clone(),
            administrators: self.administrators.iter().cloned().collect(),
            require: self.require.iter().map(|(claim, value)| (claim.clone(), value.json())).collect(),
            machines: self.machine.iter().map(MachineSettings::rule).collect(),
            keys_file: self.jwks_file.as_ref().map(|path| path.resolve(folder)),
            token_file: self.token_file.as_ref().map(|path| path.resolve(folder)),
            ..base
        };
        let hosts = host(&self.issuer).into_iter().chain(self.allow.iter().map(String::as_str));
        let allow = AllowList::parse(hosts).map_err(|error| invalid(error.to_string()))?;
        let mut outbound = Outbound::new(allow).with_time_limit(LONGEST_REQUEST);
        if let Some(path) = &self.ca_file {
            let path = path.resolve(folder);
            let roots = authorities(&path).map_err(|problem| invalid(format!("{}: {problem}", path.display())))?;
            outbound = outbound.with_roots(roots);
        }
        Provider::new(settings, outbound, clock, rng).map_err(|error| invalid(error.reason))
    }
}

impl Required {
    fn json(&self) -> Value {
        match self {
            Self::Flag(flag) => Value::Bool(*flag),
            Self::Number(number) => (*number).into(),
            Self::Text(text) => text.clone().into(),
        }
    }
}

impl MachineSettings {
    fn rule(&self) -> MachineRule {
        MachineRule { account: self.account.clone(), claims: self.claims.clone() }
    }
}

/// The host of an address, as an allow list names it. Whether the address is one is looked at later.
fn host(address: &str) -> Option<&str> {
    let rest = address.split_once("://")?.1;
    let authority = rest.split('/').next()?;
    if let Some(rest) = authority.strip_prefix('[') {
        return rest.split(']').next();
    }
    authority.split(':').next().filter(|host| !host.is_empty())
}

fn authorities(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())? {
        roots.add(certificate.map_err(|error| error.to_string())?).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("it holds no certificate".to_owned()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use sealyard_core::{SystemClock, SystemRng};

    use crate::settings::Settings;

    fn problem(text: &str) -> Option<String> {
        let folder = std::path::Path::new("/nowhere");
        let settings = match Settings::parse(text, folder) {
            Ok(settings) => settings,
            Err(problem) => return Some(problem),
        };
        let (name, oidc) = settings.identity.oidc.iter().next().unwrap();
        let made = oidc.provider(name, folder, std::sync::Arc::new(SystemClock), std::sync::Arc::new(SystemRng));
        made.err().map(|error| error.to_string())
    }

    const PEOPLE: &str = r#"[identity.oidc.corp]
        display = "Example Corp"
        issuer = "https://id.example.org"
        client_id = "sealyard"
        redirect_base = "https://ml.example.org"
        groups_claim = "groups"
        administrators = ["ml-admins"]
        roles = { ml = ["trainers"] }
        require = { email_verified = true, hd = "example.org" }
    "#;

    const GITHUB: &str = r#"[identity.oidc.github]
        kind = "machines"
        issuer = "https://token.actions.githubusercontent.com"
        audiences = ["https://ml.example.org"]
        [[identity.oidc.github.machine]]
        account = "publisher"
        claims = { repository = "org/repo", ref = "refs/heads/main" }
    "#;

    #[test]
    fn sections_of_the_book_are_understood() {
        assert_eq!(problem(PEOPLE), None);
        assert_eq!(problem(GITHUB), None);
        assert_eq!(problem(&PEOPLE.replace("https://id.example.org", "http://127.0.0.1:9000")), None);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (from, to, wanted) in [
            ("client_id", "clientid", "unknown field"),
            ("\"https://id.example.org\"", "\"http://id.example.org\"", "issuer"),
            ("redirect_base = \"https://ml.example.org\"", "", "redirect_base"),
            ("groups_claim = \"groups\"", "", "groups_claim"),
            ("display = \"Example Corp\"", "client_secret_file = \"none\"", "could not read"),
            ("display = \"Example Corp\"", "ca_file = \"none\"", "none"),
            ("display = \"Example Corp\"", "allow = [\"*\"]", "neither a host name"),
            ("display = \"Example Corp\"", "kind = \"robots\"", "unknown variant"),
        ] {
            let found = problem(&PEOPLE.replace(from, to)).unwrap_or_default();
            assert!(found.contains(wanted), "{from} {to}: {found}");
        }
        assert!(problem(&GITHUB.replace("repository = \"org/repo\",", "")).unwrap().contains("every workflow"));
        assert!(problem(&GITHUB.replace("audiences", "scopes")).unwrap().contains("audiences"));
    }
}
