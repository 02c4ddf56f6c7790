//! Both sides once more, side by side.

mod evaluation;
mod traces;

use std::collections::{BTreeMap, BTreeSet};

use sealyard_core::Digest;
use sealyard_store::import::{DELETED_STAGE, SourceRun};
use sealyard_store::model::{ArtifactOwner, Metric, Pair, Run};

use super::report::{Checks, TableCheck, Verified};
use super::tracking::NAME_TAG;
use super::{Import, PAGE, VERIFIED};
use crate::AppError;
use crate::artifacts::full_path;

/// Number and content of a set of rows, whatever their order: the digests of the rows are added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Sum {
    count: u64,
    digest: u128,
}

impl Sum {
    fn add(&mut self, row: &[&str]) {
        let mut bytes = Vec::new();
        for part in row {
            bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
            bytes.extend_from_slice(part.as_bytes());
        }
        let digest = Digest::of(&bytes);
        let (half, _) = digest.as_bytes().split_at(16);
        self.digest = self.digest.wrapping_add(half.try_into().map_or(0, u128::from_le_bytes));
        self.count += 1;
    }
}

/// Both sides of the tables of one experiment.
#[derive(Debug, Default)]
struct Sides {
    tables: BTreeMap<&'static str, (Sum, Sum)>,
    refused: BTreeMap<&'static str, u64>,
}

impl Sides {
    fn source(&mut self, table: &'static str) -> &mut Sum {
        &mut self.tables.entry(table).or_default().0
    }

    fn target(&mut self, table: &'static str) -> &mut Sum {
        &mut self.tables.entry(table).or_default().1
    }

    fn refuse(&mut self, table: &'static str) {
        *self.refused.entry(table).or_default() += 1;
    }

    fn check(mut self) -> BTreeMap<String, TableCheck> {
        let refused = self.refused;
        for table in refused.keys() {
            self.tables.entry(table).or_default();
        }
        let check = |(table, (source, target)): (&'static str, (Sum, Sum))| {
            let check = TableCheck {
                source: source.count,
                target: target.count,
                same: source == target,
                refused: refused.get(table).copied().unwrap_or_default(),
            };
            (table.to_owned(), check)
        };
        self.tables.into_iter().map(check).collect()
    }
}

fn pairs(sum: &mut Sum, owner: &str, pairs: &[Pair]) {
    for pair in pairs {
        sum.add(&[owner, &pair.key, &pair.value]);
    }
}

fn metric(sum: &mut Sum, run: &str, metric: &Metric) {
    let value = if metric.value.is_nan() { "nan".to_owned() } else { metric.value.to_bits().to_string() };
    sum.add(&[run, &metric.key, &metric.step.to_string(), &metric.timestamp.to_string(), &value]);
}

impl Import {
    /// Reads both sides again, and compares.
    pub(super) fn verify(&mut self) -> Result<Verified, AppError> {
        self.say("verification");
        let mut sides: BTreeMap<String, Sides> = BTreeMap::new();
        self.verify_experiments(&mut sides)?;
        let mut after = String::new();
        let mut count = 0;
        loop {
            let runs = self.source.runs(&after, PAGE)?;
            let Some(last) = runs.last() else { break };
            after.clone_from(&last.id);
            for run in runs {
                if self.stopped() {
                    return Ok(Verified::default());
                }
                self.verify_run(sides.entry(run.experiment.to_string()).or_default(), &run)?;
                count += 1;
            }
            self.say(&format!("verification: {count} runs"));
        }
        self.verify_logged_models(&mut sides)?;
        if self.stopped() {
            // What was read so far agreeing says nothing of the rest.
            return Ok(Verified::default());
        }
        let mut apart = sides.remove("").unwrap_or_default();
        self.verify_registry(&mut apart)?;
        self.verify_traces(&mut sides)?;
        self.verify_scorers(&mut sides)?;
        self.verify_issues(&mut sides)?;
        self.verify_datasets(&mut apart)?;
        self.verify_webhooks(&mut apart)?;
        sides.insert(String::new(), apart);
        if self.stopped() {
            return Ok(Verified::default());
        }
        let checks: Checks = sides.into_iter().map(|(experiment, sides)| (experiment, sides.check())).collect();
        let verified = Verified { at: Some(self.app.now()), checks };
        if verified.checks.values().flat_map(BTreeMap::values).all(|check| check.same) {
            let text = serde_json::to_string(&verified)
                .map_err(|error| AppError::internal("an import's verification can't be kept", error))?;
            self.write(self.place.next_phase(), move |tx| Ok(tx.put_setting(VERIFIED, &text)?))?;
            return Ok(verified);
        }
        // Left where it is: the next call compares again, and says the same until somebody has looked into it.
        self.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(verified)
    }

