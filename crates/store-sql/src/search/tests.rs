//! That each kind of search is answered by the index that is there for it.

use rusqlite::Connection;
use sealyard_core::Timestamp;
use sealyard_store::model::{
    Comparison, Condition, CursorValue, Field, Metric, NewRun, Operand, OrderBy, Pair, RunBatch, RunQuery, ViewType,
};
use sealyard_store::{Experiments as _, Runs as _, Transaction as _};

use super::FEW;
use crate::session::Session;
use crate::sqlite::migrate;

fn database() -> Connection {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::sqlite::like::register(&connection).unwrap();
    migrate::migrate(&mut connection, Timestamp::from_millis(0)).unwrap();
    connection
}

/// Enough runs that no condition holds for few.
fn many(connection: &Connection) {
    connection
        .execute_batch(&format!(
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {})
             INSERT INTO runs (number, id, experiment, name, \"user\", created_by, status, started)
                 SELECT n, printf('%032x', n), 0, 'run', 'u', 'u', 'RUNNING', n FROM n;
             INSERT INTO run_params (run, key, value, experiment, started) SELECT number, 'p', 'x', 0, started FROM runs;
             INSERT INTO run_tags (run, key, value, experiment, started) SELECT number, 't', 'x', 0, started FROM runs;
             INSERT INTO latest_metrics (run, key, step, timestamp, value, nan, experiment, started)
                 SELECT number, 'm', 0, 0, number / 7.0, 0, 0, started FROM runs;",
            FEW + 1000
        ))
        .unwrap();
}

fn when(field: Field, comparison: Comparison, operand: Operand) -> Condition {
    Condition { field, comparison, operand }
}

fn text(text: &str) -> Operand {
    Operand::Text(text.into())
}

fn query(filter: Vec<Condition>, order: Vec<OrderBy>) -> RunQuery {
    RunQuery { experiments: vec!["0".into()], filter, order, limit: 10, ..RunQuery::default() }
}

fn by(field: Field, ascending: bool) -> Vec<OrderBy> {
    vec![OrderBy { field, ascending }]
}

fn explain(connection: &Connection, query: &RunQuery) -> String {
    Session::sqlite(connection).explain_runs(query).unwrap().join("\n")
}

#[track_caller]
fn uses(explained: &str, index: &str) {
    assert!(explained.contains(index), "{index}: {explained}");
    // A scan of a subquery's few rows is none of the table.
    for table in ["SCAN t\n", "SCAN o\n", "SCAN t USING", "SCAN o USING"] {
        assert!(!explained.contains(table), "{explained}");
    }
}

#[track_caller]
fn sorts_nothing(explained: &str) {
    assert!(!explained.contains("USE TEMP B-TREE FOR ORDER BY"), "{explained}");
}

/// The index has no ids: runs of one value and one start are sorted by these.
#[track_caller]
fn sorts_only_runs_of_one_start(explained: &str) {
    for statement in explained.split("statement: ").filter(|statement| statement.contains("TEMP B-TREE FOR ORDER BY")) {
        assert!(statement.contains("started=?") && statement.contains("ORDER BY t.id ASC"), "{statement}");
    }
}

#[test]
fn the_newest_runs_come_from_their_index() {
    let connection = database();
    many(&connection);
    let first = query(vec![], vec![]);
    let next = Session::sqlite(&connection).search_runs(&first).unwrap().next;
    for page in [first.clone(), RunQuery { after: next, ..first }] {
        let explained = explain(&connection, &page);
        uses(&explained, "runs_by_start");
        sorts_nothing(&explained);
        assert!(!explained.contains("TEMP B-TREE"), "{explained}");
    }
}

#[test]
fn a_value_that_many_have_gives_its_newest_runs_without_a_sort() {
    let connection = database();
    many(&connection);
    for (field, index) in
        [(Field::Parameter("p".into()), "run_params_by_value"), (Field::Tag("t".into()), "run_tags_by_value")]
    {
        let first = query(vec![when(field, Comparison::Equal, text("x"))], vec![]);
        let next = Session::sqlite(&connection).search_runs(&first).unwrap().next;
        assert!(next.is_some());
        for page in [first.clone(), RunQuery { after: next, ..first }] {
            let explained = explain(&connection, &page);
            uses(&explained, index);
            sorts_only_runs_of_one_start(&explained);
        }
    }
}

