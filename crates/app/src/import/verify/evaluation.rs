use std::collections::BTreeMap;

use sealyard_store::model::{DatasetRecord, EvaluationDataset, Issue, ScorerVersion, Webhook};

use super::super::datasets::{DATASETS, RecordWalk};
use super::super::issues::issue_to_store;
use super::super::scorers::{name_of, scorer_to_store};
use super::super::webhooks::webhook_to_store;
use super::super::{Import, PAGE};
use super::{Sides, Sum, pairs};
use crate::AppError;

impl Import {
    pub(super) fn verify_scorers(&mut self, sides: &mut BTreeMap<String, Sides>) -> Result<(), AppError> {
        let mut after = (String::new(), 0);
        let mut homes = BTreeMap::new();
        loop {
            let scorers = self.source.scorers(&after, PAGE)?;
            let Some(last) = scorers.last() else { return Ok(()) };
            after = (last.id.clone(), last.version);
            for scorer in scorers {
                let side = sides.entry(scorer.experiment.to_string()).or_default();
                let home = self.is_home(scorer.experiment, &mut homes)?;
                let what = name_of(&scorer);
                let Some(wanted) = scorer_to_store(scorer, home, &mut self.place.clone()) else {
                    side.refuse("scorers");
                    continue;
                };
                let (experiment, name, version) = (wanted.experiment_id.clone(), wanted.name.clone(), wanted.version);
                let found = self.read(move |tx| Ok(tx.scorer(&experiment, &name, Some(version))?))?;
                if found.is_none() && self.is_refused(&what)? {
                    side.refuse("scorers");
                    continue;
                }
                add_scorer(side.source("scorers"), &wanted);
                if let Some(found) = found {
                    add_scorer(side.target("scorers"), &found);
                }
            }
        }
    }

    pub(super) fn verify_issues(&mut self, sides: &mut BTreeMap<String, Sides>) -> Result<(), AppError> {
        let mut after = String::new();
        let mut homes = BTreeMap::new();
        loop {
            let issues = self.source.issues(&after, PAGE)?;
            let Some(last) = issues.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for issue in issues {
                let side = sides.entry(issue.experiment.to_string()).or_default();
                let home = self.is_home(issue.experiment, &mut homes)?;
                let Some(wanted) = issue_to_store(issue, home, &mut self.place.clone()) else {
                    side.refuse("issues");
                    continue;
                };
                add_issue(side.source("issues"), &wanted);
                if let Some(found) = self.read(move |tx| Ok(tx.issue(&wanted.id)?))? {
                    add_issue(side.target("issues"), &found);
                }
            }
        }
    }

    pub(super) fn verify_datasets(&mut self, sides: &mut Sides) -> Result<(), AppError> {
        let mut after = String::new();
        let mut homes = BTreeMap::new();
        loop {
            let datasets = self.source.evaluation_datasets(&after, DATASETS)?;
            let Some(last) = datasets.last() else { return Ok(()) };
            after.clone_from(&last.dataset.id);
            for dataset in datasets {
                if self.stopped() {
                    return Ok(());
                }
                let id = dataset.dataset.id.clone();
                let Some(wanted) = self.dataset_to_store(dataset, &mut homes, &mut self.place.clone())? else {
                    sides.refuse("evaluation_datasets");
                    continue;
                };
                add_dataset(sides, Sides::source, &wanted);
                let found = self.read(move |tx| {
                    let found = tx.evaluation_dataset(&wanted.id)?;
                    let count = if found.is_some() { tx.count_dataset_records(&wanted.id)? } else { 0 };
                    Ok(found.map(|found| (found, count)))
                })?;
                let mut count = 0;
                if let Some((found, records)) = &found {
                    add_dataset(sides, Sides::target, found);
                    count = *records;
                }
                self.verify_records(sides, &id, found.is_some(), count)?;
            }
        }
    }

