use super::runs::metric;
use super::{new_run, time};
use crate::model::{
    Comparison, Condition, DatasetInput, Field, NewExperiment, NewRun, Operand, OrderBy, Pair, RunBatch, RunQuery,
};
use crate::{StoreError, Transaction};

/// Runs `a` to `d`: metric `rmse` 1, 2, NaN and none; parameter `kind`; tag `note`.
fn four_runs(tx: &mut dyn Transaction) {
    let values = [
        ("a", Some(1.0), "Ridge", "good"),
        ("b", Some(2.0), "ridge", "100%"),
        ("c", Some(f64::NAN), "Lasso", "bad"),
        ("d", None, "Lasso", ""),
    ];
    for ((id, value, kind, note), start) in values.into_iter().zip(1..) {
        tx.create_run(&new_run(id, start)).unwrap();
        let batch = RunBatch {
            metrics: value.map(|value| metric("rmse", value, 1, 0)).into_iter().collect(),
            params: vec![Pair::new("kind", kind)],
            tags: if note.is_empty() { vec![] } else { vec![Pair::new("note", note)] },
        };
        tx.log_batch(id, &batch).unwrap();
    }
}

fn when(field: Field, comparison: Comparison, operand: Operand) -> Condition {
    Condition { field, comparison, operand }
}

fn text(text: &str) -> Operand {
    Operand::Text(text.into())
}

fn query(filter: Vec<Condition>) -> RunQuery {
    RunQuery { experiments: vec!["0".into()], filter, limit: 100, ..RunQuery::default() }
}

fn ids(tx: &mut dyn Transaction, query: &RunQuery) -> String {
    tx.search_runs(query).unwrap().items.into_iter().map(|run| run.id).collect()
}

fn found(tx: &mut dyn Transaction, condition: Condition) -> String {
    let by_id = OrderBy { field: Field::Attribute("run_id"), ascending: true };
    ids(tx, &RunQuery { order: vec![by_id], ..query(vec![condition]) })
}

pub(super) fn filters(tx: &mut dyn Transaction) {
    use Comparison::{Equal, Greater, GreaterOrEqual, In, IsNotNull, IsNull, Less, LessOrEqual, NotEqual, NotIn};
    four_runs(tx);
    let rmse = || Field::Metric("rmse".into());
    for (comparison, number, expected) in [
        (Equal, 1.0, "a"),
        (NotEqual, 1.0, "bc"),
        (Less, 2.0, "a"),
        (LessOrEqual, 2.0, "ab"),
        (Greater, -1.0, "ab"),
        (GreaterOrEqual, 2.0, "b"),
    ] {
        assert_eq!(found(tx, when(rmse(), comparison, Operand::Number(number))), expected, "{comparison:?}");
    }
    assert_eq!(found(tx, when(rmse(), IsNull, Operand::None)), "d");
    let note = || Field::Tag("note".into());
    assert_eq!(found(tx, when(note(), IsNull, Operand::None)), "d");
    assert_eq!(found(tx, when(note(), IsNotNull, Operand::None)), "abc");
    assert_eq!(found(tx, when(note(), NotEqual, text("good"))), "bc");
    assert_eq!(found(tx, when(Field::Parameter("kind".into()), Equal, text("Lasso"))), "cd");
    let some = Operand::List(vec!["a".into(), "d".into(), "z".into()]);
    assert_eq!(found(tx, when(Field::Attribute("run_id"), In, some.clone())), "ad");
    assert_eq!(found(tx, when(Field::Attribute("run_id"), NotIn, some)), "bc");
    assert_eq!(found(tx, when(Field::Attribute("start_time"), Greater, Operand::Number(2.0))), "cd");
    assert_eq!(found(tx, when(Field::Attribute("status"), Equal, text("RUNNING"))), "abcd");
    let both = vec![when(rmse(), Greater, Operand::Number(0.0)), when(note(), Equal, text("good"))];
    assert_eq!(ids(tx, &query(both)), "a");
}

pub(super) fn like_tells_cases_apart(tx: &mut dyn Transaction) {
    four_runs(tx);
    let kind = || Field::Parameter("kind".into());
    assert_eq!(found(tx, when(kind(), Comparison::Like, text("R%"))), "a");
    assert_eq!(found(tx, when(kind(), Comparison::ILike, text("R%"))), "ab");
    assert_eq!(found(tx, when(kind(), Comparison::Like, text("_asso"))), "cd");
    assert_eq!(found(tx, when(Field::Attribute("run_name"), Comparison::Like, text("%n d"))), "d");
    let endless = Operand::Text("%".repeat(10_000));
    assert!(matches!(
        tx.search_runs(&query(vec![when(kind(), Comparison::Like, endless)])),
        Err(StoreError::Invalid(_))
    ));
}