#[test]
fn what_few_have_is_found_by_it() {
    let connection = database();
    many(&connection);
    let mut session = Session::sqlite(&connection);
    let rare = "f".repeat(32);
    let new = NewRun {
        id: rare.clone(),
        experiment_id: "0".into(),
        name: "rare name".into(),
        user: "somebody".into(),
        created_by: String::new(),
        start: Timestamp::from_millis(3),
        tags: vec![],
    };
    session.create_run(&new).unwrap();
    let metric = Metric {
        key: "rare".into(),
        value: 1.0,
        timestamp: 0,
        step: 0,
        model_id: None,
        dataset_name: None,
        dataset_digest: None,
    };
    let long = "long".repeat(100);
    let params = vec![Pair::new("rare", "yes"), Pair::new("long", &long)];
    session.log_batch(&rare, &RunBatch { metrics: vec![metric], params, tags: vec![] }).unwrap();
    let found = [
        (when(Field::Metric("rare".into()), Comparison::Greater, Operand::Number(0.5)), "latest_metrics_by_value"),
        (when(Field::Parameter("rare".into()), Comparison::Like, text("ye%")), "run_params_by_value"),
        (when(Field::Parameter("long".into()), Comparison::Equal, text(&long)), "run_params_by_value"),
        (when(Field::Attribute("run_name"), Comparison::Like, text("rare%")), "runs_by_name"),
        (when(Field::Attribute("user_id"), Comparison::Equal, text("somebody")), "runs_by_user"),
        (when(Field::Attribute("run_id"), Comparison::Equal, text(&rare)), "sqlite_autoindex_runs_1"),
        (
            when(Field::Attribute("run_id"), Comparison::In, Operand::List(vec![rare.clone()])),
            "sqlite_autoindex_runs_1",
        ),
    ];
    for (condition, index) in found {
        // Also where another condition holds for many, and in any order.
        let common = when(Field::Tag("t".into()), Comparison::Without, text("y"));
        let query = query(vec![common, condition.clone()], by(Field::Metric("m".into()), true));
        let explained = explain(&connection, &query);
        uses(&explained, index);
        assert!(explained.contains("plan: few"), "{explained}");
        let ids: Vec<_> = session.search_runs(&query).unwrap().items.into_iter().map(|run| run.id).collect();
        assert_eq!(ids, std::slice::from_ref(&rare), "{condition:?}");
    }
    // A head that is shared is not the whole text.
    let other = when(Field::Parameter("long".into()), Comparison::Equal, text(&format!("{long}er")));
    assert!(session.search_runs(&query(vec![other], vec![])).unwrap().items.is_empty());
}

#[test]
fn orders_by_anything_come_from_an_index() {
    let connection = database();
    many(&connection);
    let orders = [
        (Field::Metric("m".into()), "latest_metrics_by_value"),
        (Field::Parameter("p".into()), "run_params_by_value"),
        (Field::Tag("t".into()), "run_tags_by_value"),
        (Field::Attribute("end_time"), "runs_by_end"),
        (Field::Attribute("run_name"), "runs_by_name"),
        (Field::Attribute("status"), "runs_by_status"),
        (Field::Attribute("user_id"), "runs_by_user"),
    ];
    for (field, index) in orders {
        for ascending in [true, false] {
            let first = query(vec![], by(field.clone(), ascending));
            let next = Session::sqlite(&connection).search_runs(&first).unwrap().next;
            for page in [first.clone(), RunQuery { after: next, ..first }] {
                let explained = explain(&connection, &page);
                uses(&explained, index);
                sorts_nothing(&explained);
            }
        }
    }
}

#[test]
fn a_filter_on_what_sorts_ends_with_what_has_it() {
    let connection = database();
    many(&connection);
    let filter = vec![when(Field::Metric("m".into()), Comparison::Less, Operand::Number(1.0))];
    let page = RunQuery { limit: 1000, ..query(filter, by(Field::Metric("m".into()), false)) };
    let explained = explain(&connection, &page);
    assert_eq!(Session::sqlite(&connection).search_runs(&page).unwrap().items.len(), 6);
    assert!(!explained.contains("NOT EXISTS"), "{explained}");
}

