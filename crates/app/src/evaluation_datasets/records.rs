use std::collections::{BTreeMap, BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_core::Digest;
use sealyard_identity::{Edit, Read};
use sealyard_store::Transaction;
use sealyard_store::model::{DatasetRecord, EvaluationDataset, EvaluationDatasetUpdate};
use serde_json::{Map, Value, json};

use super::{DatasetAccess, USER, digest};
use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// Records of one request.
const MAX_RECORDS: usize = 10_000;
/// Records of a data set.
pub(crate) const MAX_IN_SET: u64 = 1_000_000;
/// Bytes of a record.
pub(crate) const MAX_BYTES: usize = 4 * 1024 * 1024;
/// Keys of the inputs, outputs or expectations that a data set's schema lists.
const MAX_KEYS: usize = 10_000;
/// A page ends early when it has so many bytes.
const PAGE_BYTES: usize = 16 << 20;
/// So many records are read before the bytes are looked at.
const READ_AT_ONCE: u32 = 16;
/// Records, and about how many bytes of them, that are written in one statement.
const AT_ONCE: usize = 500;
const BYTES_AT_ONCE: usize = 8 << 20;
/// Bytes of records, as they are kept, with which one request's records are merged: each is read and written while nobody else
/// writes.
const MERGED_BYTES: usize = 64 << 20;
/// Records on one page.
const PER_PAGE: i64 = 1000;
/// Bytes of a page token: a time and an id.
const MAX_TOKEN: usize = 256;

/// A record as a client sends it: `inputs`, and what else there is.
pub type GivenRecord = Map<String, Value>;

/// What a request did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpsertedRecords {
    /// New ones.
    pub inserted: u64,
    /// Those whose inputs were there.
    pub updated: u64,
}

