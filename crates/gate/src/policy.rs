use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;

use sealyard_core::{Digest, Hasher, TreePath, Verdict};
use sealyard_evidence::{KeyError, PublicKey, TrustError, TrustedKeys};
use serde::{Deserialize, Deserializer};

use crate::request::Stage;

const MAX_BYTES: usize = 1 << 20;

/// Who may vouch for what, by stage. See the crate's documentation for its text.
#[derive(Debug, Clone)]
pub struct Policy {
    sections: BTreeMap<Stage, Section>,
    protected_aliases: BTreeSet<String>,
    apart_from_training: BTreeSet<Duty>,
    break_glass: BTreeSet<Duty>,
    keys: TrustedKeys,
    digest: Digest,
}

/// An act that a policy can keep apart from training.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// Publish a version.
    Publish,
    /// Point a protected alias at one.
    Promote,
    /// Deploy one.
    Deploy,
}

impl fmt::Display for Duty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Publish => "publish",
            Self::Promote => "promote",
            Self::Deploy => "deploy",
        })
    }
}

/// What one stage asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Keys that may sign a model's files.
    pub signed_by: BTreeSet<String>,
    /// What is asked of scans.
    pub scan: Requirement<ScanRule>,
    /// What is asked of provenance.
    pub provenance: Requirement<ProvenanceRule>,
    /// Environments that may be asked for; `None` when the stage knows none.
    pub environments: Option<BTreeSet<String>>,
    /// Whose attestation of the stage before counts; publish has none before it.
    pub attestation: AttestationRule,
}

/// The attestation of the stage before that a stage asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttestationRule {
    /// Publishing comes first.
    None,
    /// Deploying asks for a publish attestation by one of these keys.
    Published(AttestedBy),
    /// Admitting and loading ask for a deployment attestation by one of these keys.
    Deployed(AttestedBy),
}

/// Whose attestation counts, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedBy {
    /// Keys of gates.
    pub signed_by: BTreeSet<String>,
    /// How old an attestation may be.
    pub max_age_days: Option<u32>,
}

/// Something a policy asks for, or says in so many words that it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement<T> {
    /// `"not required"`.
    NotRequired,
    /// Asked for, in this way.
    Required(T),
}

/// What is asked of scans.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanRule {
    /// Keys of scanners.
    pub signed_by: BTreeSet<String>,
    /// The worst verdict that is let through: `safe` or `suspicious`.
    pub verdict: Verdict,
    /// How old a scan may be.
    #[serde(default)]
    pub max_age_days: Option<u32>,
}

/// What is asked of provenance.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProvenanceRule {
    /// Keys of builders.
    pub signed_by: BTreeSet<String>,
    /// Builder ids, compared exactly.
    pub builders: BTreeSet<String>,
}

impl Policy {
    /// Reads a policy. `read_key` gives the content of a file named relative to the policy's folder.
    ///
    /// # Errors
    /// [`PolicyError`] says which key or section is wrong; a policy is taken wholly or not at all.
    pub fn parse(text: &str, read_key: &dyn Fn(&TreePath) -> io::Result<String>) -> Result<Self, PolicyError> {
        if text.len() > MAX_BYTES {
            return Err(PolicyError::TooLarge(text.len()));
        }
        let raw: Raw = toml::from_str(text).map_err(|error| PolicyError::Toml(error.to_string()))?;
        if raw.version != 1 {
            return Err(PolicyError::Version(raw.version));
        }
        let mut keys = TrustedKeys::new();
        let mut digest = Hasher::default();
        digest.update(b"sealyard-policy-v1\n");
        digest.update(format!("{}\n{text}", text.len()).as_bytes());
        for (name, file) in &raw.keys {
            let path = TreePath::new(file)
                .map_err(|error| PolicyError::KeyPath { name: name.clone(), why: error.to_string() })?;
            let pem = read_key(&path).map_err(|source| PolicyError::KeyFile {
                name: name.clone(),
                file: file.clone(),
                source,
            })?;
            let key = PublicKey::from_pem(&pem).map_err(|source| PolicyError::Key {
                name: name.clone(),
                file: file.clone(),
                source,
            })?;
            digest.update(format!("\n{name} {}", key.key_id()).as_bytes());
            keys.insert(name, key)?;
        }
        let mut sections = BTreeMap::new();
        if let Some(raw) = raw.publish {
            sections.insert(Stage::Publish, raw.common.section(AttestationRule::None));
        }
        if let Some(raw) = raw.deploy {
            sections.insert(
                Stage::Deploy,
                raw.common.section(AttestationRule::Published(AttestedBy {
                    signed_by: raw.published_by,
                    max_age_days: raw.max_attestation_age_days,
                })),
            );
        }
        for (stage, raw) in [(Stage::Admit, raw.admit), (Stage::Load, raw.load)] {
            if let Some(raw) = raw {
                sections.insert(
                    stage,
                    raw.common.section(AttestationRule::Deployed(AttestedBy {
                        signed_by: raw.deployed_by,
                        max_age_days: raw.max_attestation_age_days,
                    })),
                );
            }
        }
        for (stage, section) in &sections {
            section.check(*stage, &keys)?;
        }
        if raw.break_glass.may.contains(&Duty::Publish) {
            return Err(PolicyError::BreakGlass);
        }
        Ok(Self {
            sections,
            protected_aliases: raw.aliases.protected,
            apart_from_training: raw.separation_of_duties.trained_may_not,
            break_glass: raw.break_glass.may,
            keys,
            digest: digest.finish(),
        })
    }