    fn verify_experiments(&mut self, sides: &mut BTreeMap<String, Sides>) -> Result<(), AppError> {
        for experiment in self.source.experiments()? {
            let id = experiment.id.to_string();
            let wanted = id.clone();
            let side = sides.entry(id.clone()).or_default();
            side.source("experiments").add(&[&id, &experiment.name]);
            pairs(side.source("experiment_tags"), &id, &experiment.tags);
            if let Some(found) = self.read(move |tx| Ok(tx.experiment(&wanted)?))? {
                side.target("experiments").add(&[&id, &found.name]);
                pairs(side.target("experiment_tags"), &id, &found.tags);
            }
        }
        Ok(())
    }

    fn verify_run(&mut self, sides: &mut Sides, run: &SourceRun) -> Result<(), AppError> {
        let end =
            |end: Option<sealyard_core::Timestamp>| end.map_or_else(String::new, |end| end.as_millis().to_string());
        let id = run.id.as_str();
        let unnamed = |tags: &[Pair], name: &str| -> Vec<Pair> {
            tags.iter().filter(|tag| tag.key != NAME_TAG || name.is_empty()).cloned().collect()
        };
        sides.source("runs").add(&[
            id,
            &run.experiment.to_string(),
            &run.name,
            &run.user,
            &format!("{:?}", run.status),
            &run.start.as_millis().to_string(),
            &end(run.end),
        ]);
        pairs(sides.source("params"), id, &run.params);
        pairs(sides.source("tags"), id, &unnamed(&run.tags, &run.name));
        for value in &run.latest {
            metric(sides.source("latest_metrics"), id, value);
        }
        for input in &run.inputs {
            sides.source("inputs").add(&[
                id,
                &input.name,
                &input.digest,
                &input.source,
                input.profile.as_deref().unwrap_or_default(),
            ]);
        }
        for (model, step) in run.outputs.iter().map(|output| (&output.model_id, output.step)) {
            sides.source("outputs").add(&[id, model, &step.to_string()]);
        }
        let wanted = run.id.clone();
        let Some(found): Option<Run> = self.read(move |tx| Ok(tx.run(&wanted)?))? else { return Ok(()) };
        sides.target("runs").add(&[
            &found.id,
            &found.experiment_id,
            &found.name,
            &found.user,
            &format!("{:?}", found.status),
            &found.start.as_millis().to_string(),
            &end(found.end),
        ]);
        pairs(sides.target("params"), id, &found.data.params);
        pairs(sides.target("tags"), id, &unnamed(&found.data.tags, &run.name));
        for value in &found.data.metrics {
            metric(sides.target("latest_metrics"), id, value);
        }
        for input in &found.data.inputs {
            sides.target("inputs").add(&[
                id,
                &input.name,
                &input.digest,
                &input.source,
                input.profile.as_deref().unwrap_or_default(),
            ]);
        }
        for (model, step) in found.data.outputs.iter().map(|output| (&output.model_id, output.step)) {
            sides.target("outputs").add(&[id, model, &step.to_string()]);
        }
        self.verify_metrics(sides, id)?;
        let usual = format!("{}/{id}/artifacts", run.experiment);
        self.verify_artifacts(sides, &ArtifactOwner::Run(run.id.clone()), &run.artifact_uri, &usual)
    }

    fn verify_metrics(&mut self, sides: &mut Sides, run: &str) -> Result<(), AppError> {
        for key in self.source.metric_keys(run)? {
            let mut after = None;
            loop {
                let (metrics, place) = self.source.metrics(run, &key, after, 5000)?;
                if place.is_none() {
                    break;
                }
                after = place;
                metrics.iter().for_each(|one| metric(sides.source("metrics"), run, one));
            }
            let mut after = None;
            loop {
                let (wanted, key) = (run.to_owned(), key.clone());
                let page = self.read(move |tx| Ok(tx.metric_history(&wanted, &key, 5000, after.as_ref())?))?;
                page.items.iter().for_each(|one| metric(sides.target("metrics"), run, one));
                if page.next.is_none() {
                    break;
                }
                after = page.next;
            }
        }
        Ok(())
    }