impl App {
    /// Adds records; those with inputs that are there are merged with what is there.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn upsert_dataset_records(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Edit>,
        records: Vec<GivenRecord>,
    ) -> Result<UpsertedRecords, AppError> {
        if records.len() > MAX_RECORDS {
            return Err(AppError::Invalid(format!("a request has at most {MAX_RECORDS} records")));
        }
        let Request { records, count, learnt, user } =
            blocking("records could not be read", move || Request::read(records)).await?;
        let now = self.now().as_millis();
        let ids: Vec<String> = records.iter().map(|_| format!("dr-{}", self.rng().hex_id())).collect();
        let mut event = self.dataset_event(caller, may.id(), String::new());
        let (check, id) = (may.check(), may.id().to_owned());
        let done = self
            .store()
            .write(move |tx| {
                let dataset = check(tx)?;
                let mut schema = Schema::of(&dataset);
                schema.learn(learnt)?;
                let mut known = BTreeSet::new();
                for some in records.chunks(AT_ONCE) {
                    let hashes: Vec<String> = some.iter().map(|record| record.hash.clone()).collect();
                    known.extend(tx.known_dataset_inputs(&dataset.id, &hashes)?);
                }
                // New ones are written many at once; others are merged one by one with what is there. No inputs come twice.
                let (mut fresh, mut inserted, mut merged_bytes) = (Fresh::default(), 0, 0);
                for (record, new_id) in records.into_iter().zip(ids) {
                    if !known.contains(&record.hash) {
                        inserted += 1;
                        fresh.add(record.into_new(new_id, now));
                        fresh.write_if_many(tx, &dataset.id)?;
                        continue;
                    }
                    let there = tx.dataset_record_by_input(&dataset.id, &record.hash)?;
                    let there = there.ok_or_else(|| AppError::Conflict("a record was removed meanwhile".to_owned()))?;
                    merged_bytes += size(&there);
                    if merged_bytes > MERGED_BYTES {
                        return Err(AppError::Invalid(format!(
                            "the records that are to be merged have more than the {MERGED_BYTES} bytes that are merged at \
                             once; send fewer"
                        )));
                    }
                    tx.put_dataset_records(&dataset.id, &[record.merged(there, now)?])?;
                }
                fresh.write(tx, &dataset.id)?;
                let done = UpsertedRecords { inserted, updated: count - inserted };
                let count = tx.count_dataset_records(&dataset.id)?;
                if count > MAX_IN_SET {
                    return Err(AppError::Conflict(format!("a data set has at most {MAX_IN_SET} records")));
                }
                let update = EvaluationDatasetUpdate {
                    updated: now,
                    digest: Some(digest(&dataset.name, now)),
                    schema: Some(schema.0.to_string()),
                    profile: (count > 0).then(|| json!({ "num_records": count }).to_string()),
                    updated_by: user,
                };
                tx.update_evaluation_dataset(&dataset.id, &update)?;
                let change = format!("records: {} added, {} changed", done.inserted, done.updated);
                event.act = sealyard_ledger::Act::EvaluationDatasetChanged { dataset: id, change };
                tx.record(&event)?;
                Ok::<_, AppError>(done)
            })
            .await?;
        self.sequencer.notify();
        Ok(done)
    }

    /// A page of records in the order in which they came, and the token of the next one.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn dataset_records(
        &self,
        may: &DatasetAccess<Read>,
        max_results: Option<i64>,
        page_token: &str,
    ) -> Result<(Vec<DatasetRecord>, Option<String>), AppError> {
        let limit = max_results.filter(|asked| *asked > 0).unwrap_or(PER_PAGE).min(PER_PAGE);
        let limit = u32::try_from(limit).unwrap_or(1);
        let after = read_token(page_token)?;
        let check = may.check();
        self.store()
            .read(move |tx| {
                let dataset = check(tx)?;
                let (mut records, mut bytes, mut more) = (Vec::new(), 0, true);
                let mut after = after;
                while more && records.len() < limit as usize && bytes < PAGE_BYTES {
                    let wanted = READ_AT_ONCE.min(limit - records.len() as u32);
                    let mut some = tx.dataset_records(&dataset.id, after.as_ref(), wanted + 1)?;
                    more = some.len() > wanted as usize;
                    some.truncate(wanted as usize);
                    after = some.last().map(|last| (last.created, last.id.clone())).or(after);
                    bytes += some.iter().map(size).sum::<usize>();
                    records.append(&mut some);
                }
                let next = after.filter(|_| more).map(|(created, id)| write_token(created, &id));
                Ok((records, next))
            })
            .await
    }

    /// Removes records; gives how many there were.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::Invalid`].
    pub async fn delete_dataset_records(
        &self,
        caller: &Caller,
        may: &DatasetAccess<Edit>,
        ids: Vec<String>,
    ) -> Result<u64, AppError> {
        if ids.len() > MAX_RECORDS {
            return Err(AppError::Invalid(format!("a request names at most {MAX_RECORDS} records")));
        }
        let mut event = self.dataset_event(caller, may.id(), String::new());
        let (check, id, now) = (may.check(), may.id().to_owned(), self.now().as_millis());
        let deleted = self
            .store()
            .write(move |tx| {
                let dataset = check(tx)?;
                let deleted = tx.delete_dataset_records(&dataset.id, &ids)?;
                let count = tx.count_dataset_records(&dataset.id)?;
                let update = EvaluationDatasetUpdate {
                    updated: now,
                    digest: Some(digest(&dataset.name, now)),
                    profile: Some(json!({ "num_records": count }).to_string()),
                    ..EvaluationDatasetUpdate::default()
                };
                tx.update_evaluation_dataset(&dataset.id, &update)?;
                let change = format!("records: {deleted} removed");
                event.act = sealyard_ledger::Act::EvaluationDatasetChanged { dataset: id, change };
                tx.record(&event)?;
                Ok::<_, AppError>(deleted)
            })
            .await?;
        self.sequencer.notify();
        Ok(deleted)
    }
}

fn write_token(created: i64, id: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{created}:{id}"))
}

fn read_token(text: &str) -> Result<Option<(i64, String)>, AppError> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(Some(text).filter(|text| text.len() <= MAX_TOKEN)?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (created, id) = text.split_once(':')?;
        Some((created.parse().ok()?, id.to_owned()))
    };
    read().map(Some).ok_or_else(|| AppError::Invalid("Invalid page token".to_owned()))
}

/// New records that are not written yet.
#[derive(Debug, Default)]
struct Fresh {
    records: Vec<DatasetRecord>,
    bytes: usize,
}

impl Fresh {
    fn add(&mut self, record: DatasetRecord) {
        self.bytes += size(&record);
        self.records.push(record);
    }

    fn write_if_many(&mut self, tx: &mut dyn Transaction, dataset: &str) -> Result<(), AppError> {
        if self.records.len() >= AT_ONCE || self.bytes >= BYTES_AT_ONCE {
            self.write(tx, dataset)?;
        }
        Ok(())
    }

    fn write(&mut self, tx: &mut dyn Transaction, dataset: &str) -> Result<(), AppError> {
        let Self { records, .. } = std::mem::take(self);
        Ok(tx.put_dataset_records(dataset, &records)?)
    }
}