pub(super) fn text_is_never_sql(tx: &mut dyn Transaction) {
    four_runs(tx);
    for hostile in ["' OR '1'='1", "x\") OR 1=1 --", "a' UNION SELECT 1; DROP TABLE runs; --", "?1", "$1"] {
        for field in [Field::Metric(hostile.into()), Field::Parameter(hostile.into()), Field::Tag(hostile.into())] {
            let condition = when(field.clone(), Comparison::IsNotNull, Operand::None);
            assert_eq!(found(tx, condition), "", "{hostile}");
            let order = vec![OrderBy { field, ascending: true }];
            assert_eq!(ids(tx, &RunQuery { order, ..query(vec![]) }), "dcba", "{hostile}");
        }
        for field in [Field::Parameter("kind".into()), Field::Attribute("run_id")] {
            for comparison in [Comparison::Equal, Comparison::Like, Comparison::ILike] {
                assert_eq!(found(tx, when(field.clone(), comparison, text(hostile))), "", "{hostile}");
            }
            let list = Operand::List(vec![hostile.into()]);
            assert_eq!(found(tx, when(field, Comparison::In, list)), "", "{hostile}");
        }
    }
    assert_eq!(ids(tx, &query(vec![])), "dcba");
}

pub(super) fn order_is_total(tx: &mut dyn Transaction) {
    four_runs(tx);
    let by = |field: Field, ascending| RunQuery { order: vec![OrderBy { field, ascending }], ..query(vec![]) };
    assert_eq!(ids(tx, &query(vec![])), "dcba");
    assert_eq!(ids(tx, &by(Field::Attribute("start_time"), true)), "abcd");
    assert_eq!(ids(tx, &by(Field::Parameter("kind".into()), true)), "dcab");
    assert_eq!(ids(tx, &by(Field::Parameter("kind".into()), false)), "badc");
    assert_eq!(ids(tx, &by(Field::Tag("note".into()), true)), "bcad");
    assert_eq!(ids(tx, &by(Field::Tag("note".into()), false)), "acbd");
    for id in ["y", "x", "z"] {
        tx.create_run(&new_run(id, 9)).unwrap();
    }
    assert_eq!(ids(tx, &query(vec![])), "xyzdcba", "of the same start the lowest id comes first");
    assert_eq!(ids(tx, &by(Field::Attribute("start_time"), true)), "abcdxyz");
}

pub(super) fn not_a_number_sorts_after_numbers(tx: &mut dyn Transaction) {
    four_runs(tx);
    let by = |ascending| {
        let field = Field::Metric("rmse".into());
        RunQuery { order: vec![OrderBy { field, ascending }], ..query(vec![]) }
    };
    assert_eq!(ids(tx, &by(true)), "abcd");
    assert_eq!(ids(tx, &by(false)), "bacd");
}

