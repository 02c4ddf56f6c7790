//! Scorers: what judges traces. The server keeps what clients serialised; it never runs any of it.

use sealyard_identity::{Authorized, Edit, ExperimentId, Manage, Read, Use};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::ScorerVersion;
use serde_json::Value;

use super::limits;
use crate::gateway::{bind_scorer, endpoint_of, release_scorer, show_names, with_endpoint};
use crate::tracking::active_experiment;
use crate::{App, AppError, Caller};

/// Bytes of a serialised scorer.
const MAX_SERIALIZED: usize = 1024 * 1024;
/// Bytes of all versions of all scorers of an experiment: what a list may have to give at once.
pub(crate) const MAX_OF_EXPERIMENT: u64 = 48 << 20;
/// Scorers, or versions of one, that are listed.
const MAX_LISTED: u32 = 1000;

impl App {
    /// Adds the next version of a scorer.
    ///
    /// # Errors
    /// [`AppError::Invalid`], also for code that clients would run when they load it; [`AppError::Conflict`] in a deleted
    /// experiment.
    pub async fn register_scorer(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        name: &str,
        serialized: String,
    ) -> Result<ScorerVersion, AppError> {
        limits::text("name", name, 256)?;
        if serialized.len() > MAX_SERIALIZED {
            return Err(AppError::Invalid(format!("a serialised scorer has at most {MAX_SERIALIZED} bytes")));
        }
        let parsed: Value = serde_json::from_str(&serialized)
            .map_err(|_| AppError::Invalid("serialized_scorer must be valid JSON".to_owned()))?;
        if holds_code(&parsed) {
            return Err(AppError::Invalid(
                "Custom scorers (using the @scorer decorator) can't be registered: loading one runs the code that it holds"
                    .to_owned(),
            ));
        }
        let endpoint = match endpoint_of(&parsed) {
            Some(endpoint) => Some(self.authorize_gateway_endpoint_named(caller, Use, endpoint).await?),
            None => None,
        };
        let serialized = endpoint.as_ref().map_or(serialized, |endpoint| with_endpoint(parsed, endpoint));
        let experiment = may.resource().to_string();
        let (name, id, now) = (name.to_owned(), self.rng().uuid(), self.now().as_millis());
        let act = Act::ScorerRegistered { experiment: experiment.clone(), name: name.clone(), version: 0 };
        let mut event = self.event(caller, Outcome::Done, act);
        let made = self
            .store()
            .write(move |tx| {
                active_experiment(tx, &experiment)?;
                let bytes = tx.size_of_scorers(&experiment)?.saturating_add(serialized.len() as u64);
                if bytes > MAX_OF_EXPERIMENT {
                    return Err(AppError::Conflict(format!(
                        "the scorers of an experiment have at most {MAX_OF_EXPERIMENT} bytes, all versions together; delete \
                         versions that are not needed"
                    )));
                }
                let made = tx.register_scorer(&experiment, &name, &id, &serialized, now)?;
                event.act = Act::ScorerRegistered { experiment, name, version: made.version };
                tx.record(&event)?;
                if let Some(endpoint) = endpoint {
                    bind_scorer(tx, &event, endpoint.resource(), &made.scorer_id)?;
                }
                show_names(tx, made)
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// The newest version of each scorer, by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn scorers(&self, may: &Authorized<Read, ExperimentId>) -> Result<Vec<ScorerVersion>, AppError> {
        let experiment = may.resource().to_string();
        self.store()
            .read(move |tx| {
                let found = tx.scorers(&experiment, MAX_LISTED)?;
                found.into_iter().map(|scorer| show_names(tx, scorer)).collect()
            })
            .await
    }

    /// Every version of a scorer, oldest first.
    ///
    /// # Errors
    /// [`AppError::Missing`].
    pub async fn scorer_versions(
        &self,
        may: &Authorized<Read, ExperimentId>,
        name: &str,
    ) -> Result<Vec<ScorerVersion>, AppError> {
        let (experiment, wanted) = (may.resource().to_string(), name.to_owned());
        let found: Vec<ScorerVersion> = self
            .store()
            .read(move |tx| {
                let found = tx.scorer_versions(&experiment, &wanted, MAX_LISTED)?;
                found.into_iter().map(|scorer| show_names(tx, scorer)).collect::<Result<_, AppError>>()
            })
            .await?;
        if found.is_empty() { Err(not_found(may.resource().as_str(), name, None)) } else { Ok(found) }
    }

    /// A version of a scorer, or its newest one.
    ///
    /// # Errors
    /// [`AppError::Missing`].
    pub async fn scorer(
        &self,
        may: &Authorized<Read, ExperimentId>,
        name: &str,
        version: Option<u32>,
    ) -> Result<ScorerVersion, AppError> {
        let (experiment, wanted) = (may.resource().to_string(), name.to_owned());
        let found = self
            .store()
            .read(move |tx| {
                let found = tx.scorer(&experiment, &wanted, version)?;
                found.map(|scorer| show_names(tx, scorer)).transpose()
            })
            .await?;
        found.ok_or_else(|| not_found(may.resource().as_str(), name, version))
    }

    /// Removes a version of a scorer, or all of them.
    ///
    /// # Errors
    /// [`AppError::Missing`].
    pub async fn delete_scorer(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, ExperimentId>,
        name: &str,
        version: Option<u32>,
    ) -> Result<(), AppError> {
        let (experiment, name) = (may.resource().to_string(), name.to_owned());
        let shown = limits::cut(&name, 256);
        let act = Act::ScorerDeleted { experiment: experiment.clone(), name: shown, version };
        let event = self.event(caller, Outcome::Done, act);
        self.store()
            .write(move |tx| {
                let before = tx.scorer(&experiment, &name, None)?;
                if tx.delete_scorer(&experiment, &name, version)? == 0 {
                    return Err(not_found(&experiment, &name, version));
                }
                if let Some(gone) = before
                    && tx.scorer(&experiment, &name, None)?.is_none()
                {
                    release_scorer(tx, &event, &gone.scorer_id)?;
                }
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }
}

/// Whether clients would run code of this scorer, or of one that it is made of: they load the wrapped ones in the same way, and
/// which fields wrap is theirs to say.
pub(crate) fn holds_code(scorer: &Value) -> bool {
    match scorer {
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| (name == "call_source" && !value.is_null()) || holds_code(value))
        }
        Value::Array(items) => items.iter().any(holds_code),
        _ => false,
    }
}

fn not_found(experiment: &str, name: &str, version: Option<u32>) -> AppError {
    let name = limits::cut(name, 80);
    AppError::Missing(match version {
        Some(version) => {
            format!("Scorer with name '{name}' and version {version} not found for experiment {experiment}.")
        }
        None => format!("Scorer with name '{name}' not found for experiment {experiment}."),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn code_is_found_wherever_it_is() {
        let code = json!({"call_source": "return 1"});
        for scorer in [
            code.clone(),
            json!({"memory_augmented_judge_data": {"base_judge": code}}),
            json!({"memory_augmented_judge_data": {"base_judge": {"memory_augmented_judge_data": {"base_judge": code}}}}),
            json!({"scorers": [{"name": "x"}, code]}),
        ] {
            assert!(holds_code(&scorer), "{scorer}");
        }
        for scorer in [
            json!({"call_source": null, "name": "call_source"}),
            json!({"memory_augmented_judge_data": {"base_judge": {"call_source": null}}}),
            json!({"instructions_judge_pydantic_data": {"instructions": "call_source"}}),
            json!([]),
        ] {
            assert!(!holds_code(&scorer), "{scorer}");
        }
    }
}