/// The records of one request, none with the inputs of another: those were merged while nobody waited for it.
#[derive(Debug)]
struct Request {
    records: Vec<Given>,
    /// How many came.
    count: u64,
    learnt: Learnt,
    /// The last one that a record names.
    user: Option<String>,
}

impl Request {
    fn read(given: Vec<GivenRecord>) -> Result<Self, AppError> {
        let count = given.len() as u64;
        let (mut learnt, mut user) = (Learnt::default(), None);
        let mut records: Vec<Given> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for fields in given {
            let record = Given::read(fields)?;
            learnt.learn(&record);
            user = record.updated_by.clone().or(user);
            let place = places.get(&record.hash).and_then(|place| records.get_mut(*place));
            if let Some(first) = place {
                first.take(record);
            } else {
                places.insert(record.hash.clone(), records.len());
                records.push(record);
            }
        }
        for record in records.iter().filter(|record| record.is_merged) {
            record.check_size()?;
        }
        Ok(Self { records, count, learnt, user })
    }
}

/// A record that was checked.
#[derive(Debug)]
struct Given {
    fields: Map<String, Value>,
    inputs: String,
    hash: String,
    created_by: Option<String>,
    updated_by: Option<String>,
    /// Whether others of the request are in it.
    is_merged: bool,
}

impl Given {
    fn read(mut fields: Map<String, Value>) -> Result<Self, AppError> {
        let object = |name: &str| match fields.get(name) {
            None | Some(Value::Null | Value::Object(_)) => Ok(()),
            Some(_) => Err(AppError::Invalid(format!("'{name}' of a record must be an object"))),
        };
        for name in ["inputs", "expectations", "tags", "source"] {
            object(name)?;
        }
        fields.retain(|name, value| {
            let known = ["inputs", "outputs", "expectations", "tags", "source"].contains(&name.as_str());
            known && (name == "outputs" || !value.is_null())
        });
        // Keys of an object are in order, so that the same inputs give the same text.
        let inputs = fields.get("inputs").map_or_else(|| "{}".to_owned(), Value::to_string);
        let hash = Digest::of(inputs.as_bytes()).to_hex();
        let user = fields.get("tags").and_then(|tags| tags.get(USER)?.as_str());
        let user: Option<String> = user.map(|user| user.chars().take(255).collect());
        let read = Self { fields, inputs, hash, created_by: user.clone(), updated_by: user, is_merged: false };
        read.check_size()?;
        Ok(read)
    }

    fn check_size(&self) -> Result<(), AppError> {
        let size: usize = self.fields.values().map(|value| value.to_string().len()).sum();
        if size > MAX_BYTES {
            return Err(AppError::Invalid(format!("a record has at most {MAX_BYTES} bytes")));
        }
        Ok(())
    }

    /// Takes in one with the same inputs that came later, as if this one had been written before. The work is by the later one's
    /// size alone.
    fn take(&mut self, mut later: Self) {
        if let Some(outputs) = later.fields.remove("outputs") {
            self.fields.insert("outputs".to_owned(), outputs);
        }
        for name in ["expectations", "tags"] {
            let Some(Value::Object(new)) = later.fields.remove(name) else { continue };
            match self.fields.get_mut(name) {
                Some(Value::Object(fields)) => fields.extend(new),
                _ if new.is_empty() => {}
                _ => {
                    self.fields.insert(name.to_owned(), Value::Object(new));
                }
            }
        }
        self.updated_by = later.updated_by.or(self.updated_by.take());
        self.is_merged = true;
    }

    fn text(&self, name: &str) -> Option<String> {
        self.fields.get(name).filter(|value| !value.is_null()).map(Value::to_string)
    }

    fn into_new(self, id: String, now: i64) -> DatasetRecord {
        let source = self.fields.get("source");
        let of_source = |name: &str| source.and_then(|source| source.get(name)).and_then(Value::as_str);
        let source_type = of_source("source_type").map(|kind| kind.chars().take(255).collect::<String>());
        let key = if source_type.as_deref() == Some("TRACE") { "trace_id" } else { "source_id" };
        let data = source.and_then(|source| source.get("source_data"));
        let source_id = data.and_then(|data| data.get(key)).and_then(Value::as_str);
        DatasetRecord {
            id,
            inputs: self.inputs.clone(),
            input_hash: self.hash.clone(),
            outputs: self.text("outputs"),
            expectations: self.text("expectations"),
            tags: self.text("tags"),
            source: self.text("source"),
            source_id: source_id.map(|id| id.chars().take(255).collect()),
            source_type,
            created: now,
            updated: now,
            created_by: self.created_by,
            updated_by: self.updated_by,
        }
    }