pub(super) fn pages(tx: &mut dyn Transaction) {
    four_runs(tx);
    let orders = [
        (vec![], "dcba"),
        (vec![OrderBy { field: Field::Metric("rmse".into()), ascending: false }], "bacd"),
        (vec![OrderBy { field: Field::Parameter("kind".into()), ascending: true }], "dcab"),
        (vec![OrderBy { field: Field::Attribute("end_time"), ascending: true }], "dcba"),
    ];
    for (order, expected) in orders {
        for limit in 1..5 {
            let mut after = None;
            let mut all = String::new();
            loop {
                let page = tx.search_runs(&RunQuery { limit, after, order: order.clone(), ..query(vec![]) }).unwrap();
                assert!(page.items.len() <= limit as usize);
                all.extend(page.items.into_iter().map(|run| run.id));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
            assert_eq!(all, expected, "{order:?} by {limit}");
        }
    }
}

/// Runs that began together are turned over in the order of their ids, whatever else sorts them.
pub(super) fn pages_of_one_start(tx: &mut dyn Transaction) {
    for id in ["g", "c", "f", "a", "e", "b", "d"] {
        tx.create_run(&new_run(id, 5)).unwrap();
        let batch = RunBatch {
            metrics: vec![metric("rmse", 1.0, 1, 0)],
            params: vec![Pair::new("kind", "Lasso")],
            tags: vec![],
        };
        tx.log_batch(id, &batch).unwrap();
    }
    let orders = [None, Some(Field::Metric("rmse".into())), Some(Field::Attribute("start_time"))];
    let filters = [vec![], vec![when(Field::Parameter("kind".into()), Comparison::Equal, text("Lasso"))]];
    for (field, filter) in orders.iter().flat_map(|order| filters.iter().map(move |filter| (order, filter))) {
        for (limit, ascending) in (1..5).flat_map(|limit| [(limit, true), (limit, false)]) {
            let order = field.iter().map(|field| OrderBy { field: field.clone(), ascending }).collect();
            let mut page = RunQuery { limit, order, ..query(filter.clone()) };
            let mut all = String::new();
            loop {
                let found = tx.search_runs(&page).unwrap();
                all.extend(found.items.into_iter().map(|run| run.id));
                page.after = found.next;
                if page.after.is_none() {
                    break;
                }
            }
            assert_eq!(all, "abcdefg", "{page:?}");
        }
    }
}

/// What is added or removed while somebody turns pages shows nothing twice and hides nothing else.
pub(super) fn pages_stand_still(tx: &mut dyn Transaction) {
    four_runs(tx);
    let first = tx.search_runs(&RunQuery { limit: 2, ..query(vec![]) }).unwrap();
    let seen: String = first.items.iter().map(|run| run.id.as_str()).collect();
    assert_eq!(seen, "dc");
    tx.create_run(&new_run("newer", 9)).unwrap();
    let bin = crate::model::RunUpdate { lifecycle: Some(crate::model::Lifecycle::Deleted), ..Default::default() };
    tx.update_run("d", &bin).unwrap();
    let second = tx.search_runs(&RunQuery { limit: 2, after: first.next, ..query(vec![]) }).unwrap();
    let seen: String = second.items.iter().map(|run| run.id.as_str()).collect();
    assert_eq!((seen.as_str(), second.next), ("ba", None));
}

/// A place of another order is refused, not guessed at.
pub(super) fn a_place_of_another_order_is_refused(tx: &mut dyn Transaction) {
    four_runs(tx);
    let first = tx.search_runs(&RunQuery { limit: 1, ..query(vec![]) }).unwrap();
    let order = vec![OrderBy { field: Field::Metric("rmse".into()), ascending: true }];
    let other = tx.search_runs(&RunQuery { order, after: first.next, ..query(vec![]) });
    assert!(matches!(other, Err(StoreError::Invalid(_))), "{other:?}");
}

pub(super) fn only_the_asked_experiments(tx: &mut dyn Transaction) {
    four_runs(tx);
    let other = tx.create_experiment(&NewExperiment { name: "other".into(), tags: vec![], created: time(1) }).unwrap();
    tx.create_run(&NewRun { experiment_id: other.id.clone(), ..new_run("e", 9) }).unwrap();
    let within = |experiments: Vec<String>| RunQuery { experiments, ..query(vec![]) };
    assert_eq!(ids(tx, &within(vec![other.id.clone()])), "e");
    assert_eq!(ids(tx, &within(vec!["0".into(), other.id])), "edcba");
    assert_eq!(ids(tx, &within(vec![])), "");
    assert_eq!(ids(tx, &within(vec!["00".into(), "0 OR 1=1".into()])), "");
}

pub(super) fn datasets(tx: &mut dyn Transaction) {
    four_runs(tx);
    let dataset = DatasetInput {
        name: "diabetes".into(),
        digest: "abc".into(),
        source_type: "local".into(),
        source: "{}".into(),
        schema: None,
        profile: None,
        tags: vec![Pair::new("mlflow.data.context", "training")],
    };
    tx.log_inputs("b", &[dataset], &[]).unwrap();
    for (name, value) in [("name", "diabetes"), ("digest", "abc"), ("context", "training")] {
        assert_eq!(found(tx, when(Field::Dataset(name), Comparison::Equal, text(value))), "b");
        assert_eq!(found(tx, when(Field::Dataset(name), Comparison::In, Operand::List(vec![value.into()]))), "b");
        assert_eq!(found(tx, when(Field::Dataset(name), Comparison::Equal, text("other"))), "");
    }
}

pub(super) fn unknown_fields_are_refused(tx: &mut dyn Transaction) {
    let field = Field::Attribute("1; DROP TABLE runs");
    let filter = query(vec![when(field.clone(), Comparison::Equal, text("x"))]);
    assert!(matches!(tx.search_runs(&filter), Err(StoreError::Invalid(_))));
    let order = RunQuery { order: vec![OrderBy { field, ascending: true }], ..query(vec![]) };
    assert!(matches!(tx.search_runs(&order), Err(StoreError::Invalid(_))));
    let like = when(Field::Metric("a".into()), Comparison::Like, text("x"));
    assert!(matches!(tx.search_runs(&query(vec![like])), Err(StoreError::Invalid(_))));
    let many = vec![when(Field::Attribute("status"), Comparison::IsNull, Operand::None); 1000];
    assert!(matches!(tx.search_runs(&query(many)), Err(StoreError::Invalid(_))));
}
