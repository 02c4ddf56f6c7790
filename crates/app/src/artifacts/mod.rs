//! Files that clients upload and download.

mod delete;
mod download;
mod list;
mod parts;
mod proof;
pub(crate) mod reads;
mod upload;

use sealyard_core::Verdict;
use sealyard_identity::Action;
use sealyard_ledger::{Act, Outcome};
use sealyard_scan::SubjectReport;
use sealyard_store::model::ArtifactOwner;

pub(crate) use download::Expected;
pub use download::{Download, Wanted};
pub use list::ArtifactListing;
pub use parts::{MOST_PARTS, NamedPart, PartedUploadBegun};
#[cfg(feature = "fuzzing")]
pub(crate) use parts::{fuzz_capability, fuzz_parts};
pub use proof::ArtifactProof;
pub use upload::Upload;
pub(crate) use upload::of_vault;

use crate::{App, AppError};

/// How much is encrypted or decrypted at a time, and so how much of each transfer is in memory.
pub(crate) const PIECE: usize = 256 * 1024;
/// More files than this are neither listed nor deleted at once.
const MOST_FILES: u64 = 100_000;

impl App {
    /// The experiment that an owner's grants hang on, if there is such an owner.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn experiment_of(&self, owner: &ArtifactOwner) -> Result<Option<String>, AppError> {
        let owner = owner.clone();
        self.store()
            .read(move |tx| {
                Ok::<_, AppError>(match owner {
                    ArtifactOwner::Run(id) => tx.experiment_of_run(&id)?,
                    ArtifactOwner::LoggedModel(id) => tx.logged_model(&id)?.map(|model| model.experiment_id),
                    ArtifactOwner::Trace(id) => tx.experiment_of_trace(&id)?,
                    ArtifactOwner::Loose => None,
                })
            })
            .await
    }

    /// A proof for one experiment is none for an owner in another, nor for what lies loose. One that is not there is answered
    /// in the same way.
    async fn check_owner<A: Action>(&self, proof: ArtifactProof<'_, A>, owner: &ArtifactOwner) -> Result<(), AppError> {
        let fits = match proof {
            ArtifactProof::Loose(_) => *owner == ArtifactOwner::Loose,
            ArtifactProof::Of(authorized) => {
                self.experiment_of(owner).await?.is_some_and(|found| found == authorized.resource().as_str())
            }
        };
        if fits {
            return Ok(());
        }
        let (rule, action, resource) = ("authorization", "access".to_owned(), full_path(owner, ""));
        let act = Act::AccessDenied {
            action: action.clone(),
            resource: resource.chars().take(200).collect(),
            rule: rule.to_owned(),
        };
        self.record_refusal(self.event_by(proof.principal(), Outcome::Refused, act)).await?;
        Err(AppError::Denied { rule, action, resource })
    }
}

/// Refuses to hold more rows in memory than anybody needs at once.
fn check_count(count: u64) -> Result<(), AppError> {
    if count > MOST_FILES {
        return Err(AppError::Invalid(format!(
            "there are {count} files, more than the {MOST_FILES} that are looked at together; name a directory below"
        )));
    }
    Ok(())
}

/// What a client is told of an unsafe file or folder: each rule once, then the first findings.
pub(crate) fn scan_refusal(reports: &[SubjectReport]) -> AppError {
    let mut rules: Vec<&str> = Vec::new();
    let mut reasons = Vec::new();
    for finding in reports.iter().flat_map(|report| &report.findings) {
        if Verdict::of(finding.severity) < Verdict::Unsafe {
            continue;
        }
        if !rules.contains(&finding.rule.as_str()) {
            rules.push(&finding.rule);
        }
        if reasons.len() < 3 {
            // Names in it are the uploader's choice, and it goes into the ledger for good.
            let reason = format!("{} at {}", finding.message, finding.location.display());
            reasons.push(reason.chars().filter(|character| !character.is_control()).take(400).collect::<String>());
        }
    }
    AppError::refused(format!("scan:{}", rules.join(",")), reasons.join("; "))
}

/// How events name an artifact.
pub(crate) fn full_path(owner: &ArtifactOwner, path: &str) -> String {
    match owner {
        ArtifactOwner::Run(id) => format!("runs:/{id}/{path}"),
        ArtifactOwner::LoggedModel(id) => format!("models:/{id}/{path}"),
        ArtifactOwner::Trace(id) => format!("traces:/{id}/{path}"),
        ArtifactOwner::Loose => format!("mlflow-artifacts:/{path}"),
    }
}
