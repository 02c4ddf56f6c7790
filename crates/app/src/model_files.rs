//! The files of a model as a whole: its tree, its scan, its bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use sealyard_core::{Digest, FileEntry, FileTree, Subject, TreePath, Verdict};
use sealyard_evidence::predicate::{Ruleset, ScanCounts, ScanReport};
use sealyard_evidence::{Bundle, Statement};
use sealyard_identity::{Authorized, Read, RegistryEntry};
use sealyard_ledger::{Act, Outcome};
use sealyard_scan::Report;
use sealyard_scan_model::Scanner;
use sealyard_store::model::{Artifact, EvidenceRecord, VersionFile};
use sealyard_vault::{ObjectId, Vault};
use serde::{Deserialize, Serialize};

use crate::artifacts::{Download, Expected, scan_refusal};
use crate::objects::Objects;
use crate::shelf::Shelf;
use crate::tasks::blocking;
use crate::{App, AppError};

/// More files than this are no model, but a way to keep a scanner busy.
pub(crate) const MOST_FILES: usize = 10_000;

/// What a verifier is told of a model: it computes the digest of `files` again and believes nothing else.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelManifest {
    /// Name of the registered model, or id of the logged model.
    pub name: String,
    /// Number of the version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// Digest of `files` as a tree.
    pub digest: Digest,
    /// The files.
    pub files: FileTree,
}

/// The files of a model before they become a version or are frozen.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) tree: FileTree,
    pub(crate) files: Vec<VersionFile>,
    pub(crate) verdict: Verdict,
    /// The signed statement of the scan.
    pub(crate) scan: EvidenceRecord,
}

