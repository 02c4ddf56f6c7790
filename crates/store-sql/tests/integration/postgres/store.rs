use std::sync::Arc;
use std::time::Duration;

use sealyard_core::Timestamp;
use sealyard_store::model::{Comparison, Condition, Field, Metric, NewRun, Operand, Pair, RunBatch, RunQuery};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{PostgresOptions, PostgresStore, PostgresUrl};

use super::server::Server;

async fn store() -> Arc<dyn Store> {
    let url = Server::shared().empty().await;
    Arc::new(PostgresStore::open(&url, PostgresOptions { readers: 2, ..PostgresOptions::default() }).unwrap())
}

fn run(id: &str, name: &str) -> NewRun {
    NewRun {
        id: id.into(),
        experiment_id: "0".into(),
        name: name.into(),
        user: "eve".into(),
        created_by: "eve".into(),
        start: Timestamp::from_millis(1),
        tags: vec![],
    }
}

fn metric(key: &str, value: f64, step: i64, timestamp: i64) -> Metric {
    Metric { key: key.into(), value, timestamp, step, model_id: None, dataset_name: None, dataset_digest: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_on_one_database_write_one_at_a_time() {
    let url = Server::shared().empty().await;
    let options = || PostgresOptions { readers: 1, ..PostgresOptions::default() };
    let stores: Vec<Arc<dyn Store>> =
        (0..3).map(|_| Arc::new(PostgresStore::open(&url, options()).unwrap()) as Arc<dyn Store>).collect();
    let writes = (0..300).map(|number: usize| {
        stores[number % 3].write(|tx| {
            let count: u32 = tx.setting("count")?.map_or(0, |count| count.parse().unwrap());
            tx.put_setting("count", &(count + 1).to_string())
        })
    });
    for outcome in futures::future::join_all(writes).await {
        outcome.unwrap();
    }
    for store in &stores {
        assert_eq!(store.read(|tx| tx.setting("count")).await.unwrap().as_deref(), Some("300"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nul_character_is_refused_and_not_a_failure() {
    let store = store().await;
    for case in 0..3 {
        let refused = store
            .write(move |tx| match case {
                0 => tx.create_run(&run("a", "nul \0")).map(drop),
                1 => tx.experiment_by_name("\0").map(drop),
                _ => {
                    tx.create_run(&run("b", "b"))?;
                    tx.log_batch("b", &RunBatch { params: vec![Pair::new("k", "\0")], ..RunBatch::default() })
                }
            })
            .await;
        assert!(matches!(refused, Err(StoreError::Invalid(_))), "{case}: {refused:?}");
    }
    assert!(store.read(|tx| tx.run("b")).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn extreme_numbers_come_back_as_they_went() {
    let store = store().await;
    let numbers =
        [f64::MAX, f64::MIN, f64::MIN_POSITIVE, 5e-324, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.1, -0.0, 1e-17];
    let back = store
        .write(move |tx| {
            tx.create_run(&run("a", "a"))?;
            let metrics = numbers.iter().enumerate().map(|(at, value)| metric("m", *value, at as i64, i64::MAX));
            let edges = [i64::MIN, i64::MAX].map(|step| metric("edge", 1.0, step, step));
            let metrics = metrics.chain(edges).collect();
            tx.log_batch("a", &RunBatch { metrics, ..RunBatch::default() })?;
            let edges = tx.metric_history("a", "edge", 10, None)?.items;
            assert_eq!(edges.iter().map(|edge| edge.step).collect::<Vec<_>>(), [i64::MIN, i64::MAX]);
            Ok::<_, StoreError>(tx.metric_history("a", "m", 100, None)?.items)
        })
        .await
        .unwrap();
    assert_eq!(back.len(), numbers.len());
    for (metric, number) in back.iter().zip(numbers) {
        assert!(metric.value == number || metric.value.is_nan() && number.is_nan(), "{number}: {}", metric.value);
        assert_eq!(metric.timestamp, i64::MAX);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_statement_undoes_its_work_whatever_the_work_says() {
    let store = store().await;
    let outcome = store
        .write(|tx| {
            tx.put_setting("a", "1")?;
            let _ = tx
                .put_setting("b", "2")
                .and_then(|()| tx.put_setting(&"x".repeat(50_000_000), "too long for an index"));
            Ok::<_, StoreError>(())
        })
        .await;
    assert!(matches!(outcome, Err(StoreError::Undone)), "{outcome:?}");
    assert_eq!(store.read(|tx| tx.setting("a")).await.unwrap(), None);
    store.write(|tx| tx.put_setting("c", "3")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_search_is_stopped() {
    let url = Server::shared().empty().await;
    let options = PostgresOptions { read_limit: Duration::from_millis(100), readers: 1, ..PostgresOptions::default() };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url, options).unwrap());
    store
        .write(|tx| {
            for number in 0..2000 {
                let tags = vec![Pair::new("long", "a".repeat(8000))];
                tx.create_run(&NewRun { tags, ..run(&format!("{number:032x}"), "run") })?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let search = |pattern: &str| RunQuery {
        experiments: vec!["0".into()],
        filter: vec![Condition {
            field: Field::Tag("long".into()),
            comparison: Comparison::Like,
            operand: Operand::Text(pattern.into()),
        }],
        limit: 1,
        ..RunQuery::default()
    };
    let slow = search(&format!("%{}b", "a".repeat(900)));
    let stopped = store.read(move |tx| tx.search_runs(&slow).map(|page| page.items.len())).await;
    assert!(matches!(stopped, Err(StoreError::TooLong)), "{stopped:?}");
    let late = store
        .read(|tx| {
            std::thread::sleep(Duration::from_millis(150));
            tx.setting("a")
        })
        .await;
    assert!(matches!(late, Err(StoreError::TooLong)), "{late:?}");
    assert_eq!(store.read(|tx| tx.setting("a")).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_has_the_password() {
    let server = Server::shared();
    let wrong = server.url().replace("sealyard:", "sealyard:wrong-s3cret");
    let url = PostgresUrl::parse(&wrong).unwrap();
    let refused = PostgresStore::open(&url, PostgresOptions::default()).unwrap_err();
    let mut text = format!("{url} {url:?} {refused:?} {refused}");
    let mut cause = std::error::Error::source(&refused);
    while let Some(current) = cause {
        text.push_str(&format!("{current} {current:?}"));
        cause = current.source();
    }
    assert!(text.contains("password authentication failed"), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
}
