use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sealyard_core::Timestamp;
use sealyard_gate::Policy;
use sealyard_identity::{Grant, Grantee};
use sealyard_ledger::{VerifyReport, verify};
use sealyard_store::model::{Cursor, LedgerEntry, LedgerQuery, ModelVersion, TokenRecord, UserRecord};
use sealyard_store::{DamagedRow, Transaction};

use crate::tasks::blocking;
use crate::{App, AppError};

/// The act of a backup that was made, as it stands in entries.
const BACKUP_MADE: &str = "backup-made";
/// So many entries are verified here; a longer log takes a command of its own.
const MOST_ENTRIES: u64 = 200_000;
/// Entries that are read at once.
const AT_ONCE: u32 = 1000;
/// Versions that are looked at.
const MOST_VERSIONS: usize = 2000;
/// Stored files that are decrypted and hashed.
const SAMPLED_FILES: usize = 20;
/// Larger ones are not sampled.
const SAMPLED_BYTES: u64 = 64 << 20;

/// How the server was started, as far as it is not in the catalog.
#[derive(Debug, Clone, Default)]
pub struct Deployment {
    /// Where it listens, and how.
    pub listeners: Vec<Listening>,
    /// Whether nobody is asked who they are.
    pub no_auth: bool,
    /// When the certificate ends, where there is one.
    pub certificate_ends: Option<Timestamp>,
    /// Whether the certificate is the server's own and nobody's that clients know.
    pub self_signed: bool,
    /// Whether the process is root.
    pub root: bool,
    /// Files below the data directory that others than their owner can read.
    pub open_files: Vec<String>,
    /// `sqlite` or `postgresql`.
    pub database: String,
    /// Where artifacts are, in words.
    pub artifacts: String,
    /// What holds the master key: `file`, `environment`, `transit`, …
    pub master_key: String,
    /// Providers of identities, by their names in the settings.
    pub providers: Vec<String>,
    /// Where the ledger is exported to, by name.
    pub exports: Vec<String>,
    /// Who witnesses the ledger, by name.
    pub witnesses: Vec<String>,
    /// Whether requests are bounded for each address and account.
    pub rate_limits: bool,
}

/// One listener.
#[derive(Debug, Clone)]
pub struct Listening {
    /// Address and port.
    pub address: std::net::SocketAddr,
    /// What it is for: `api`, `admin`, …
    pub kind: String,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// Whether only some networks may connect.
    pub allow_list: bool,
}

/// What checks look at.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) now: Timestamp,
    pub(super) deployment: Option<Deployment>,
    pub(super) users: Vec<UserRecord>,
    /// By owner.
    pub(super) tokens: BTreeMap<String, Vec<TokenRecord>>,
    pub(super) grants: Vec<Grant>,
    /// Who has any role or is in any group, by principal id.
    pub(super) members: BTreeSet<String>,
    pub(super) damaged: Vec<DamagedRow>,
    /// What the database has that no release made, or lacks.
    pub(super) foreign_schema: Option<String>,
    pub(super) policy: Option<Arc<Policy>>,
    pub(super) ledger: LedgerFacts,
    pub(super) versions: Vec<ModelVersion>,
    /// For each published version, by name and number, the types of its evidence.
    pub(super) evidence: BTreeMap<(String, u32), BTreeSet<String>>,
    /// Sampled files, and what was wrong with those that were not well.
    pub(super) files_sampled: usize,
    pub(super) files_bad: Vec<String>,
}

/// How the ledger stands.
#[derive(Debug)]
pub(super) struct LedgerFacts {
    /// `None` for a log that is too long to be verified here.
    pub(super) report: Option<VerifyReport>,
    pub(super) size: u64,
    /// The newest entry's time.
    pub(super) newest: Option<Timestamp>,
    /// When a backup was made last.
    pub(super) last_backup: Option<Timestamp>,
}

impl Facts {
    pub(super) fn administrators(&self) -> impl Iterator<Item = &UserRecord> {
        self.users.iter().filter(|user| user.admin && !user.disabled)
    }

    /// Grants to people and roles that give something, with their texts.
    pub(super) fn wide_grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.iter().filter(|grant| {
            let whole_kind = grant.pattern.to_string().ends_with(":*");
            whole_kind && grant.right.to_string() == "MANAGE" && matches!(grant.grantee, Grantee::Principal(_))
        })
    }

    pub(super) fn published(&self) -> impl Iterator<Item = &ModelVersion> {
        self.versions.iter().filter(|version| version.published.is_some())
    }
}

