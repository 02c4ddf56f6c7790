use std::collections::BTreeMap;

use sealyard_ledger::Act;
use sealyard_store::import::SourceScorer;
use sealyard_store::model::ScorerVersion;

use super::progress::Place;
use super::{Import, PAGE, json};
use crate::AppError;
use crate::gateway::endpoint_of;
use crate::traces::{MAX_OF_EXPERIMENT, holds_code};

/// Bytes of a serialised scorer, as for one that is registered here.
const MAX_SERIALIZED: usize = 1024 * 1024;
/// Stands between a scorer's id and its version in the note of how far the import came.
const BETWEEN: char = '\n';

impl Import {
    /// Versions of scorers under their own numbers. They are only kept: nothing ever runs them here.
    pub(super) fn scorers(&mut self) -> Result<(), AppError> {
        let mut count = 0;
        let mut homes = BTreeMap::new();
        let mut sizes = BTreeMap::new();
        loop {
            if self.stopped() {
                return Ok(());
            }
            let after = self.place.after.rsplit_once(BETWEEN);
            let after = after.map_or((String::new(), 0), |(id, version)| (id.to_owned(), version.parse().unwrap_or(0)));
            let some = self.source.scorers(&after, PAGE)?;
            let Some(last) = some.last().map(|last| format!("{}{BETWEEN}{}", last.id, last.version)) else {
                return self.next_phase();
            };
            let mut place = self.place.at(last);
            let mut scorers = Vec::new();
            for scorer in some {
                let home = self.is_home(scorer.experiment, &mut homes)?;
                let what = name_of(&scorer);
                let Some(scorer) = scorer_to_store(scorer, home, &mut place) else { continue };
                if self.has_room(&scorer, &mut sizes)? {
                    scorers.push(scorer);
                } else {
                    place.refuse(
                        &what,
                        "scorer.size",
                        "the scorers of its experiment would have more bytes than they may",
                    );
                }
            }
            count += scorers.len();
            let events: Vec<_> = scorers
                .iter()
                .map(|one| {
                    let (experiment, name) = (one.experiment_id.clone(), one.name.clone());
                    self.event(Act::ScorerRegistered { experiment, name, version: one.version })
                })
                .collect();
            self.write(place, move |tx| {
                for (scorer, event) in scorers.iter().zip(&events) {
                    tx.import_scorer(scorer)?;
                    tx.record(event)?;
                }
                Ok(())
            })?;
            self.say(&format!("versions of scorers: {count}"));
        }
    }
}

impl Import {
    /// Whether an experiment can have this version too; counts it if so. Lists would leave out what is beyond.
    fn has_room(&self, scorer: &ScorerVersion, sizes: &mut BTreeMap<String, u64>) -> Result<bool, AppError> {
        let known = match sizes.get(&scorer.experiment_id) {
            Some(known) => *known,
            None => {
                let experiment = scorer.experiment_id.clone();
                self.read(move |tx| Ok(tx.size_of_scorers(&experiment)?))?
            }
        };
        let wanted = known.saturating_add(scorer.serialized.len() as u64);
        let has_room = wanted <= MAX_OF_EXPERIMENT;
        sizes.insert(scorer.experiment_id.clone(), if has_room { wanted } else { known });
        Ok(has_room)
    }
}

/// Under which a version is refused.
pub(super) fn name_of(scorer: &SourceScorer) -> String {
    format!("scorers:/{}/{}/{}", scorer.experiment, scorer.name, scorer.version)
}

/// A version as it is to be here, if it can be.
pub(super) fn scorer_to_store(scorer: SourceScorer, home: bool, place: &mut Place) -> Option<ScorerVersion> {
    let what = name_of(&scorer);
    let mut refuse = |rule: &str, why: &str| {
        place.refuse(&what, rule, why);
        None
    };
    if !home {
        return refuse("scorer.experiment", "its experiment is not there");
    }
    let plain = |text: &str, most: usize| {
        !text.is_empty() && text.chars().count() <= most && !text.chars().any(char::is_control)
    };
    if !plain(&scorer.name, 256) || !plain(&scorer.id, 50) {
        return refuse("scorer.name", "its name or id is none that a scorer can have");
    }
    let Some(serialized) = scorer.serialized else { return refuse("scorer.size", "it is larger than a scorer may be") };
    let Some(parsed) = json::read(&serialized, MAX_SERIALIZED) else {
        return refuse("scorer.json", "it is no JSON, or too much of it");
    };
    if holds_code(&parsed) {
        return refuse("scorer.code", "it holds code, which loading it would run");
    }
    if endpoint_of(&parsed).is_some() {
        return refuse(
            "scorer.endpoint",
            "it asks an endpoint of the AI gateway, and these are not imported; register it again",
        );
    }
    let serialized = json::text(serialized, MAX_SERIALIZED)?;
    Some(ScorerVersion {
        scorer_id: scorer.id,
        experiment_id: scorer.experiment.to_string(),
        name: scorer.name,
        version: scorer.version,
        serialized,
        created: scorer.created,
    })
}

#[cfg(test)]
mod tests {
    use super::super::progress::tests::place;
    use super::*;

    #[test]
    fn code_and_endpoints_stay_out() {
        let scorer = |serialized: &str| SourceScorer {
            id: "s-1".into(),
            experiment: 1,
            name: "safety".into(),
            version: 1,
            serialized: Some(serialized.into()),
            created: 5,
        };
        let refused = |scorer: SourceScorer, home: bool| {
            let mut place = place();
            let made = scorer_to_store(scorer, home, &mut place);
            (made.is_some(), place.refused.first().map(|one| one.rule.clone()))
        };
        assert_eq!(refused(scorer(r#"{"name": "safety", "builtin_scorer_class": "Safety"}"#), true), (true, None));
        for (serialized, home, rule) in [
            (r#"{"call_source": "import os"}"#, true, "scorer.code"),
            (r#"{"instructions_judge_pydantic_data": {"model": "gateway:/x"}}"#, true, "scorer.endpoint"),
            ("{", true, "scorer.json"),
            ("{}", false, "scorer.experiment"),
        ] {
            assert_eq!(refused(scorer(serialized), home), (false, Some(rule.into())), "{serialized}");
        }
        assert_eq!(refused(SourceScorer { serialized: None, ..scorer("") }, true).1.as_deref(), Some("scorer.size"));
        assert_eq!(
            refused(SourceScorer { name: "a\nb".into(), ..scorer("{}") }, true).1.as_deref(),
            Some("scorer.name")
        );
    }
}