    /// What is there with what came: outputs are replaced, expectations and tags come together.
    fn merged(self, known: DatasetRecord, now: i64) -> Result<DatasetRecord, AppError> {
        let together = |old: Option<String>, name: &str| {
            let new = match self.fields.get(name) {
                Some(Value::Object(new)) if !new.is_empty() => new,
                _ => return Ok(old),
            };
            let mut fields: Map<String, Value> = match old {
                Some(old) => serde_json::from_str(&old)
                    .map_err(|error| AppError::internal("a stored record can't be read", error))?,
                None => Map::new(),
            };
            fields.extend(new.clone());
            let text = Value::Object(fields).to_string();
            if text.len() > MAX_BYTES {
                return Err(AppError::Invalid(format!("a record has at most {MAX_BYTES} bytes")));
            }
            Ok(Some(text))
        };
        let (expectations, tags) = (together(known.expectations, "expectations")?, together(known.tags, "tags")?);
        let outputs = if self.fields.contains_key("outputs") { self.text("outputs") } else { known.outputs };
        let updated_by = self.updated_by.or(known.updated_by);
        Ok(DatasetRecord { outputs, expectations, tags, updated: now, updated_by, ..known })
    }
}

/// What a data set's records hold, by the names of their fields.
#[derive(Debug)]
struct Schema(Value);

impl Schema {
    fn of(dataset: &EvaluationDataset) -> Self {
        let known = dataset.schema.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self(known.unwrap_or_else(|| json!({"inputs": {}, "outputs": {}, "expectations": {}, "version": "1.0"})))
    }

    /// The same as if each record had been learnt by itself.
    fn learn(&mut self, learnt: Learnt) -> Result<(), AppError> {
        for (part, Part { names, other }) in PARTS.into_iter().zip(learnt.0) {
            let Some(known) = self.0.get_mut(part) else { continue };
            if let (Some(kind), true) = (other, known.as_object().is_some_and(Map::is_empty)) {
                *known = kind.into();
            }
            let Value::Object(known) = known else { continue };
            for (name, kind) in names {
                known.entry(name).or_insert_with(|| kind.into());
            }
            if known.len() > MAX_KEYS {
                return Err(AppError::Invalid(format!("a data set's {part} have at most {MAX_KEYS} names")));
            }
        }
        Ok(())
    }
}

/// What a schema speaks of.
const PARTS: [&str; 3] = ["inputs", "outputs", "expectations"];

/// What the records of a request tell a schema, by [`PARTS`].
#[derive(Debug, Default)]
struct Learnt([Part; 3]);

#[derive(Debug, Default)]
struct Part {
    /// The first kind of each.
    names: BTreeMap<String, &'static str>,
    /// The kind of what came before there were names, and is no object.
    other: Option<&'static str>,
}

impl Learnt {
    fn learn(&mut self, record: &Given) {
        for (part, Part { names, other }) in PARTS.into_iter().zip(&mut self.0) {
            match record.fields.get(part) {
                None | Some(Value::Null) => {}
                Some(Value::Object(given)) => {
                    for (name, value) in given {
                        if !names.contains_key(name) {
                            names.insert(name.clone(), kind(value));
                        }
                    }
                }
                Some(value) if names.is_empty() && other.is_none() => *other = Some(kind(value)),
                Some(_) => {}
            }
        }
    }
}

/// As MLflow names it.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "float",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// About how many bytes a record takes.
fn size(record: &DatasetRecord) -> usize {
    let optional = [&record.outputs, &record.expectations, &record.tags, &record.source];
    record.inputs.len() + optional.into_iter().flatten().map(String::len).sum::<usize>() + 512
}