#[test]
fn several_experiments_are_merged_and_a_bin_too() {
    let connection = database();
    connection
        .execute_batch(
            "INSERT INTO experiments (number, key, name, created, updated)
             WITH RECURSIVE other (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM other WHERE number < 499)
             SELECT number, '0/e' || number, 'e' || number, 0, 0 FROM other",
        )
        .unwrap();
    many(&connection);
    connection.execute_batch("UPDATE runs SET deleted = 1 WHERE number % 2 = 0").unwrap();
    let page = RunQuery { experiments: vec!["0".into(), "7".into()], view: ViewType::All, ..query(vec![], vec![]) };
    let explained = explain(&connection, &page);
    uses(&explained, "runs_by_start");
    let found = Session::sqlite(&connection).search_runs(&page).unwrap();
    let starts: Vec<i64> = found.items.iter().map(|run| run.start.as_millis()).collect();
    let newest = FEW + 1000;
    assert_eq!(starts, ((newest - 9)..=newest).rev().collect::<Vec<_>>());
    let all = RunQuery { experiments: (0..500).map(|id: i64| id.to_string()).collect(), ..query(vec![], vec![]) };
    let explained = explain(&connection, &all);
    uses(&explained, "runs_of_all");
    assert!(!explained.contains("TEMP B-TREE"), "{explained}");
}

#[test]
fn an_explanation_says_that_a_substring_is_slow() {
    let connection = database();
    many(&connection);
    let slow = query(vec![when(Field::Parameter("p".into()), Comparison::Like, text("%x%"))], vec![]);
    let explained = explain(&connection, &slow);
    assert!(explained.contains("no index answers it"), "{explained}");
    assert!(explained.contains("plan: walk"), "{explained}");
}

#[test]
fn a_place_is_the_rows_own_values() {
    let connection = database();
    many(&connection);
    let page =
        Session::sqlite(&connection).search_runs(&query(vec![], by(Field::Parameter("p".into()), true))).unwrap();
    let place = page.next.unwrap().0;
    let last = FEW + 1000 - 9;
    let expected = [
        CursorValue::Integer(0),
        CursorValue::Text("x".into()),
        CursorValue::Integer(last),
        CursorValue::Text(format!("{last:032x}")),
    ];
    assert_eq!(place, expected);
}

/// A catalog of the first release, with runs in it, is brought forward with its values.
#[test]
fn an_older_catalog_is_upgraded_with_what_it_holds() {
    let mut connection = Connection::open_in_memory().unwrap();
    crate::sqlite::like::register(&connection).unwrap();
    connection.execute_batch(include_str!("../../migrations/sqlite/0001_catalog.sql")).unwrap();
    connection
        .execute_batch(
            "INSERT INTO experiments (number, name, created, updated) VALUES (0, 'Default', 1, 1), (5, 'five', 1, 1);
             INSERT INTO runs (number, id, experiment, name, user, created_by, status, started)
                 VALUES (3, 'r', 5, 'n', 'u', 'u', 'FINISHED', 77);
             INSERT INTO run_params VALUES (3, 'p', 'x');
             INSERT INTO run_tags VALUES (3, 't', 'y');
             INSERT INTO latest_metrics (run, key, step, timestamp, value, nan) VALUES (3, 'm', 0, 0, 1.5, 0);
             PRAGMA user_version = 1;",
        )
        .unwrap();
    migrate::migrate(&mut connection, Timestamp::from_millis(9)).unwrap();
    let mut session = Session::sqlite(&connection);
    assert_eq!(session.experiment_by_name("five").unwrap().unwrap().id, "5");
    session.enter(1);
    assert!(session.experiment_by_name("five").unwrap().is_none() && session.run("r").unwrap().is_none());
    session.enter(0);
    for condition in [
        when(Field::Parameter("p".into()), Comparison::Equal, text("x")),
        when(Field::Tag("t".into()), Comparison::Equal, text("y")),
        when(Field::Metric("m".into()), Comparison::Greater, Operand::Number(1.0)),
    ] {
        let found =
            session.search_runs(&RunQuery { experiments: vec!["5".into()], ..query(vec![condition], vec![]) }).unwrap();
        assert_eq!(found.items.len(), 1);
        assert_eq!(found.items[0].start.as_millis(), 77);
    }
}