impl App {
    /// Makes a tree of `artifacts` below `prefix`, scans it as a whole and signs what the scan says.
    ///
    /// # Errors
    /// [`AppError::Refused`] when there is no file, too many, one is unsafe or is not what was uploaded;
    /// [`AppError::Vault`] when one can't be read; [`AppError::Conflict`] when one was replaced meanwhile.
    pub(crate) async fn collect(
        &self,
        name: String,
        prefix: &str,
        artifacts: Vec<Artifact>,
    ) -> Result<Collected, AppError> {
        if artifacts.len() > MOST_FILES {
            let reason = format!("there are {} files, more than the {MOST_FILES} a model may have", artifacts.len());
            return Err(AppError::refused("model.files", reason));
        }
        let mut entries = Vec::new();
        let mut files = Vec::new();
        for artifact in artifacts {
            let path = artifact.path.as_str();
            let below = match prefix {
                "" => path,
                prefix => match path.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('/')) {
                    Some(below) => below,
                    None => continue,
                },
            };
            let path = TreePath::new(below).map_err(|error| AppError::refused("artifact.path", error.to_string()))?;
            entries.push(FileEntry {
                path: path.clone(),
                size: artifact.size,
                digest: artifact.digest,
                executable: false,
            });
            files.push(VersionFile { path, object: artifact.object });
        }
        let tree = FileTree::new(entries).map_err(|error| AppError::refused("model.files", error.to_string()))?;
        let mut objects = Vec::with_capacity(files.len());
        for file in &files {
            let id: ObjectId =
                file.object.parse().map_err(|error| AppError::internal("a row names no object", error))?;
            let entry = tree.get(&file.path).ok_or_else(|| AppError::refused("model.files", "a file is missing"))?;
            objects.push((entry.clone(), id));
        }
        let objects_in_vault = Objects::new(Vault::clone(&self.vault), Arc::clone(&self.store));
        let scanner = Arc::clone(&self.scanner);
        let place = self.place_to_scan().await?;
        let report = blocking("a scan broke", move || {
            let _place = place;
            let shelf = Shelf::new(objects_in_vault);
            let files = shelf.put(&objects)?;
            Ok(scanner.scan_folder(&files))
        })
        .await?;
        let verdict = report.summary.verdict;
        if verdict == Verdict::Unsafe {
            return Err(scan_refusal(&report.subjects));
        }
        let scan = self.sign_scan(name, &tree, &report)?;
        Ok(Collected { tree, files, verdict, scan })
    }

    /// The scan's report as a statement about the tree, signed with the scanner's key.
    fn sign_scan(&self, name: String, tree: &FileTree, report: &Report) -> Result<EvidenceRecord, AppError> {
        let count = |count: usize| count as u64;
        let predicate = ScanReport {
            verdict: report.summary.verdict,
            ruleset: Ruleset {
                name: "sealyard-scan-model".to_owned(),
                version: Scanner::ruleset(),
                rules: u32::try_from(Scanner::rules().count()).unwrap_or(u32::MAX),
            },
            counts: ScanCounts {
                safe: count(report.summary.safe),
                suspicious: count(report.summary.suspicious),
                r#unsafe: count(report.summary.r#unsafe),
                not_assessed: count(report.summary.not_assessed),
            },
            findings: report.findings().map(|finding| finding.rule.clone()).collect::<BTreeSet<_>>(),
            scanned_at: self.now(),
        };
        let subject = Subject { name, digest: tree.digest() };
        let statement = Statement::new(&[subject], &predicate)
            .map_err(|error| AppError::internal("the scan's statement could not be made", error))?;
        self.sign_evidence(tree.digest(), &statement, &self.keys.scanner)
    }

    /// Signs `statement` and makes the row to store it.
    pub(crate) fn sign_evidence(
        &self,
        subject: Digest,
        statement: &Statement,
        key: &sealyard_evidence::SigningKey,
    ) -> Result<EvidenceRecord, AppError> {
        let bundle = Bundle::sign(statement, key)
            .map_err(|error| AppError::internal("a statement could not be signed", error))?;
        Ok(EvidenceRecord {
            digest: bundle.digest(),
            subject,
            predicate_type: statement.predicate_type().to_owned(),
            bundle: bundle.text().to_owned(),
            added: self.now(),
            added_by: "system".to_owned(),
        })
    }

    /// That the scanner's key signed `scan`.
    pub(crate) fn scanner_signed(&self, scan: &EvidenceRecord) -> Act {
        key_used("scanner", &self.keys.scanner, scan)
    }

    /// That the gate's key signed `attestation`.
    pub(crate) fn gate_signed(&self, attestation: &EvidenceRecord) -> Act {
        key_used("gate", &self.keys.gate, attestation)
    }

    /// The frozen files of a version.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn version_manifest(
        &self,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
    ) -> Result<ModelManifest, AppError> {
        let name = authorized.resource().as_str().to_owned();
        let wanted = name.clone();
        let (files, _) =
            self.store().read(move |tx| Ok::<_, AppError>(tx.model_version_files(&wanted, version)?)).await?;
        Ok(ModelManifest { name, version: Some(version), digest: files.digest(), files })
    }

    /// One frozen file of a version, for a reader that hashes it again and compares it with a manifest that a gate let
    /// through. Bytes are authenticated by the vault; whether they are the right ones is for the reader to find out.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] for an unsafe version, [`AppError::Vault`].
    pub async fn version_file(
        &self,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
        path: &TreePath,
    ) -> Result<Download, AppError> {
        self.frozen_file(authorized, version, path, false).await
    }

    /// Like [`Self::version_file`], for a reader that compares nothing: other bytes than the frozen ones are held back.
    ///
    /// # Errors
    /// As [`Self::version_file`].
    pub async fn version_file_for_people(
        &self,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
        path: &TreePath,
    ) -> Result<Download, AppError> {
        self.frozen_file(authorized, version, path, true).await
    }

    async fn frozen_file(
        &self,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
        path: &TreePath,
        enforced: bool,
    ) -> Result<Download, AppError> {
        let name = authorized.resource().as_str().to_owned();
        let (found, (tree, files)) = self
            .store()
            .read(move |tx| {
                Ok::<_, AppError>((tx.model_version(&name, version)?, tx.model_version_files(&name, version)?))
            })
            .await?;
        if found.is_none_or(|found| found.verdict == Verdict::Unsafe) {
            return Err(AppError::refused("artifact.verdict", "the version was found to be unsafe"));
        }
        let missing = || AppError::NotFound { kind: "file", id: path.to_string() };
        let entry = tree.get(path).ok_or_else(missing)?;
        let file = files.iter().find(|file| file.path == *path).ok_or_else(missing)?;
        let act = Act::ArtifactUnreadable {
            path: format!("models:/{}/{version}/{path}", authorized.resource()),
            rule: String::new(),
        };
        let unreadable = self.event_by(authorized.principal(), Outcome::Refused, act);
        let expected = Expected { digest: entry.digest, size: entry.size, enforced };
        self.stream_object(&file.object, expected, unreadable).await
    }
}

fn key_used(of: &str, key: &sealyard_evidence::SigningKey, signed: &EvidenceRecord) -> Act {
    Act::KeyUsed {
        key: key.public_key().key_id().to_string(),
        of: of.to_owned(),
        subject: signed.subject,
        evidence: signed.digest,
        predicate_type: signed.predicate_type.clone(),
    }
}
