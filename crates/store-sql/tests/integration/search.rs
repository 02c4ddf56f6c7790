//! Searches against the same search done by hand.

use std::cmp::Ordering;
use std::sync::Arc;

use proptest::prelude::*;
use sealyard_core::Timestamp;
use sealyard_store::model::{
    Comparison, Condition, Field, Metric, NewRun, Operand, OrderBy, Pair, Run, RunBatch, RunQuery,
};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

const KEYS: [&str; 2] = ["a", "b'\"`"];

fn texts() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["", "x", "X", "xy", "%", "é"]).prop_map(str::to_owned)
}

fn numbers() -> impl Strategy<Value = f64> {
    prop::sample::select(vec![-1.5, 0.0, 2.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN])
}

fn field() -> impl Strategy<Value = Field> {
    let key = || prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        key().prop_map(Field::Metric),
        key().prop_map(Field::Parameter),
        key().prop_map(Field::Tag),
        Just(Field::Attribute("start_time")),
        Just(Field::Attribute("run_name")),
    ]
}

fn condition() -> impl Strategy<Value = Condition> {
    use Comparison::{Equal, Greater, GreaterOrEqual, IsNotNull, IsNull, Less, LessOrEqual, Like, NotEqual};
    let common = vec![Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual, IsNull, IsNotNull];
    let comparison = prop::sample::select([common, vec![Like]].concat());
    let finite = numbers().prop_filter("a filter has no NaN", |number| !number.is_nan());
    (field(), comparison, texts(), finite).prop_map(|(field, comparison, text, number)| {
        let numeric = matches!(field, Field::Metric(_) | Field::Attribute("start_time"));
        let comparison = if numeric && comparison == Like { Equal } else { comparison };
        let operand = match comparison {
            IsNull | IsNotNull => Operand::None,
            _ if numeric => Operand::Number(number),
            _ => Operand::Text(text),
        };
        Condition { field, comparison, operand }
    })
}

type Row = (i64, String, [Option<f64>; 2], [Option<String>; 2], [Option<String>; 2]);

fn row() -> impl Strategy<Value = Row> {
    let some = || prop::option::of(texts());
    let metric = || prop::option::of(numbers());
    (-2..3_i64, texts(), [metric(), metric()], [some(), some()], [some(), some()])
}

#[derive(Debug, Clone)]
enum Value {
    Number(f64),
    Text(String),
}

fn value(run: &Run, field: &Field) -> Option<Value> {
    let pair = |pairs: &[Pair], key: &str| {
        pairs.iter().find(|pair| pair.key == key).map(|pair| Value::Text(pair.value.clone()))
    };
    match field {
        Field::Attribute("start_time") => Some(Value::Number(run.start.as_millis() as f64)),
        Field::Attribute(_) => Some(Value::Text(run.name.clone())),
        Field::Metric(key) => {
            run.data.metrics.iter().find(|metric| metric.key == *key).map(|metric| Value::Number(metric.value))
        }
        Field::Parameter(key) => pair(&run.data.params, key),
        Field::Tag(key) => pair(&run.data.tags, key),
        Field::Dataset(_) | Field::MetricOn(..) => None,
    }
}

fn holds(run: &Run, condition: &Condition) -> bool {
    use Comparison::{Equal, Greater, GreaterOrEqual, IsNotNull, IsNull, Less, LessOrEqual, Like, NotEqual};
    let found = value(run, &condition.field);
    let ordering = match (&found, &condition.operand) {
        (None, _) => return condition.comparison == IsNull,
        (Some(Value::Number(found)), Operand::Number(wanted)) => found.partial_cmp(wanted),
        (Some(Value::Text(found)), Operand::Text(wanted)) => {
            if condition.comparison == Like {
                return if wanted == "%" { true } else { found == wanted };
            }
            Some(found.as_bytes().cmp(wanted.as_bytes()))
        }
        _ => return condition.comparison == IsNotNull,
    };
    match condition.comparison {
        Equal => ordering == Some(Ordering::Equal),
        NotEqual => ordering != Some(Ordering::Equal),
        Less => ordering == Some(Ordering::Less),
        LessOrEqual => matches!(ordering, Some(Ordering::Less | Ordering::Equal)),
        Greater => ordering == Some(Ordering::Greater),
        GreaterOrEqual => matches!(ordering, Some(Ordering::Greater | Ordering::Equal)),
        _ => false,
    }
}