    fn verify_records(&mut self, sides: &mut Sides, dataset: &str, is_here: bool, count: u64) -> Result<(), AppError> {
        let table = "evaluation_dataset_records";
        let mut walk = RecordWalk::default();
        let mut seen = 0;
        while let Some(read) = self.next_records(dataset, &mut walk)? {
            for (id, made) in read {
                let Ok(record) = made else {
                    sides.refuse(table);
                    continue;
                };
                let (of, hash) = (dataset.to_owned(), record.input_hash.clone());
                let found =
                    if is_here { self.read(move |tx| Ok(tx.dataset_record_by_input(&of, &hash)?))? } else { None };
                let found = found.filter(|found| found.id == record.id);
                if found.is_none() && self.is_refused(&format!("datasets:/{dataset}/{id}"))? {
                    sides.refuse(table);
                    continue;
                }
                add_record(sides.source(table), dataset, &record);
                if let Some(found) = found {
                    seen += 1;
                    add_record(sides.target(table), dataset, &found);
                }
            }
        }
        for extra in seen..count {
            sides.target(table).add(&[dataset, "one too many", &extra.to_string()]);
        }
        Ok(())
    }

    pub(super) fn verify_webhooks(&mut self, sides: &mut Sides) -> Result<(), AppError> {
        let (mut after, mut count) = (String::new(), 0);
        loop {
            let webhooks = self.source.webhooks(&after, PAGE)?;
            let Some(last) = webhooks.last() else { return Ok(()) };
            after.clone_from(&last.id);
            for webhook in webhooks {
                let Some((wanted, _)) = webhook_to_store(&self.app, webhook, count, &mut self.place.clone()) else {
                    sides.refuse("webhooks");
                    continue;
                };
                count += 1;
                add_webhook(sides.source("webhooks"), &wanted, self.app.webhook_url(&wanted)?.expose());
                if let Some(found) = self.read(move |tx| Ok(tx.webhook(&wanted.id)?))? {
                    add_webhook(sides.target("webhooks"), &found, self.app.webhook_url(&found)?.expose());
                }
            }
        }
    }
}

fn add_scorer(sum: &mut Sum, scorer: &ScorerVersion) {
    let (version, created) = (scorer.version.to_string(), scorer.created.to_string());
    sum.add(&[&scorer.scorer_id, &scorer.experiment_id, &scorer.name, &version, &scorer.serialized, &created]);
}

fn add_issue(sum: &mut Sum, issue: &Issue) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    sum.add(&[
        &issue.id,
        &issue.experiment_id,
        &issue.name,
        &issue.description,
        &issue.status,
        &format!("{:?}", issue.severity),
        &format!("{:?}", issue.root_causes),
        &format!("{:?}", issue.categories),
        &text(&issue.source_run_id),
        &text(&issue.said_by),
        &issue.created.as_millis().to_string(),
        &issue.updated.as_millis().to_string(),
    ]);
}

fn add_dataset(
    sides: &mut Sides,
    side: for<'a> fn(&'a mut Sides, &'static str) -> &'a mut Sum,
    dataset: &EvaluationDataset,
) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    side(sides, "evaluation_datasets").add(&[
        &dataset.id,
        &dataset.name,
        &text(&dataset.schema),
        &text(&dataset.profile),
        &dataset.digest,
        &dataset.created.to_string(),
        &dataset.updated.to_string(),
        &text(&dataset.created_by),
        &text(&dataset.updated_by),
    ]);
    pairs(side(sides, "evaluation_dataset_tags"), &dataset.id, &dataset.tags);
    for experiment in &dataset.experiment_ids {
        side(sides, "evaluation_dataset_experiments").add(&[&dataset.id, experiment]);
    }
}

fn add_record(sum: &mut Sum, dataset: &str, record: &DatasetRecord) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    sum.add(&[
        dataset,
        &record.id,
        &record.inputs,
        &text(&record.outputs),
        &text(&record.expectations),
        &text(&record.tags),
        &text(&record.source),
        &text(&record.source_id),
        &text(&record.source_type),
        &record.created.to_string(),
        &record.updated.to_string(),
        &text(&record.created_by),
        &text(&record.updated_by),
    ]);
}

fn add_webhook(sum: &mut Sum, webhook: &Webhook, url: &str) {
    let mut events = webhook.events.clone();
    events.sort();
    let created = webhook.created.as_millis().to_string();
    let active = webhook.active.to_string();
    let events = events.join(" ");
    sum.add(&[&webhook.id, &webhook.name, &webhook.description, url, &active, &created, &events]);
}
