use sealyard_store::Transaction;
use sealyard_store::import::SourceIdentity;
use serde::{Deserialize, Serialize};

use super::report::Refused;
use crate::{App, AppError};

/// Where the catalog keeps how far an import came.
const SETTING: &str = "import";
/// More refusals than this are counted and not listed.
const MOST_REFUSALS: usize = 10_000;

/// What is imported, in its order. Verification comes before things go to the bin, where they can't be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    Experiments,
    Runs,
    LoggedModels,
    Metrics,
    RunArtifacts,
    ModelArtifacts,
    Registry,
    Verification,
    Lifecycles,
    Done,
}

const ORDER: [Phase; 10] = [
    Phase::Experiments,
    Phase::Runs,
    Phase::LoggedModels,
    Phase::Metrics,
    Phase::RunArtifacts,
    Phase::ModelArtifacts,
    Phase::Registry,
    Phase::Verification,
    Phase::Lifecycles,
    Phase::Done,
];

/// How far an import of one source came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) fingerprint: String,
    pub(super) phase: Phase,
    /// The last thing of the phase that is done.
    pub(super) after: String,
    pub(super) refused: Vec<Refused>,
    pub(super) refusals: u64,
}

impl Place {
    /// Where an import of this source is, or the beginning.
    ///
    /// A catalog that holds anything that another hand put there is refused: the source's ids could mean something else in it.
    pub(super) async fn read(app: &App, identity: &SourceIdentity) -> Result<Self, AppError> {
        let fingerprint = identity.fingerprint.clone();
        app.store()
            .read(move |tx| {
                if let Some(text) = tx.setting(SETTING)? {
                    let place: Self = serde_json::from_str(&text)
                        .map_err(|error| AppError::internal("the note of an import can't be read", error))?;
                    if place.fingerprint != fingerprint {
                        return Err(AppError::Conflict(
                            "another store was imported here, or was begun to be; each takes a data directory of its own".into(),
                        ));
                    }
                    return Ok(place);
                }
                if !tx.holds_nothing()? {
                    return Err(AppError::Conflict(
                        "the target holds experiments, runs or models already; import into a new data directory".into(),
                    ));
                }
                Ok(Self {
                    fingerprint,
                    phase: Phase::Experiments,
                    after: String::new(),
                    refused: Vec::new(),
                    refusals: 0,
                })
            })
            .await
    }

    pub(super) fn write(&self, tx: &mut dyn Transaction) -> Result<(), AppError> {
        let text =
            serde_json::to_string(self).map_err(|error| AppError::internal("an import's note can't be made", error))?;
        Ok(tx.put_setting(SETTING, &text)?)
    }

    /// The same phase, one thing further.
    pub(super) fn at(&self, after: impl Into<String>) -> Self {
        Self { after: after.into(), ..self.clone() }
    }

    pub(super) fn next_phase(&self) -> Self {
        let at = ORDER.iter().position(|phase| *phase == self.phase).unwrap_or_default();
        let phase = ORDER.get(at + 1).copied().unwrap_or(Phase::Done);
        Self { phase, after: String::new(), ..self.clone() }
    }

    pub(super) fn refuse(&mut self, what: impl Into<String>, rule: impl Into<String>, reason: impl Into<String>) {
        let refused = Refused { what: what.into(), rule: rule.into(), reason: reason.into() };
        if self.refused.contains(&refused) {
            return;
        }
        self.refusals += 1;
        if self.refused.len() < MOST_REFUSALS {
            self.refused.push(refused);
        }
    }
}
