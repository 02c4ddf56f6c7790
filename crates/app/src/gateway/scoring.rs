//! Online scoring: which traces a scorer is to judge as they come. It is kept for whoever runs scorers; the server runs none.

use sealyard_identity::{Authorized, Edit, ExperimentId, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::OnlineScoring;
use serde_json::Value;

use super::{endpoint_of, found_experiments};
use crate::tracking::{active_experiment, experiment_id};
use crate::{App, AppError, Caller};

/// Scorers that are asked about at once.
const MOST_ASKED: usize = 1000;

impl App {
    /// Says which share of the traces, and of those only which, a scorer of the experiment is to judge.
    ///
    /// # Errors
    /// [`AppError::Invalid`], also for a scorer whose model is not of the gateway or that compares with what is expected;
    /// [`AppError::Missing`], [`AppError::Conflict`].
    pub async fn set_online_scoring(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, ExperimentId>,
        scorer: &str,
        sample_rate: f64,
        filter: Option<String>,
    ) -> Result<OnlineScoring, AppError> {
        if !(0.0..=1.0).contains(&sample_rate) {
            return Err(AppError::Invalid(format!("sample_rate must be between 0.0 and 1.0, got {sample_rate}")));
        }
        if let Some(filter) = filter.as_deref().filter(|filter| !filter.is_empty()) {
            crate::traces::check_filter(filter)?;
        }
        let (experiment, name) = (may.resource().to_string(), scorer.to_owned());
        let id = self.rng().hex_id();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to a million")]
        let sampled = (sample_rate * 1e6).round() as u32;
        let shown: String = name.chars().take(256).collect();
        let act = Act::OnlineScoringSet { experiment: experiment.clone(), scorer: shown, sampled };
        let event = self.event(caller, Outcome::Done, act);
        let set = self
            .store()
            .write(move |tx| {
                active_experiment(tx, &experiment)?;
                let found = tx.scorer(&experiment, &name, None)?;
                let shown: String = name.chars().take(80).collect();
                let found = found.ok_or_else(|| {
                    AppError::Missing(format!("Scorer with name '{shown}' not found for experiment {experiment}."))
                })?;
                if sample_rate > 0.0 {
                    check_scorer(&shown, &found.serialized)?;
                }
                let scoring =
                    OnlineScoring { id, scorer_id: found.scorer_id, experiment_id: experiment, sample_rate, filter };
                tx.set_online_scoring(&scoring)?;
                tx.record(&event)?;
                Ok::<_, AppError>(scoring)
            })
            .await?;
        self.sequencer.notify();
        Ok(set)
    }

    /// What is set for these scorers, as far as the caller may see them.
    ///
    /// # Errors
    /// [`AppError::Invalid`].
    pub async fn online_scoring(&self, caller: &Caller, scorers: Vec<String>) -> Result<Vec<OnlineScoring>, AppError> {
        if scorers.len() > MOST_ASKED || scorers.iter().any(|id| id.len() > 64) {
            return Err(AppError::Invalid(format!("'scorer_ids' is a list of at most {MOST_ASKED} ids of scorers")));
        }
        let found = self
            .store()
            .read(move |tx| {
                let mut found = tx.online_scoring(&scorers)?;
                let here = found_experiments(tx, found.iter().map(|scoring| scoring.experiment_id.as_str()))?;
                found.retain(|scoring| here.contains(&scoring.experiment_id));
                Ok::<_, AppError>(found)
            })
            .await?;
        let seen =
            |scoring: &OnlineScoring| experiment_id(&scoring.experiment_id).is_ok_and(|id| self.may(caller, Read, id));
        Ok(found.into_iter().filter(seen).collect())
    }
}

fn check_scorer(name: &str, serialized: &str) -> Result<(), AppError> {
    let scorer: Value = serde_json::from_str(serialized).unwrap_or_default();
    if endpoint_of(&scorer).is_none() {
        return Err(AppError::Invalid(format!(
            "Scorer '{name}' does not use a gateway model. Automatic evaluation is only supported for scorers that use gateway \
             models."
        )));
    }
    let instructions = scorer.get("instructions_judge_pydantic_data").and_then(|judge| judge.get("instructions"));
    if instructions.and_then(Value::as_str).is_some_and(asks_for_expectations) {
        return Err(AppError::Invalid(format!(
            "Scorer '{name}' requires expectations, but scorers with expectations are not currently supported for automatic \
             evaluation."
        )));
    }
    Ok(())
}

/// Whether the template has the variable `expectations`.
fn asks_for_expectations(template: &str) -> bool {
    template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .any(|(variable, _)| variable.trim() == "expectations")
}

#[cfg(test)]
mod tests {
    use super::asks_for_expectations;

    #[test]
    fn expectations_are_found_in_templates() {
        assert!(asks_for_expectations("is {{ outputs }} like {{ expectations }}?"));
        assert!(asks_for_expectations("{{expectations}}"));
        for text in ["", "expectations", "{{ outputs }}", "{{ expectations", "{{ my expectations }}"] {
            assert!(!asks_for_expectations(text), "{text}");
        }
    }
}