    /// What `stage` asks for; `None` denies everything.
    #[must_use]
    pub fn section(&self, stage: Stage) -> Option<&Section> {
        self.sections.get(&stage)
    }

    /// The keys to verify evidence with before it comes to [`decide`](crate::decide()).
    #[must_use]
    pub const fn trusted_keys(&self) -> &TrustedKeys {
        &self.keys
    }

    /// Whether setting this alias of a registered model asks the publish gate first.
    #[must_use]
    pub fn is_protected_alias(&self, alias: &str) -> bool {
        self.protected_aliases.contains(alias)
    }

    /// The aliases that ask the publish gate first.
    #[must_use]
    pub const fn protected_aliases(&self) -> &BTreeSet<String> {
        &self.protected_aliases
    }

    /// Whether whoever trained a model may not do this with it.
    #[must_use]
    pub fn is_apart_from_training(&self, duty: Duty) -> bool {
        self.apart_from_training.contains(&duty)
    }

    /// Whether somebody with the right to break glass may do this although rules are not content.
    #[must_use]
    pub fn may_break_glass(&self, duty: Duty) -> bool {
        self.break_glass.contains(&duty)
    }

    /// The digest of the policy's text and its keys.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl Section {
    /// A list that is empty, or names a key that isn't there, would deny for ever or for the wrong reason.
    fn check(&self, stage: Stage, keys: &TrustedKeys) -> Result<(), PolicyError> {
        let mut lists = vec![("signed_by", &self.signed_by)];
        match &self.attestation {
            AttestationRule::None => {}
            AttestationRule::Published(by) => lists.push(("published_by", &by.signed_by)),
            AttestationRule::Deployed(by) => lists.push(("deployed_by", &by.signed_by)),
        }
        if let Requirement::Required(scan) = &self.scan {
            lists.push(("scan.signed_by", &scan.signed_by));
            if !matches!(scan.verdict, Verdict::Safe | Verdict::Suspicious) {
                return Err(PolicyError::Verdict { stage, verdict: scan.verdict });
            }
        }
        if let Requirement::Required(provenance) = &self.provenance {
            lists.push(("provenance.signed_by", &provenance.signed_by));
            if provenance.builders.is_empty() {
                return Err(PolicyError::Empty { stage, list: "provenance.builders" });
            }
        }
        for (list, names) in lists {
            if names.is_empty() {
                return Err(PolicyError::Empty { stage, list });
            }
            if let Some(name) = names.iter().find(|name| keys.get(name).is_none()) {
                return Err(PolicyError::UnknownKey { stage, list, name: name.clone() });
            }
        }
        if self.environments.as_ref().is_some_and(BTreeSet::is_empty) {
            return Err(PolicyError::Empty { stage, list: "environments" });
        }
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    version: u32,
    keys: BTreeMap<String, String>,
    publish: Option<RawPublish>,
    deploy: Option<RawDeploy>,
    admit: Option<RawLoad>,
    load: Option<RawLoad>,
    #[serde(default)]
    aliases: RawAliases,
    #[serde(default)]
    separation_of_duties: RawSeparation,
    #[serde(default)]
    break_glass: RawBreakGlass,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSeparation {
    trained_may_not: BTreeSet<Duty>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBreakGlass {
    may: BTreeSet<Duty>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAliases {
    protected: BTreeSet<String>,
}

struct Common {
    signed_by: BTreeSet<String>,
    scan: Requirement<ScanRule>,
    provenance: Requirement<ProvenanceRule>,
    environments: Option<BTreeSet<String>>,
}

impl Common {
    fn section(self, attestation: AttestationRule) -> Section {
        let Self { signed_by, scan, provenance, environments } = self;
        Section { signed_by, scan, provenance, environments, attestation }
    }
}

/// The sections differ in one field; `flatten` would switch `deny_unknown_fields` off, so each is spelled out.
macro_rules! raw_section {
    ($name:ident { $($extra:ident)? }) => {
        struct $name {
            common: Common,
            $($extra: BTreeSet<String>, max_attestation_age_days: Option<u32>,)?
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(deny_unknown_fields)]
                struct Fields {
                    $($extra: BTreeSet<String>, max_attestation_age_days: Option<u32>,)?
                    signed_by: BTreeSet<String>,
                    scan: Requirement<ScanRule>,
                    provenance: Requirement<ProvenanceRule>,
                    environments: Option<BTreeSet<String>>,
                }
                let Fields { $($extra, max_attestation_age_days,)? signed_by, scan, provenance, environments } =
                    Fields::deserialize(deserializer)?;
                Ok(Self { common: Common { signed_by, scan, provenance, environments }, $($extra, max_attestation_age_days,)? })
            }
        }
    };
}

raw_section!(RawPublish {});
raw_section!(RawDeploy { published_by });
raw_section!(RawLoad { deployed_by });

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for Requirement<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) if text == "not required" => Ok(Self::NotRequired),
            table @ toml::Value::Table(_) => T::deserialize(table).map(Self::Required).map_err(D::Error::custom),
            _ => Err(D::Error::custom("expected a table or \"not required\"")),
        }
    }
}

