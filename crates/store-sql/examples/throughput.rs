//! How long a batch of 100 metrics and the creation of a run take: `cargo run --release --example throughput`.
//!
//! The first figure of each line is inside of one transaction, so it is the work itself without the disk; the second is
//! for clients that wait for the commit, 64 at a time. With `SEALYARD_DATABASE` it is PostgreSQL that does it; the database
//! keeps what was written.

use std::sync::Arc;
use std::time::Instant;

use sealyard_core::{Rng, SystemRng, Timestamp};
use sealyard_store::model::{Comparison, Condition, Field, Metric, NewRun, Operand, OrderBy, Pair, RunBatch, RunQuery};
use sealyard_store::{Store, StoreError, Transaction};
use sealyard_store_sql::{PostgresOptions, PostgresStore, PostgresUrl, SqliteOptions, SqliteStore};

const ROUNDS: u32 = 2000;

type Error = Box<dyn std::error::Error>;

fn create(tx: &mut dyn Transaction, id: &str) -> Result<(), StoreError> {
    tx.create_run(&NewRun {
        id: id.to_owned(),
        experiment_id: "0".into(),
        name: "capable-owl-7".into(),
        user: "ada".into(),
        created_by: "ada".into(),
        start: Timestamp::from_millis(1),
        tags: vec![Pair::new("mlflow.source.name", "train.py"), Pair::new("mlflow.user", "ada")],
    })?;
    Ok(())
}

fn log(tx: &mut dyn Transaction, id: &str, step: u32) -> Result<(), StoreError> {
    let metrics = (0..100)
        .map(|number| Metric {
            key: format!("metric_{number}"),
            value: f64::from(step),
            timestamp: 1_700_000_000_000 + i64::from(step),
            step: i64::from(step),
            model_id: None,
            dataset_name: None,
            dataset_digest: None,
        })
        .collect();
    tx.log_batch(id, &RunBatch { metrics, ..RunBatch::default() })
}

#[tokio::main]
#[allow(clippy::print_stdout, reason = "an example that prints its result")]
async fn main() -> Result<(), Error> {
    let directory = tempfile::tempdir()?;
    let store: Arc<dyn Store> = match std::env::var("SEALYARD_DATABASE") {
        Ok(url) => Arc::new(PostgresStore::open(&PostgresUrl::parse(&url)?, PostgresOptions::default())?),
        Err(_) => Arc::new(SqliteStore::open(&directory.path().join("catalog.db"), SqliteOptions::default())?),
    };
    let rng: &dyn Rng = &SystemRng;
    let run = rng.hex_id();
    let id = run.clone();
    store.write(move |tx| create(tx, &id)).await?;

    let id = run.clone();
    let inside = store
        .write(move |tx| {
            let begin = Instant::now();
            (0..ROUNDS).try_for_each(|step| log(tx, &id, step))?;
            Ok::<_, StoreError>(begin.elapsed() / ROUNDS)
        })
        .await?;
    let begin = Instant::now();
    for group in 0..ROUNDS / 64 {
        let writes = (0..64).map(|number| {
            let id = run.clone();
            store.write(move |tx| log(tx, &id, ROUNDS + group * 64 + number))
        });
        futures::future::try_join_all(writes).await?;
    }
    println!("log-batch of 100 metrics: {inside:?} of work, {:?} with commit", begin.elapsed() / (ROUNDS / 64 * 64));

    let ids: Vec<String> = (0..ROUNDS).map(|_| rng.hex_id()).collect();
    let inside = store
        .write(move |tx| {
            let begin = Instant::now();
            ids.iter().try_for_each(|id| create(tx, id))?;
            Ok::<_, StoreError>(begin.elapsed() / ROUNDS)
        })
        .await?;
    let begin = Instant::now();
    for _ in 0..ROUNDS / 64 {
        let writes = (0..64).map(|_| {
            let id = rng.hex_id();
            store.write(move |tx| create(tx, &id))
        });
        futures::future::try_join_all(writes).await?;
    }
    let found = store
        .read(|tx| {
            let begin = Instant::now();
            let page = tx.search_runs(&RunQuery {
                experiments: vec!["0".into()],
                filter: vec![Condition {
                    field: Field::Tag("mlflow.user".into()),
                    comparison: Comparison::Equal,
                    operand: Operand::Text("ada".into()),
                }],
                order: vec![OrderBy { field: Field::Metric("metric_1".into()), ascending: true }],
                limit: 100,
                ..RunQuery::default()
            })?;
            Ok::<_, StoreError>((begin.elapsed(), page.items.len()))
        })
        .await?;
    println!("search of some 4000 runs by tag, by order of a metric: {:?} for {} runs", found.0, found.1);
    println!("create-run: {inside:?} of work, {:?} with commit", begin.elapsed() / (ROUNDS / 64 * 64));
    Ok(())
}
