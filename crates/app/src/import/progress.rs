use sealyard_core::Digest;
use sealyard_store::Transaction;
use sealyard_store::import::SourceIdentity;
use sealyard_store::model::ImportRefusal;
use serde::{Deserialize, Serialize};

use crate::{App, AppError};

/// Where the catalog keeps how far an import came.
const SETTING: &str = "import";
/// Bytes of the name of what was refused, as the catalog keeps it, and characters of the reason.
const LONGEST_NAME: usize = 1000;
const LONGEST_REASON: usize = 1000;

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
    Traces,
    TraceArtifacts,
    Scorers,
    Datasets,
    Issues,
    Webhooks,
    Users,
    Verification,
    Lifecycles,
    Done,
}

const ORDER: [Phase; 17] = [
    Phase::Experiments,
    Phase::Runs,
    Phase::LoggedModels,
    Phase::Metrics,
    Phase::RunArtifacts,
    Phase::ModelArtifacts,
    Phase::Registry,
    Phase::Traces,
    Phase::TraceArtifacts,
    Phase::Scorers,
    Phase::Datasets,
    Phase::Issues,
    Phase::Webhooks,
    Phase::Users,
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
    /// What was refused and is not written yet: it is in the transaction of the next step.
    #[serde(skip)]
    pub(super) refused: Vec<ImportRefusal>,
    /// How many refusals there were since this process began, those that were noted before too.
    #[serde(skip)]
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
        for refusal in &self.refused {
            tx.add_import_refusal(refusal)?;
        }
        let text =
            serde_json::to_string(self).map_err(|error| AppError::internal("an import's note can't be made", error))?;
        Ok(tx.put_setting(SETTING, &text)?)
    }

    /// The same place with nothing left to write.
    pub(super) fn written(self) -> Self {
        Self { refused: Vec::new(), ..self }
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

    pub(super) fn refuse(&mut self, what: &str, rule: impl Into<String>, reason: impl AsRef<str>) {
        let reason = reason.as_ref().chars().filter(|character| !character.is_control()).take(LONGEST_REASON).collect();
        self.refusals += 1;
        self.refused.push(ImportRefusal { what: refusal_name(what), rule: rule.into(), reason });
    }
}

/// What is refused, under a name that an index can hold and that is no other's.
pub(super) fn refusal_name(what: &str) -> String {
    if what.len() <= LONGEST_NAME && !what.contains('\0') {
        return what.to_owned();
    }
    let mut shown = String::new();
    for character in what.chars().filter(|character| *character != '\0') {
        if shown.len() + character.len_utf8() > LONGEST_NAME / 2 {
            break;
        }
        shown.push(character);
    }
    format!("{shown}… ({})", Digest::of(what.as_bytes()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The beginning of an import.
    pub(in crate::import) fn place() -> Place {
        let (fingerprint, after) = ("f".into(), String::new());
        Place { fingerprint, phase: Phase::Experiments, after, refused: Vec::new(), refusals: 0 }
    }

    #[test]
    fn long_names_stay_apart() {
        assert_eq!(refusal_name("runs:/r/a"), "runs:/r/a");
        let (first, second) = (refusal_name(&"ö".repeat(2000)), refusal_name(&"ö".repeat(2001)));
        assert!(first != second && first.len() < LONGEST_NAME);
        assert!(!refusal_name("a\0b").contains('\0'));
    }
}
