//! The section `[identity.saml.NAME]`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Deserialize;

use crate::SamlSettingsError;
use crate::key::Key;
use crate::metadata::{IdentityProvider, read};
use crate::xml::LONGEST;

/// The section as it is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlSettings {
    /// The identity provider's metadata; or the next three.
    pub metadata_file: Option<PathBuf>,
    /// The identity provider's entity id.
    pub idp_entity_id: Option<String>,
    /// Where it takes requests by the redirect binding.
    pub sso_url: Option<String>,
    /// A file with the certificates of the keys it signs with, as PEM.
    pub certificates_file: Option<PathBuf>,
    /// This server's entity id.
    pub entity_id: String,
    /// This server's address for responses: `https://…/auth/saml/NAME/acs`.
    pub acs_url: String,
    /// An attribute with the name that somebody gets here; without it that is the `NameID`.
    pub name_attribute: Option<String>,
    /// An attribute that somebody keeps for ever and nobody else ever gets; without it that is the `NameID`.
    pub id_attribute: Option<String>,
    /// An attribute with groups.
    pub groups_attribute: Option<String>,
    /// The roles of its groups.
    #[serde(default)]
    pub roles: BTreeMap<String, Vec<String>>,
    /// Its groups whose members are administrators.
    #[serde(default)]
    pub administrators: Vec<String>,
    /// The assertion itself has to be signed, and not only the response around it.
    #[serde(default = "yes")]
    pub want_assertions_signed: bool,
    /// Let log-ins begin at the identity provider: then any browser can be logged in by whoever has an account there.
    #[serde(default)]
    pub allow_idp_initiated: bool,
    /// By how much clocks may differ.
    #[serde(default = "leeway")]
    pub leeway_seconds: u32,
}

const fn yes() -> bool {
    true
}
const fn leeway() -> u32 {
    30
}

/// The section, checked, with its files read.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) idp: IdentityProvider,
    pub(crate) entity_id: String,
    pub(crate) acs_url: String,
    pub(crate) name_attribute: Option<String>,
    pub(crate) id_attribute: Option<String>,
    pub(crate) groups_attribute: Option<String>,
    pub(crate) administrators: BTreeSet<String>,
    pub(crate) want_assertions_signed: bool,
    pub(crate) allow_idp_initiated: bool,
    pub(crate) leeway: i64,
}

impl SamlSettings {
    /// With paths that are relative to `folder`.
    #[must_use]
    pub fn in_folder(mut self, folder: &Path) -> Self {
        for path in [&mut self.metadata_file, &mut self.certificates_file].into_iter().flatten() {
            *path = folder.join(&*path);
        }
        self
    }

    pub(crate) fn resolve(self, name: &str) -> Result<Resolved, SamlSettingsError> {
        let idp = match (self.metadata_file, self.idp_entity_id, self.sso_url, self.certificates_file) {
            (Some(path), None, None, None) => {
                let bytes = file("metadata_file", &path)?;
                let text = String::from_utf8(bytes);
                read(&text.map_err(|_| SamlSettingsError::value("metadata_file", "it is no UTF-8"))?)?
            }
            (None, Some(entity_id), Some(sso_url), Some(path)) => {
                IdentityProvider { entity_id, sso_url, keys: keys(&path)? }
            }
            _ => {
                let what = "either metadata_file, or idp_entity_id, sso_url and certificates_file";
                return Err(SamlSettingsError::value("metadata_file", what));
            }
        };
        check_url("sso_url", &idp.sso_url)?;
        check_url("acs_url", &self.acs_url)?;
        let path = format!("/auth/saml/{name}/acs");
        if !self.acs_url.ends_with(&path) {
            return Err(SamlSettingsError::value("acs_url", format!("it has to end in {path}")));
        }
        if self.entity_id.is_empty() {
            return Err(SamlSettingsError::value("entity_id", "it is empty"));
        }
        if self.leeway_seconds > 300 {
            return Err(SamlSettingsError::value("leeway_seconds", "at most 300"));
        }
        if self.groups_attribute.is_none() && !(self.roles.is_empty() && self.administrators.is_empty()) {
            return Err(SamlSettingsError::value("groups_attribute", "groups are named, but not where they are"));
        }
        Ok(Resolved {
            idp,
            entity_id: self.entity_id,
            acs_url: self.acs_url,
            name_attribute: self.name_attribute,
            id_attribute: self.id_attribute,
            groups_attribute: self.groups_attribute,
            administrators: self.administrators.into_iter().collect(),
            want_assertions_signed: self.want_assertions_signed,
            allow_idp_initiated: self.allow_idp_initiated,
            leeway: i64::from(self.leeway_seconds),
        })
    }
}

/// TLS, or this machine.
fn check_url(key: &'static str, url: &str) -> Result<(), SamlSettingsError> {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let after =
        |start: &&str| url.strip_prefix(*start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']));
    let plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('#');
    if plain && (url.starts_with("https://") || local.iter().any(after)) {
        return Ok(());
    }
    Err(SamlSettingsError::value(key, "it is no https:// address"))
}

fn file(key: &'static str, path: &Path) -> Result<Vec<u8>, SamlSettingsError> {
    let failed = |source| SamlSettingsError::File { key, path: path.display().to_string(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > LONGEST as u64 {
        return Err(SamlSettingsError::value(key, "it is too long"));
    }
    std::fs::read(path).map_err(failed)
}

fn keys(path: &Path) -> Result<Vec<Key>, SamlSettingsError> {
    let pem = file("certificates_file", path)?;
    let bad = |what: &str| SamlSettingsError::value("certificates_file", what);
    let mut keys = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|_| bad("it is no PEM"))?;
        let key = Key::of_certificate(&certificate);
        keys.push(key.ok_or_else(|| bad("a certificate can't be read, or its key is of no use"))?);
    }
    if keys.is_empty() { Err(bad("it holds no certificate")) } else { Ok(keys) }
}