fn compare(left: &Run, right: &Run, order: &[OrderBy]) -> Ordering {
    for OrderBy { field, ascending } in order {
        // Values, then NaN, then what is not there, in either direction.
        let rank = |found: &Option<Value>| match found {
            Some(Value::Number(number)) if number.is_nan() => 1,
            Some(_) => 0,
            None => 2,
        };
        let (one, other) = (value(left, field), value(right, field));
        let by_rank = rank(&one).cmp(&rank(&other));
        let by_value = match (one, other) {
            (Some(Value::Number(one)), Some(Value::Number(other))) => {
                one.partial_cmp(&other).unwrap_or(Ordering::Equal)
            }
            (Some(Value::Text(one)), Some(Value::Text(other))) => one.as_bytes().cmp(other.as_bytes()),
            _ => Ordering::Equal,
        };
        let by_value = if *ascending { by_value } else { by_value.reverse() };
        match by_rank.then(by_value) {
            Ordering::Equal => {}
            decided => return decided,
        }
    }
    right.start.cmp(&left.start).then_with(|| left.id.cmp(&right.id))
}

fn make(rows: &[Row], tx: &mut dyn sealyard_store::Transaction) -> Result<(), StoreError> {
    for (number, (start, name, metrics, params, tags)) in rows.iter().enumerate() {
        // Ids say nothing of the order of creation.
        let id = format!("{:032x}", (number * 7) % 16);
        let pairs = |values: &[Option<String>; 2]| {
            let pairs = KEYS.iter().zip(values).filter_map(|(key, value)| Some(Pair::new(*key, value.clone()?)));
            pairs.collect::<Vec<_>>()
        };
        tx.create_run(&NewRun {
            id: id.clone(),
            experiment_id: "0".into(),
            name: name.clone(),
            user: String::new(),
            created_by: String::new(),
            start: Timestamp::from_millis(*start),
            tags: pairs(tags),
        })?;
        let metric = |(key, value): (&&str, &Option<f64>)| {
            Some(Metric {
                key: (*key).to_owned(),
                value: (*value)?,
                timestamp: 0,
                step: 0,
                model_id: None,
                dataset_name: None,
                dataset_digest: None,
            })
        };
        let metrics = KEYS.iter().zip(metrics).filter_map(metric).collect();
        tx.log_batch(&id, &RunBatch { metrics, params: pairs(params), tags: vec![] })?;
    }
    Ok(())
}

type Wanted = (Vec<Condition>, Vec<(Field, bool)>);

/// Runs, and what is looked for among them.
#[derive(Debug, Clone)]
pub(crate) struct Searches {
    rows: Vec<Row>,
    searches: Vec<Wanted>,
    limit: u32,
}

pub(crate) fn cases() -> impl Strategy<Value = Searches> {
    let wanted = (prop::collection::vec(condition(), 0..3), prop::collection::vec((field(), any::<bool>()), 0..3));
    (prop::collection::vec(row(), 1..16), prop::collection::vec(wanted, 1..12), 1_u32..20)
        .prop_map(|(rows, searches, limit)| Searches { rows, searches, limit })
}

/// Whether the empty `store` finds what a look at every run finds, in its order, page by page.
pub(crate) fn agree(store: &Arc<dyn Store>, case: Searches) -> Result<(), TestCaseError> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let found = runtime.block_on(store.write(move |tx| {
        make(&case.rows, tx)?;
        let everything = RunQuery { experiments: vec!["0".into()], limit: 1000, ..RunQuery::default() };
        let all = tx.search_runs(&everything)?.items;
        let mut outcomes = Vec::new();
        for (filter, order) in case.searches {
            let order: Vec<_> = order.into_iter().map(|(field, ascending)| OrderBy { field, ascending }).collect();
            let mut expected: Vec<&Run> =
                all.iter().filter(|run| filter.iter().all(|condition| holds(run, condition))).collect();
            expected.sort_by(|left, right| compare(left, right, &order));
            let expected: Vec<String> = expected.into_iter().map(|run| run.id.clone()).collect();
            let query = RunQuery { filter, order, limit: case.limit, ..everything.clone() };
            let mut ids = Vec::new();
            let mut after = None;
            loop {
                let page = tx.search_runs(&RunQuery { after, ..query.clone() })?;
                ids.extend(page.items.into_iter().map(|run| run.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            outcomes.push((query, expected, ids));
        }
        Ok::<_, StoreError>(outcomes)
    }));
    for (query, expected, ids) in found.unwrap() {
        prop_assert_eq!(ids, expected, "{:?}", query);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_search_finds_what_a_look_at_every_run_finds(case in cases()) {
        let directory = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&directory.path().join("catalog.db"), SqliteOptions::default()).unwrap());
        agree(&store, case)?;
    }
}