    /// Files by path, size and digest; the source's are hashed again.
    fn verify_artifacts(
        &mut self,
        sides: &mut Sides,
        owner: &ArtifactOwner,
        uri: &str,
        usual: &str,
    ) -> Result<(), AppError> {
        let Some(files) = &self.files else { return Ok(()) };
        let here = self.artifacts_of(owner, "")?;
        let known: BTreeSet<&str> = here.iter().map(|artifact| artifact.path.as_str()).collect();
        if let Some(root) = files.locate(uri, usual) {
            let listing = files.list(root)?;
            for (path, _) in &listing.files {
                if !known.contains(path.as_str()) && self.is_refused(&full_path(owner, path.as_str()))? {
                    sides.refuse("artifacts");
                    continue;
                }
                let unreadable = |error| AppError::internal("a file of the source can't be read", error);
                let file = files.open_file(&listing.root, path).map_err(unreadable)?;
                let (digest, size) = Digest::of_reader(file).map_err(unreadable)?;
                sides.source("artifacts").add(&[usual, path.as_str(), &size.to_string(), &digest.to_string()]);
            }
        }
        for artifact in &here {
            let row = [usual, artifact.path.as_str(), &artifact.size.to_string(), &artifact.digest.to_string()];
            sides.target("artifacts").add(&row);
        }
        Ok(())
    }

    fn verify_logged_models(&mut self, sides: &mut BTreeMap<String, Sides>) -> Result<(), AppError> {
        let mut after = String::new();
        loop {
            let models = self.source.logged_models(&after, PAGE)?;
            let Some(last) = models.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for model in models {
                if self.stopped() {
                    return Ok(());
                }
                let experiment = model.experiment.to_string();
                let side = sides.entry(experiment.clone()).or_default();
                let wanted = model.id.clone();
                side.source("logged_models").add(&[&model.id, &experiment, &model.name, &model.model_type]);
                pairs(side.source("logged_model_tags"), &model.id, &model.tags);
                pairs(side.source("logged_model_params"), &model.id, &model.params);
                if let Some(found) = self.read(move |tx| Ok(tx.logged_model(&wanted)?))? {
                    side.target("logged_models").add(&[
                        &found.id,
                        &found.experiment_id,
                        &found.name,
                        &found.model_type,
                    ]);
                    pairs(side.target("logged_model_tags"), &model.id, &found.tags);
                    pairs(side.target("logged_model_params"), &model.id, &found.params);
                }
                let usual = format!("{experiment}/models/{}/artifacts", model.id);
                let owner = ArtifactOwner::LoggedModel(model.id);
                let mut side = sides.remove(&experiment).unwrap_or_default();
                self.verify_artifacts(&mut side, &owner, &model.artifact_location, &usual)?;
                sides.insert(experiment, side);
            }
        }
    }

    fn verify_registry(&mut self, sides: &mut Sides) -> Result<(), AppError> {
        let mut after = String::new();
        loop {
            let models = self.source.registered_models(&after, PAGE)?;
            let Some(last) = models.last() else { return Ok(()) };
            after.clone_from(&last.name);
            for model in models {
                let name = model.name.clone();
                if self.is_refused(&format!("models:/{name}"))? {
                    sides.refuse("registered_models");
                    continue;
                }
                sides.source("registered_models").add(&[&name, &model.description]);
                pairs(sides.source("registered_model_tags"), &name, &model.tags);
                let wanted = name.clone();
                let Some(found) = self.read(move |tx| Ok(tx.registered_model(&wanted)?))? else { continue };
                sides.target("registered_models").add(&[&name, &found.description]);
                pairs(sides.target("registered_model_tags"), &name, &found.tags);
                for (alias, version) in &model.aliases {
                    if self.is_refused(&format!("models:/{name}@{alias}"))? {
                        sides.refuse("registered_model_aliases");
                    } else {
                        sides.source("registered_model_aliases").add(&[&name, alias, &version.to_string()]);
                    }
                }
                for (alias, version) in &found.aliases {
                    sides.target("registered_model_aliases").add(&[&name, alias, &version.to_string()]);
                }
                for version in self.source.versions(&name)? {
                    let number = version.version;
                    if version.stage == DELETED_STAGE {
                        continue;
                    }
                    if self.is_refused(&format!("models:/{name}/{number}"))? {
                        sides.refuse("model_versions");
                        continue;
                    }
                    let key = format!("{name}/{number}");
                    let stage = if version.stage.is_empty() { "None" } else { version.stage.as_str() };
                    sides.source("model_versions").add(&[&key, &version.description, stage]);
                    pairs(sides.source("model_version_tags"), &key, &version.tags);
                    let wanted = name.clone();
                    if let Some(found) = self.read(move |tx| Ok(tx.model_version(&wanted, number)?))? {
                        sides.target("model_versions").add(&[&key, &found.description, &found.stage]);
                        pairs(sides.target("model_version_tags"), &key, &found.tags);
                    }
                }
            }
        }
    }
}