/// `bytes` as what a client sent, and as what is inside of a token.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_token(bytes: &[u8]) {
    let _ = read_token(&String::from_utf8_lossy(bytes));
    if let Ok(Some((created, id))) = read_token(&URL_SAFE_NO_PAD.encode(bytes)) {
        let again = read_token(&write_token(created, &id)).ok().flatten();
        assert_eq!(again, Some((created, id)), "a token gives back its place");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: Value) -> Given {
        let Value::Object(fields) = value else { panic!() };
        Given::read(fields).unwrap()
    }

    #[test]
    fn the_same_inputs_are_the_same_record_in_any_order() {
        let first = given(json!({"inputs": {"a": 1, "b": {"d": 2, "c": 3}}}));
        let second = given(json!({"inputs": {"b": {"c": 3, "d": 2}, "a": 1}, "outputs": 5}));
        assert_eq!(first.hash, second.hash);
        let known = first.into_new("dr-1".into(), 1);
        let merged = second.merged(known, 9).unwrap();
        assert_eq!((merged.id.as_str(), merged.outputs.as_deref(), merged.updated), ("dr-1", Some("5"), 9));
    }

    #[test]
    fn what_comes_again_is_merged() {
        let known =
            given(json!({"inputs": {}, "expectations": {"a": 1}, "tags": {"x": "1"}})).into_new("dr-1".into(), 1);
        let merged =
            given(json!({"inputs": {}, "expectations": {"b": 2}, "tags": {"x": "2"}})).merged(known, 2).unwrap();
        assert_eq!(merged.expectations.as_deref(), Some(r#"{"a":1,"b":2}"#));
        assert_eq!(merged.tags.as_deref(), Some(r#"{"x":"2"}"#));
    }

    /// Records of one request become what they would be one after the other, new or known, and so does the schema.
    #[test]
    fn records_of_a_request_are_merged_as_if_each_came_alone() {
        let all = json!([
            {"inputs": {"a": 1}, "expectations": {"x": 1, "y": 1}, "source": {"source_type": "HUMAN"}},
            {"inputs": {"a": 1}, "outputs": 5, "tags": {}},
            {"inputs": {"a": 1}, "outputs": {"o": 1}, "tags": {"mlflow.user": "ada"}, "source": {"source_type": "CODE"}},
            {"inputs": {"a": 1}, "expectations": {"y": "z"}, "tags": {"mlflow.user": 7}},
            {"inputs": {"a": 1}, "outputs": null, "expectations": {}},
            {"inputs": {"a": 1}, "tags": {"mlflow.user": "eve"}},
        ]);
        let Value::Array(all) = all else { panic!() };
        for from in 0..all.len() {
            for to in from + 1..=all.len() {
                let some = &all[from..to];
                let together = || {
                    let some = some.iter().map(|one| one.as_object().unwrap().clone()).collect();
                    let mut request = Request::read(some).unwrap();
                    assert_eq!((request.records.len(), request.count), (1, (to - from) as u64));
                    (request.records.pop().unwrap(), request.learnt)
                };
                let known = given(json!({"inputs": {"a": 1}, "expectations": {"x": 0}})).into_new("dr-1".into(), 1);
                let mut wanted = known.clone();
                let mut wanted_new: Option<DatasetRecord> = None;
                for one in some {
                    wanted = given(one.clone()).merged(wanted, 9).unwrap();
                    wanted_new = Some(match wanted_new {
                        None => given(one.clone()).into_new("dr-2".into(), 9),
                        Some(before) => given(one.clone()).merged(before, 9).unwrap(),
                    });
                }
                assert_eq!(together().0.merged(known, 9).unwrap(), wanted, "{from}..{to}");
                assert_eq!(Some(together().0.into_new("dr-2".into(), 9)), wanted_new, "{from}..{to}");
                for outputs in [json!({}), json!({"p": "integer"}), json!("string")] {
                    let start = json!({"inputs": {}, "outputs": outputs, "expectations": {"y": "float"}});
                    let (mut each, mut at_once) = (Schema(start.clone()), Schema(start));
                    for one in some {
                        let mut learnt = Learnt::default();
                        learnt.learn(&given(one.clone()));
                        each.learn(learnt).unwrap();
                    }
                    at_once.learn(together().1).unwrap();
                    assert_eq!(at_once.0, each.0, "{from}..{to}");
                }
            }
        }
    }

    #[test]
    fn what_a_request_merges_is_one_record_in_size_too() {
        let half = |name: &str| json!({"inputs": {}, "expectations": {name: "x".repeat(MAX_BYTES / 2)}});
        let read = |some: Vec<Value>| Request::read(some.iter().map(|one| one.as_object().unwrap().clone()).collect());
        assert!(read(vec![half("a"), half("a")]).is_ok());
        assert!(matches!(read(vec![half("a"), half("b")]), Err(AppError::Invalid(_))));
    }

    #[test]
    fn odd_records_are_refused() {
        for value in [json!({"inputs": 5}), json!({"inputs": {}, "tags": []}), json!({"expectations": "x"})] {
            let Value::Object(fields) = value else { panic!() };
            assert!(Given::read(fields).is_err());
        }
        let Value::Object(large) = json!({"inputs": {"a": "x".repeat(MAX_BYTES)}}) else { panic!() };
        assert!(Given::read(large).is_err());
        for token in ["!", "QQ", "YTpi"] {
            assert!(read_token(token).is_err(), "{token}");
        }
    }
}