/// The policy can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Too large.
    #[error("the policy has {0} bytes, more than the {MAX_BYTES} allowed")]
    TooLarge(usize),
    /// Not TOML, or with unknown, missing or wrong fields.
    #[error("the policy is not well-formed: {0}")]
    Toml(String),
    /// Another version.
    #[error("the policy has version {0}, only version 1 is known")]
    Version(u32),
    /// A key outside the policy's folder.
    #[error("the key {name:?} must lie in the policy's folder: {why}")]
    KeyPath {
        /// The key's name.
        name: String,
        /// What is wrong with the path.
        why: String,
    },
    /// A key that can't be read.
    #[error("the key {name:?} can't be read from {file}")]
    KeyFile {
        /// The key's name.
        name: String,
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// A key that can't be used.
    #[error("the key {name:?} in {file} can't be used")]
    Key {
        /// The key's name.
        name: String,
        /// The file.
        file: String,
        /// Why.
        source: KeyError,
    },
    /// Keys that can't be told apart.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// Glass that nobody can break.
    #[error(
        "[break_glass] may names publish: every later gate trusts what was published; only promote and deploy can be named"
    )]
    BreakGlass,
    /// A list without a member.
    #[error("[{stage}] {list} is empty, so nothing could ever pass")]
    Empty {
        /// The section.
        stage: Stage,
        /// The list.
        list: &'static str,
    },
    /// A name that is no key.
    #[error("[{stage}] {list} names {name:?}, which is not in [keys]")]
    UnknownKey {
        /// The section.
        stage: Stage,
        /// The list.
        list: &'static str,
        /// The name.
        name: String,
    },
    /// A verdict that must not be let through.
    #[error("[{stage}] scan.verdict can be safe or suspicious, not {verdict}")]
    Verdict {
        /// The section.
        stage: Stage,
        /// The verdict.
        verdict: Verdict,
    },
}