impl App {
    pub(super) async fn gather_facts(&self) -> Result<Facts, AppError> {
        let damaged = self.look_for_damaged_rows().await?;
        let foreign_schema = match self.store().write(|tx| Ok::<_, AppError>(tx.check_schema()?)).await {
            Ok(()) => None,
            Err(error) => Some(error.foreign_schema().map(str::to_owned).ok_or(error)?),
        };
        let (users, tokens, rules, versions, evidence) = self
            .store()
            .read(|tx| {
                let users = tx.users()?;
                let mut tokens = BTreeMap::new();
                for user in &users {
                    tokens.insert(user.name.clone(), tx.tokens_of(&user.name)?);
                }
                let rules = tx.access_rules()?;
                let versions = versions(tx)?;
                let mut evidence = BTreeMap::new();
                for version in versions.iter().filter(|version| version.published.is_some()) {
                    let types = tx.evidence_for(&version.tree)?.into_iter().map(|record| record.predicate_type);
                    evidence.insert((version.name.clone(), version.version), types.collect::<BTreeSet<_>>());
                }
                Ok::<_, AppError>((users, tokens, rules, versions, evidence))
            })
            .await?;
        let members = rules.memberships.iter().map(|member| member.principal.as_str().to_owned()).collect();
        let ledger = self.look_at_ledger().await?;
        let (files_sampled, files_bad) = self.sample_files(&versions).await?;
        Ok(Facts {
            now: self.now(),
            deployment: (*self.deployment).clone(),
            users,
            tokens,
            grants: rules.grants,
            members,
            damaged,
            foreign_schema,
            policy: self.policy.as_ref().map(|loaded| Arc::new(loaded.policy.clone())),
            ledger,
            versions,
            evidence,
            files_sampled,
            files_bad,
        })
    }

    async fn look_at_ledger(&self) -> Result<LedgerFacts, AppError> {
        self.catch_up().await?;
        let key = self.ledger_key.verifier();
        self.store()
            .read(move |tx| {
                let size = tx.entry_count()?;
                let newest =
                    |act: Option<&str>| LedgerQuery { act: act.map(str::to_owned), limit: 1, ..LedgerQuery::default() };
                let last_backup = tx.find_entries(&newest(Some(BACKUP_MADE)))?.first().map(|place| place.time);
                let newest = tx.find_entries(&newest(None))?.first().map(|place| place.time);
                let report = if size > MOST_ENTRIES {
                    None
                } else {
                    let checkpoints: Vec<String> = tx.checkpoints()?.into_iter().map(|one| one.note).collect();
                    let mut entries: Vec<LedgerEntry> = Vec::new();
                    loop {
                        let next = entries.last().map_or(0, |entry| entry.index.saturating_add(1));
                        let more = tx.entries(next, AT_ONCE)?;
                        if more.is_empty() {
                            break;
                        }
                        entries.extend(more);
                    }
                    Some(verify(entries.into_iter().map(Ok::<_, AppError>), checkpoints, &key, None)?)
                };
                Ok(LedgerFacts { report, size, newest, last_backup })
            })
            .await
    }

    /// Decrypts and hashes files of versions.
    async fn sample_files(&self, versions: &[ModelVersion]) -> Result<(usize, Vec<String>), AppError> {
        let names: Vec<(String, u32)> = versions
            .iter()
            .filter(|version| !version.is_record)
            .rev()
            .take(SAMPLED_FILES)
            .map(|version| (version.name.clone(), version.version))
            .collect();
        let (mut sampled, mut bad) = (0, Vec::new());
        for (name, version) in names {
            if sampled >= SAMPLED_FILES {
                break;
            }
            let wanted = name.clone();
            let files = self.store().read(move |tx| Ok::<_, AppError>(tx.model_version_files(&wanted, version)?)).await;
            let (tree, files) = match files {
                Ok(found) => found,
                Err(error) => {
                    bad.push(format!("models:/{name}/{version}: {error}"));
                    continue;
                }
            };
            for (entry, file) in tree.entries().iter().zip(files) {
                if sampled >= SAMPLED_FILES || entry.size > SAMPLED_BYTES {
                    continue;
                }
                sampled += 1;
                let (vault, digest, path) =
                    (sealyard_vault::Vault::clone(&self.vault), entry.digest, entry.path.clone());
                let stored = self.store().read({
                    let object = file.object.clone();
                    move |tx| Ok::<_, AppError>(tx.bytes_of_object(&object)?)
                });
                let object = stored.await?;
                let same = blocking("a stored file could not be looked at", move || {
                    let Ok(id) = object.parse() else { return Ok(false) };
                    Ok(vault.open(&id).and_then(|object| object.digest()).is_ok_and(|found| found == digest))
                })
                .await?;
                if !same {
                    bad.push(format!("models:/{name}/{version}: {path} is not what was recorded"));
                }
            }
        }
        Ok((sampled, bad))
    }
}

fn versions(tx: &mut dyn Transaction) -> Result<Vec<ModelVersion>, AppError> {
    let (mut found, mut after): (Vec<ModelVersion>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = tx.search_model_versions(&[], &[], None, AT_ONCE, after.as_ref())?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() || found.len() >= MOST_VERSIONS {
            return Ok(found);
        }
    }
}
