//! MLflow's stages, which it gave up for aliases. A stage is one more name that points at a version: where the policy
//! protects the alias of that name, the stage takes what the alias takes. There is no second way to "Production".

use sealyard_core::Verdict;
use sealyard_identity::{Edit, ModelName, Promote};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{Comparison, Condition, Field, ModelVersion, Operand};

use super::source::shorten;
use crate::gates::check_unchanged;
use crate::{App, AppError, Caller};

/// The stages there are.
const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];
/// Versions that one request may archive.
const MOST_ARCHIVED: u32 = 1000;

impl App {
    /// Moves a version to a stage; `archive` moves the others of that stage to "Archived".
    ///
    /// # Errors
    /// [`AppError::Invalid`] for another stage than there are; else as [`App::set_alias`].
    pub async fn set_stage(
        &self,
        caller: &Caller,
        name: ModelName,
        version: u32,
        stage: &str,
        archive: bool,
    ) -> Result<ModelVersion, AppError> {
        let Some(stage) = STAGES.into_iter().find(|known| known.eq_ignore_ascii_case(stage)) else {
            return Err(AppError::Invalid(format!(
                "Invalid Model Version stage: {}. Value must be one of {}.",
                shorten(stage),
                STAGES.join(", ")
            )));
        };
        let active = matches!(stage, "Staging" | "Production");
        if archive && !active {
            return Err(AppError::Invalid(format!(
                "versions can only be archived when another takes their place in Staging or Production, not in {stage}"
            )));
        }
        let protected = self.is_protected_alias(stage) || self.is_protected_alias(&stage.to_ascii_lowercase());
        let promoted = if protected {
            let _may_promote = self.authorize(caller, Promote, self.registry_entry(name.clone()).await?).await?;
            Some(self.promote(caller, &name, stage, version, None).await?)
        } else {
            let _may_edit = self.authorize(caller, Edit, self.registry_entry(name.clone()).await?).await?;
            None
        };
        let now = self.now();
        let act = Act::VersionUpdated { name: name.to_string(), version, change: format!("stage {stage}") };
        let event = self.event(caller, Outcome::Done, act);
        let changed = self
            .store()
            .write(move |tx| {
                let Some(found) = tx.model_version(name.as_str(), version)? else {
                    return Err(AppError::NotFound { kind: "model version", id: format!("{name}/{version}") });
                };
                if active && found.verdict == Verdict::Unsafe {
                    return Err(AppError::refused("artifact.verdict", "the version was found to be unsafe"));
                }
                if let Some(promoted) = promoted {
                    check_unchanged(&promoted.version, &found)?;
                    for event in promoted.events {
                        tx.record(&event)?;
                    }
                }
                if archive {
                    for other in in_stage(tx, name.as_str(), stage)? {
                        if other.version != version {
                            tx.set_model_version_stage(name.as_str(), other.version, "Archived", now)?;
                        }
                    }
                }
                let changed = tx.set_model_version_stage(name.as_str(), version, stage, now)?;
                tx.record(&event)?;
                Ok(changed)
            })
            .await?;
        self.sequencer.notify();
        Ok(changed)
    }
}

fn in_stage(tx: &mut dyn Transaction, name: &str, stage: &str) -> Result<Vec<ModelVersion>, AppError> {
    let only = Condition {
        field: Field::Attribute("name"),
        comparison: Comparison::Equal,
        operand: Operand::Text(name.to_owned()),
    };
    let page = tx.search_model_versions(&[only], &[], None, MOST_ARCHIVED, None)?;
    if page.next.is_some() {
        return Err(AppError::Invalid(format!(
            "the model has more than {MOST_ARCHIVED} versions; move them to Archived one by one"
        )));
    }
    Ok(page.items.into_iter().filter(|version| version.stage == stage).collect())
}
