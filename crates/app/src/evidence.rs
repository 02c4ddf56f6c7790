//! Evidence about models: stored as it comes, verified anew by whoever decides.

use sealyard_core::{Digest, FileTree, Timestamp};
use sealyard_evidence::{Bundle, oms};
use sealyard_identity::{Authorized, Edit, ModelName, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::EvidenceRecord;
use serde::{Deserialize, Serialize};

use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// The largest bundle that is taken; the signature of a model with thousands of files has one or two.
const MOST_BYTES: usize = 8 << 20;
/// So many bundles about the same files, and so many bytes of them: all of them are one answer, in which a bundle's text
/// can become twice as long, and clients take 64 MiB.
const MOST_BUNDLES: usize = 1000;
const MOST_BYTES_TOGETHER: usize = 24 << 20;
/// Longer names of predicate types are no URIs, but a way to make that answer longer.
const MOST_TYPE_BYTES: usize = 1024;

/// A stored bundle.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvidenceSummary {
    /// Digest of the bundle's bytes.
    pub digest: Digest,
    /// Predicate type, as the bundle says.
    pub predicate_type: String,
    /// When it arrived.
    pub added: Timestamp,
    /// Who brought it.
    pub added_by: String,
    /// The bundle as it arrived.
    pub bundle: String,
}

impl App {
    /// Adds a bundle to what is known of a version. It must speak of the version's files: of the tree, or, for an OMS
    /// signature, of the root that we compute from the tree ourselves. Whether its signature is worth anything is
    /// for each gate to say.
    ///
    /// # Errors
    /// [`AppError::Refused`] for bytes that are no bundle (`evidence.bundle`), speak of something else
    /// (`evidence.subject`), or are too much (`evidence.size`).
    pub async fn add_evidence(
        &self,
        caller: &Caller,
        authorized: &Authorized<Edit, RegistryEntry>,
        version: u32,
        bytes: Vec<u8>,
    ) -> Result<EvidenceSummary, AppError> {
        if bytes.len() > MOST_BYTES {
            return Err(AppError::refused("evidence.size", format!("a bundle may have {MOST_BYTES} bytes at most")));
        }
        let tree = self.version_tree(authorized.resource().name(), version).await?;
        let subject = tree.digest();
        let (bundle, predicate_type) = blocking("a bundle could not be read", move || read(&bytes, &tree)).await?;
        let record = EvidenceRecord {
            digest: bundle.digest(),
            subject,
            predicate_type,
            bundle: bundle.text().to_owned(),
            added: self.now(),
            added_by: caller.actor().to_owned(),
        };
        let act = Act::EvidenceAdded {
            subject: record.subject,
            evidence: record.digest,
            predicate_type: record.predicate_type.chars().take(200).collect(),
        };
        let event = self.event(caller, Outcome::Done, act);
        let row = record.clone();
        self.store()
            .write(move |tx| {
                // Every gate reads all of it, so it must not grow without end.
                let there = tx.evidence_for(&row.subject)?;
                let bytes: usize = there.iter().map(|record| record.bundle.len()).sum();
                if there.len() >= MOST_BUNDLES || bytes.saturating_add(row.bundle.len()) > MOST_BYTES_TOGETHER {
                    return Err(AppError::refused("evidence.size", "there is too much evidence about this version"));
                }
                tx.add_evidence(&row)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(summary(record))
    }

    /// Everything that is known of a version.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn version_evidence(
        &self,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
    ) -> Result<Vec<EvidenceSummary>, AppError> {
        let tree = self.version_tree(authorized.resource().name(), version).await?;
        let subject = tree.digest();
        let records = self.store().read(move |tx| Ok::<_, AppError>(tx.evidence_for(&subject)?)).await?;
        Ok(records.into_iter().map(summary).collect())
    }

    pub(crate) async fn version_tree(&self, name: &ModelName, version: u32) -> Result<FileTree, AppError> {
        let name = name.as_str().to_owned();
        let (tree, _) = self.store().read(move |tx| Ok::<_, AppError>(tx.model_version_files(&name, version)?)).await?;
        Ok(tree)
    }
}

/// The bundle and its predicate type, if it speaks of `tree`.
fn read(bytes: &[u8], tree: &FileTree) -> Result<(Bundle, String), AppError> {
    let refused = |error: &dyn std::fmt::Display| AppError::refused("evidence.bundle", error.to_string());
    let bundle = Bundle::parse(bytes).map_err(|error| refused(&error))?;
    let statement = bundle.claimed_statement().map_err(|error| refused(&error))?;
    let claimed = statement.subjects().map_err(|error| refused(&error))?;
    let names = [Some(tree.digest()), oms_root(tree)];
    if !claimed.iter().any(|subject| names.contains(&Some(subject.digest))) {
        return Err(AppError::refused("evidence.subject", "the statement is about something else than this version"));
    }
    let predicate_type = statement.predicate_type().to_owned();
    if predicate_type.len() > MOST_TYPE_BYTES {
        return Err(AppError::refused("evidence.size", "the name of its predicate's type is too long"));
    }
    Ok((bundle, predicate_type))
}

/// The root that an OMS signature of these files has.
fn oms_root(tree: &FileTree) -> Option<Digest> {
    let statement = oms::statement(tree, "model").ok()?;
    statement.subjects().ok()?.first().map(|subject| subject.digest)
}

fn summary(record: EvidenceRecord) -> EvidenceSummary {
    EvidenceSummary {
        digest: record.digest,
        predicate_type: record.predicate_type,
        added: record.added,
        added_by: record.added_by,
        bundle: record.bundle,
    }
}
