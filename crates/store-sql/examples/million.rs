//! Fills a catalog with many runs and measures searches in it: `dev/bench/million.py` runs it.
//!
//! `million DIRECTORY RUNS POINTS` makes `DIRECTORY/catalog.db` if it is not there, with RUNS runs of POINTS metric values each
//! in ten metrics, and prints a line of JSON for each search: CPU time of the whole process for a first and a deep page
//! of 100 runs.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "an example that prints its result and says how far it is"
)]

use std::path::Path;
use std::sync::Arc;

use sealyard_core::Timestamp;
use sealyard_store::model::{Comparison, Condition, Field, Metric, NewRun, Operand, OrderBy, Pair, RunBatch, RunQuery};
use sealyard_store::{Store, StoreError, Transaction};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

type Error = Box<dyn std::error::Error>;

/// Runs of one transaction.
const CHUNK: u64 = 500;
const METRICS: u64 = 10;
/// Milliseconds between two runs' starts.
const APART: u64 = 1000;
const REPEATS: u32 = 10;
/// Pages of 1000 that are turned before the deep one.
const DEPTH: u32 = 50;

/// A number that looks like chance and is always the same.
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Between 0 and 1.
fn share(number: u64) -> f64 {
    (scattered(number) >> 11) as f64 / (1_u64 << 53) as f64
}

fn make(tx: &mut dyn Transaction, number: u64, points: u64) -> Result<(), StoreError> {
    let id = format!("{number:032x}");
    let start = i64::try_from(number * APART).unwrap_or(i64::MAX);
    tx.create_run(&NewRun {
        id: id.clone(),
        experiment_id: "0".into(),
        name: format!("run-{number}"),
        user: "ada".into(),
        created_by: "ada".into(),
        start: Timestamp::from_millis(start),
        tags: vec![
            Pair::new("team", format!("team-{}", scattered(number) % 4)),
            Pair::new("ticket", format!("T-{}", scattered(number) % 100_000)),
        ],
    })?;
    let metrics = (0..points)
        .map(|point| Metric {
            key: format!("metric_{}", point % METRICS),
            value: share(number.wrapping_mul(1_000_003).wrapping_add(point)),
            timestamp: start + i64::try_from(point).unwrap_or(0),
            step: i64::try_from(point / METRICS).unwrap_or(0),
            model_id: None,
            dataset_name: None,
            dataset_digest: None,
        })
        .collect();
    let params = vec![
        Pair::new("model", ["ridge", "lasso", "forest", "network"][(scattered(number) % 4) as usize]),
        Pair::new("seed", (scattered(number) % 50_000).to_string()),
    ];
    tx.log_batch(&id, &RunBatch { metrics, params, tags: vec![] })
}

async fn fill(store: &dyn Store, runs: u64, points: u64) -> Result<(), Error> {
    let mut number = 0;
    while number < runs {
        let end = (number + CHUNK).min(runs);
        store.write(move |tx| (number..end).try_for_each(|number| make(tx, number, points))).await?;
        number = end;
        if number % (CHUNK * 40) == 0 {
            eprintln!("{number} of {runs} runs");
        }
    }
    Ok(())
}

/// CPU time that this process has used, in nanoseconds.
fn cpu() -> Result<u64, Error> {
    let mut sum = 0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat")).unwrap_or_default();
        sum += text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

async fn measured(store: &dyn Store, query: &RunQuery) -> Result<(f64, usize), Error> {
    let mut found = 0;
    let before = cpu()?;
    for _ in 0..REPEATS {
        let query = query.clone();
        found = store.read(move |tx| tx.search_runs(&query).map(|page| page.items.len())).await?;
    }
    Ok(((cpu()? - before) as f64 / 1e6 / f64::from(REPEATS), found))
}

async fn search(store: &dyn Store, name: &str, filter: Vec<Condition>, order: Vec<OrderBy>) -> Result<(), Error> {
    let query = RunQuery { experiments: vec!["0".into()], filter, order, limit: 100, ..RunQuery::default() };
    let (first, found) = measured(store, &query).await?;
    let mut deep = query.clone();
    let mut passed = 0;
    for _ in 0..DEPTH {
        let more = RunQuery { limit: 1000, ..deep.clone() };
        let page = store.read(move |tx| tx.search_runs(&more)).await?;
        let Some(next) = page.next else { break };
        passed += page.items.len();
        deep.after = Some(next);
    }
    let (after, deep_found) = measured(store, &deep).await?;
    println!(
        "{{\"search\": \"{name}\", \"first_ms\": {first:.2}, \"first_runs\": {found}, \"deep_ms\": {after:.2}, \
         \"deep_runs\": {deep_found}, \"passed\": {passed}}}"
    );
    Ok(())
}

fn when(field: Field, comparison: Comparison, operand: Operand) -> Condition {
    Condition { field, comparison, operand }
}

async fn all(store: &dyn Store, runs: u64) -> Result<(), Error> {
    use Comparison::{Equal, Greater, Less, Like};
    let text = |text: &str| Operand::Text(text.to_owned());
    let metric = || Field::Metric("metric_3".into());
    let half = (runs * APART) as f64 / 2.0;
    let searches: Vec<(&str, Vec<Condition>, Vec<OrderBy>)> = vec![
        ("everything, newest first", vec![], vec![]),
        ("metric range, half of the runs", vec![when(metric(), Less, Operand::Number(0.5))], vec![]),
        ("metric range, 1 in 100", vec![when(metric(), Greater, Operand::Number(0.99))], vec![]),
        ("metric range, 1 in 10,000", vec![when(metric(), Greater, Operand::Number(0.9999))], vec![]),
        (
            "metric range, ordered by it",
            vec![when(metric(), Greater, Operand::Number(0.5))],
            vec![OrderBy { field: metric(), ascending: false }],
        ),
        ("parameter equality, 1 in 4", vec![when(Field::Parameter("model".into()), Equal, text("lasso"))], vec![]),
        ("parameter equality, 1 in 50,000", vec![when(Field::Parameter("seed".into()), Equal, text("4711"))], vec![]),
        ("tag equality, 1 in 4", vec![when(Field::Tag("team".into()), Equal, text("team-2"))], vec![]),
        ("tag equality, 1 in 100,000", vec![when(Field::Tag("ticket".into()), Equal, text("T-4711"))], vec![]),
        ("tag by its beginning, 1 in 1,000", vec![when(Field::Tag("ticket".into()), Like, text("T-47%"))], vec![]),
        ("start time, the older half", vec![when(Field::Attribute("start_time"), Less, Operand::Number(half))], vec![]),
        (
            "start time, the first 50 runs",
            vec![when(Field::Attribute("start_time"), Less, Operand::Number(50.0 * APART as f64))],
            vec![],
        ),
        ("ordered by a parameter", vec![], vec![OrderBy { field: Field::Parameter("seed".into()), ascending: true }]),
    ];
    for (name, filter, order) in searches {
        search(store, name, filter, order).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || arguments.next().ok_or("usage: million DIRECTORY RUNS POINTS");
    let (directory, runs, points) = (next()?, next()?.parse::<u64>()?, next()?.parse::<u64>()?);
    let path = Path::new(&directory).join("catalog.db");
    let there = path.exists();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default())?);
    if !there {
        fill(&*store, runs, points).await?;
    }
    all(&*store, runs).await
}
