use std::collections::BTreeMap;

use sealyard_core::Digest;
use sealyard_ledger::Act;
use sealyard_store::import::SourceDataset;
use sealyard_store::model::{DatasetRecord, EvaluationDataset};
use serde_json::Value;

use super::progress::Place;
use super::traces::{READ_BYTES, READ_SPANS};
use super::{Import, json};
use crate::AppError;
use crate::evaluation_datasets::{MAX_BYTES, MAX_IN_SET, check_dataset};

/// Data sets of a page; each has tags.
pub(super) const DATASETS: u32 = 50;
/// MLflow keeps outputs in an object of this one name.
const WRAPPED: &str = "mlflow_wrapped";

impl Import {
    /// Data sets, each with its experiments, tags and records. All of it may be written again.
    pub(super) fn datasets(&mut self) -> Result<(), AppError> {
        let mut homes = BTreeMap::new();
        loop {
            let datasets = self.source.evaluation_datasets(&self.place.after, DATASETS)?;
            if datasets.is_empty() {
                return self.next_phase();
            }
            for dataset in datasets {
                if self.stopped() {
                    return Ok(());
                }
                let id = dataset.dataset.id.clone();
                let mut place = self.place.clone();
                if let Some(dataset) = self.dataset_to_store(dataset, &mut homes, &mut place)? {
                    self.say(&format!("evaluation data set {}", dataset.name));
                    self.write_dataset(dataset)?;
                    if !self.records_of(&id, &mut place)? {
                        return Ok(());
                    }
                }
                let place = place.at(id);
                self.write(place, |_| Ok(()))?;
            }
        }
    }

    /// A data set as it is to be here, if it can be.
    pub(super) fn dataset_to_store(
        &mut self,
        source: SourceDataset,
        homes: &mut BTreeMap<i64, bool>,
        place: &mut Place,
    ) -> Result<Option<EvaluationDataset>, AppError> {
        let SourceDataset { mut dataset, too_large } = source;
        let what = format!("datasets:/{}", dataset.id);
        if too_large {
            place.refuse(&what, "dataset.bounds", "its schema or profile is larger than a data set's may be");
            return Ok(None);
        }
        let mut experiments = Vec::new();
        for id in std::mem::take(&mut dataset.experiment_ids) {
            match id.parse::<i64>() {
                Ok(number) if number.to_string() == id && self.is_home(number, homes)? => experiments.push(id),
                _ => place.refuse(
                    &format!("{what}/experiments/{id}"),
                    "dataset.experiment",
                    "there is no such experiment",
                ),
            }
        }
        experiments.sort_by_key(|id| id.parse::<i64>().unwrap_or_default());
        dataset.experiment_ids = experiments;
        match checked(dataset) {
            Ok(dataset) => Ok(Some(dataset)),
            Err(reason) => {
                place.refuse(&what, "dataset.bounds", reason);
                Ok(None)
            }
        }
    }

    fn write_dataset(&mut self, dataset: EvaluationDataset) -> Result<(), AppError> {
        let (name, experiments) = (dataset.name.clone(), dataset.experiment_ids.clone());
        let event = self.event(Act::EvaluationDatasetCreated { dataset: dataset.id.clone(), name, experiments });
        self.write(self.place.clone(), move |tx| {
            if tx.evaluation_dataset(&dataset.id)?.is_none() {
                tx.create_evaluation_dataset(&dataset)?;
                tx.record(&event)?;
            }
            Ok(())
        })
    }

    /// Gives whether it came to its end.
    fn records_of(&mut self, dataset: &str, place: &mut Place) -> Result<bool, AppError> {
        let mut walk = RecordWalk::default();
        while let Some(read) = self.next_records(dataset, &mut walk)? {
            if self.stopped() {
                return Ok(false);
            }
            let mut records = Vec::new();
            for (id, made) in read {
                let what = format!("datasets:/{dataset}/{id}");
                match made {
                    Ok(record) => records.push((what, record)),
                    Err(why) => place.refuse(&what, "dataset.record", why),
                }
            }
            let wanted = dataset.to_owned();
            let written = Place { refused: std::mem::take(&mut place.refused), ..self.place.clone() };
            let doubled = self.write(written, move |tx| {
                let mut doubled = Vec::new();
                for (what, record) in records {
                    match tx.dataset_record_by_input(&wanted, &record.input_hash)? {
                        Some(known) if known.id != record.id => doubled.push(what),
                        _ => tx.put_dataset_records(&wanted, &[record])?,
                    }
                }
                Ok(doubled)
            })?;
            for what in doubled {
                place.refuse(&what, "dataset.record", "another record of the data set has the same inputs");
            }
        }
        Ok(true)
    }

