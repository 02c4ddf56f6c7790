use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sealyard_core::Redacted;
use serde_json::Value;

use crate::{Kind, MachineRule};

/// GitHub's tokens for workflows: whoever has an account there gets one of this issuer.
const GITHUB_ACTIONS: &str = "https://token.actions.githubusercontent.com";
/// What says of a workflow whose it is.
const GITHUB_OWNERS: &[&str] = &["sub", "repository", "repository_id", "repository_owner", "repository_owner_id"];
/// The same for everybody's jobs at GitLab.
const GITLAB: &str = "https://gitlab.com";
const GITLAB_OWNERS: &[&str] = &["sub", "project_path", "project_id", "namespace_path", "namespace_id"];

/// How we prove to the provider who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientAuthentication {
    /// `client_secret_basic`: in a header.
    #[default]
    Basic,
    /// `client_secret_post`: in the form.
    Post,
}

/// What the operator wrote down about one provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// What it is called in addresses and in the ledger: small letters, digits and `-`.
    pub name: String,
    /// What people read on the log-in page.
    pub display: String,
    /// Whom it speaks for.
    pub kind: Kind,
    /// Its issuer, exactly as it writes it itself.
    pub issuer: String,
    /// What we are called there.
    pub client_id: String,
    /// What proves that; without one, PKCE alone does.
    pub client_secret: Option<Redacted<String>>,
    /// How it is sent.
    pub client_authentication: ClientAuthentication,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
    /// Where browsers reach this server, such as `https://ml.example.org`.
    pub redirect_base: String,
    /// The claim that becomes the account's name.
    pub name_claim: String,
    /// The claim with the groups.
    pub groups_claim: Option<String>,
    /// Ask the provider's userinfo endpoint too, for what the ID token lacks.
    pub userinfo: bool,
    /// Audiences that a token may have. For people: beside the client id; for machines: one of them must be there.
    pub audiences: Vec<String>,
    /// Groups that make an administrator; if there are none, the provider does not decide that.
    pub administrators: BTreeSet<String>,
    /// Claims that must have this value, or hold it.
    pub require: BTreeMap<String, Value>,
    /// Which machine is which account.
    pub machines: Vec<MachineRule>,
    /// The public keys in a file, for an issuer that can't be reached.
    pub keys_file: Option<PathBuf>,
    /// A file with a token that the issuer wants to see before it shows its keys, as Kubernetes does.
    pub token_file: Option<PathBuf>,
}

/// The settings of a provider make no sense, or would let in whom nobody meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("identity provider {provider:?}: {reason}")]
pub struct SettingsError {
    /// Which one.
    pub provider: String,
    /// What is wrong.
    pub reason: String,
}

impl ProviderSettings {
    /// A provider of which the rest is as most have it.
    #[must_use]
    pub fn new(name: &str, kind: Kind, issuer: &str) -> Self {
        Self {
            name: name.to_owned(),
            display: name.to_owned(),
            kind,
            issuer: issuer.to_owned(),
            client_id: String::new(),
            client_secret: None,
            client_authentication: ClientAuthentication::default(),
            scopes: Vec::new(),
            redirect_base: String::new(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: None,
            userinfo: false,
            audiences: Vec::new(),
            administrators: BTreeSet::new(),
            require: BTreeMap::new(),
            machines: Vec::new(),
            keys_file: None,
            token_file: None,
        }
    }

    /// Where the provider sends browsers back to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/auth/oidc/{}/callback", self.redirect_base.trim_end_matches('/'), self.name)
    }

    /// Whether the settings make sense together.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn check(&self) -> Result<(), SettingsError> {
        let wrong = |reason: String| Err(SettingsError { provider: self.name.clone(), reason });
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(letters) {
            return wrong("a name has 1 to 32 of a–z, 0–9 and -".to_owned());
        }
        if self.issuer.contains(['?', '#']) || !self.issuer.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("`issuer` is an https address without query".to_owned());
        }
        // Whoever is on the way could put in keys of their own.
        if !self.issuer.starts_with("https://") && !is_this_machine(&self.issuer) {
            return wrong("`issuer` is an https address; http only on this machine itself".to_owned());
        }
        match self.kind {
            Kind::People => self.check_people(),
            Kind::Machines => self.check_machines(),
        }
        .or_else(wrong)
    }

    fn check_people(&self) -> Result<(), String> {
        if self.client_id.is_empty() {
            return Err("`client_id` is missing".to_owned());
        }
        if !self.redirect_base.starts_with("https://") && !self.redirect_base.starts_with("http://") {
            return Err(
                "`redirect_base` is missing: where browsers reach this server, as `https://ml.example.org`".into()
            );
        }
        if !self.administrators.is_empty() && self.groups_claim.is_none() {
            return Err("`administrators` needs a `groups_claim`".to_owned());
        }
        if !self.machines.is_empty() || self.keys_file.is_some() {
            return Err("`machine` and `jwks_file` belong to `kind = \"machines\"`".to_owned());
        }
        Ok(())
    }

    fn check_machines(&self) -> Result<(), String> {
        if self.audiences.is_empty() {
            return Err("`audiences` is missing: tokens for others would be taken as meant for us".to_owned());
        }
        if self.machines.is_empty() {
            return Err("no `machine` says which token is which account".to_owned());
        }
        for rule in &self.machines {
            rule.check()?;
            if self.issuer == GITHUB_ACTIONS && !rule.names_owner(GITHUB_OWNERS) {
                return Err(format!(
                    "the rule of {:?} names no repository or owner in full, so that every workflow of GitHub would be let in",
                    rule.account
                ));
            }
            if self.issuer.trim_end_matches('/') == GITLAB && !rule.names_owner(GITLAB_OWNERS) {
                return Err(format!(
                    "the rule of {:?} names no project or namespace in full, so that every job of GitLab would be let in",
                    rule.account
                ));
            }
        }
        Ok(())
    }
}
/// Whether an address is plain HTTP to a loopback address of this machine.
fn is_this_machine(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("http://") else { return false };
    let authority = rest.split('/').next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    let host = host.unwrap_or_default();
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