    /// The next records of a data set as they are to be here, each with its id; those that can't be with the reason.
    #[allow(clippy::type_complexity, reason = "a list of results")]
    pub(super) fn next_records(
        &mut self,
        dataset: &str,
        walk: &mut RecordWalk,
    ) -> Result<Option<Vec<(String, Result<DatasetRecord, &'static str>)>>, AppError> {
        if walk.waiting.is_empty() {
            walk.waiting = self.source.record_sizes(dataset, &walk.after, READ_SPANS)?;
            let Some((last, _)) = walk.waiting.last() else { return Ok(None) };
            walk.after.clone_from(last);
            walk.waiting.reverse();
        }
        let (mut ids, mut bytes, mut found) = (Vec::new(), 0, Vec::new());
        while let Some((id, size)) = walk.waiting.pop() {
            walk.count += 1;
            if size > MAX_BYTES as u64 {
                found.push((id, Err("it is larger than a record may be")));
                continue;
            }
            if walk.count > MAX_IN_SET {
                found.push((id, Err("its data set has more records than one may have")));
                continue;
            }
            bytes += size;
            ids.push(id);
            if bytes > READ_BYTES {
                break;
            }
        }
        for record in self.source.records(dataset, &ids)? {
            found.push((record.id.clone(), record_to_store(record)));
        }
        Ok(Some(found))
    }
}

/// Where a data set's records were read to.
#[derive(Debug, Default)]
pub(super) struct RecordWalk {
    after: String,
    waiting: Vec<(String, u64)>,
    count: u64,
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn checked(mut dataset: EvaluationDataset) -> Result<EvaluationDataset, String> {
    if !is_id(&dataset.id) {
        return Err("its id is none of a data set".to_owned());
    }
    check_dataset(&dataset).map_err(|error| error.to_string())?;
    for text in [&mut dataset.schema, &mut dataset.profile] {
        *text = match text.take().filter(|text| !text.is_empty()) {
            Some(given) => {
                Some(json::text(given, MAX_BYTES).ok_or("its schema or profile is no JSON, or too much of it")?)
            }
            None => None,
        };
    }
    if dataset.digest.is_empty() {
        dataset.digest = crate::evaluation_datasets::digest(&dataset.name, dataset.created);
    }
    // Whoever has no right by an experiment has none by having made it elsewhere.
    dataset.owner = "system".to_owned();
    Ok(dataset)
}

fn record_to_store(mut record: DatasetRecord) -> Result<DatasetRecord, &'static str> {
    if !is_id(&record.id) {
        return Err("its id is none of a record");
    }
    let object = |text: &str| json::read(text, MAX_BYTES).filter(Value::is_object);
    let inputs = object(&record.inputs).ok_or("its inputs are no object")?;
    // Keys of an object are in order, so that inputs that come from a client find this record.
    record.inputs = inputs.to_string();
    record.input_hash = Digest::of(record.inputs.as_bytes()).to_hex();
    for (text, why) in [
        (&mut record.expectations, "its expectations are no object"),
        (&mut record.tags, "its tags are no object"),
        (&mut record.source, "its source is no object"),
    ] {
        *text = match text.take() {
            Some(given) => Some(object(&given).ok_or(why)?.to_string()),
            None => None,
        };
    }
    record.outputs = match record.outputs {
        Some(given) => {
            let mut outputs = json::read(&given, MAX_BYTES).ok_or("its outputs are no JSON")?;
            if let Some(inner) = outputs.get_mut(WRAPPED) {
                outputs = inner.take();
            }
            Some(outputs).filter(|outputs| !outputs.is_null()).map(|outputs| outputs.to_string())
        }
        None => None,
    };
    for text in [&mut record.source_id, &mut record.source_type, &mut record.created_by, &mut record.updated_by] {
        *text = text.take().map(|text| text.chars().filter(|one| *one != '\0').take(255).collect());
    }
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(inputs: &str, outputs: Option<&str>) -> DatasetRecord {
        DatasetRecord {
            id: "dr-1".into(),
            inputs: inputs.into(),
            input_hash: String::new(),
            outputs: outputs.map(Into::into),
            expectations: Some("{\"b\": 1, \"a\": NaN}".into()),
            tags: None,
            source: None,
            source_id: Some("x".repeat(300)),
            source_type: None,
            created: 1,
            updated: 2,
            created_by: None,
            updated_by: None,
        }
    }

    #[test]
    fn records_are_found_again_by_their_inputs() {
        let made =
            record_to_store(record("{\"b\": 1, \"a\": {\"d\": 2, \"c\": 3}}", Some("{\"mlflow_wrapped\": [1]}")))
                .unwrap();
        assert_eq!(made.inputs, r#"{"a":{"c":3,"d":2},"b":1}"#);
        assert_eq!(made.input_hash, Digest::of(made.inputs.as_bytes()).to_hex());
        assert_eq!(
            (made.outputs.as_deref(), made.expectations.as_deref()),
            (Some("[1]"), Some(r#"{"a":"NaN","b":1}"#))
        );
        assert_eq!(made.source_id.map(|id| id.len()), Some(255));
        assert_eq!(record_to_store(record("{}", Some("{\"mlflow_wrapped\": null}"))).unwrap().outputs, None);
    }

    #[test]
    fn odd_records_are_refused() {
        for (inputs, outputs) in [("[]", None), ("", None), ("{}", Some("{"))] {
            assert!(record_to_store(record(inputs, outputs)).is_err(), "{inputs}");
        }
        assert!(record_to_store(DatasetRecord { id: "../x".into(), ..record("{}", None) }).is_err());
        assert!(record_to_store(DatasetRecord { tags: Some("5".into()), ..record("{}", None) }).is_err());
    }
}
