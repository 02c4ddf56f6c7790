//! Fills a catalog with many ledger entries and measures searches in it: `dev/bench/ledger.py` runs it.
//!
//! `ledger_search fill DIRECTORY ENTRIES` makes `DIRECTORY/catalog.db`, or goes on with it, as the server itself writes;
//! `ledger_search search DIRECTORY ENTRIES` prints a line of JSON for each search: the median and the worst of some pages of
//! 100 entries, read with their bytes and hashed again, as the server does. In processor time of the whole process, and by
//! the clock; the first of them finds nothing in the caches of the process.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "an example that prints its result and says how far it is"
)]

use std::path::Path;
use std::sync::Arc;

use sealyard_core::{Digest, SystemClock, SystemRng, Timestamp};
use sealyard_ledger::merkle::{inclusion_path, leaf_hash, root_of, verify_inclusion};
use sealyard_ledger::{Act, Event, Facets, LedgerKey, Outcome};
use sealyard_store::ledger::sequence;
use sealyard_store::ledger_index::{fill, tree};
use sealyard_store::model::LedgerQuery;
use sealyard_store::{Store, StoreError, Transaction};
use sealyard_store_sql::{SqliteOptions, SqliteStore};

type Error = Box<dyn std::error::Error>;

const CHUNK: u64 = 10_000;
const REPEATS: u32 = 9;
const PAGE: u32 = 100;
/// Milliseconds between two events.
const APART: i64 = 700;

/// A number that looks like chance and is always the same.
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Half of all is by one program; the rest by a thousand people. One in a thousand is a refusal; `rare` did ten things ever.
fn event(number: u64, all: u64) -> Event {
    let chance = scattered(number);
    let rare = number % (all / 10).max(1) == 7;
    let actor = if rare {
        "rare".to_owned()
    } else if chance.is_multiple_of(2) {
        "ci".to_owned()
    } else {
        format!("user-{}", (chance >> 8) % 1000)
    };
    let model = format!("model-{}", (chance >> 20) % 200);
    let refused = (chance >> 32).is_multiple_of(1000);
    let experiment = if (chance >> 40).is_multiple_of(3) { "0".to_owned() } else { ((chance >> 44) % 500).to_string() };
    let act = match (chance >> 52) % 8 {
        _ if refused => Act::AccessDenied {
            action: "edit".into(),
            resource: format!("experiment:{experiment}"),
            rule: "authorization".into(),
        },
        0..=2 => Act::RunCreated { id: format!("{number:032x}"), experiment },
        3..=4 => Act::RunEnded { id: format!("{:032x}", number.saturating_sub(40)), status: "FINISHED".into() },
        5 => Act::ArtifactUploaded {
            path: format!("runs:/{number:032x}/model/model.skops"),
            digest: Digest::of(&number.to_be_bytes()),
            size: 7,
            verdict: "safe".into(),
        },
        6 => Act::AliasSet { name: model, alias: "champion".into(), version: 3 },
        _ => Act::LoggedIn { method: "password".into() },
    };
    Event {
        time: Timestamp::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap_or(0) * APART),
        actor,
        source: None,
        request_id: Some(format!("{number:016x}")),
        in_workspace: None,
        outcome: if refused { Outcome::Refused } else { Outcome::Done },
        act,
    }
}

/// Milliseconds that this process has computed.
fn cpu() -> Result<f64, Error> {
    let mut nanoseconds = 0.0;
    for task in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += text.split(' ').next().unwrap_or_default().parse::<f64>()?;
    }
    Ok(nanoseconds / 1e6)
}

/// Of several runs.
#[derive(Default)]
struct Times {
    cpu: Vec<f64>,
    wall: Vec<f64>,
}

impl Times {
    fn add(&mut self, started: std::time::Instant, cpu_before: f64) -> Result<(), Error> {
        self.wall.push(started.elapsed().as_secs_f64() * 1000.0);
        // A thread that has ended is not counted any more.
        self.cpu.push((cpu()? - cpu_before).max(0.0));
        Ok(())
    }

    /// As members of a JSON object.
    fn text(mut self) -> String {
        let [cpu_ms, wall_ms] = [&mut self.cpu, &mut self.wall].map(|times| {
            times.sort_by(f64::total_cmp);
            (times[times.len() / 2], times[times.len() - 1])
        });
        format!(
            r#""cpu_ms": {:.1}, "cpu_worst_ms": {:.1}, "wall_ms": {:.1}, "wall_worst_ms": {:.1}"#,
            cpu_ms.0, cpu_ms.1, wall_ms.0, wall_ms.1
        )
    }
}

/// What the server does for a page.
fn page(tx: &mut dyn Transaction, query: &LedgerQuery) -> Result<usize, StoreError> {
    let places = tx.find_entries(query)?;
    let indexes: Vec<u64> = places.iter().map(|place| place.index).collect();
    let entries = tx.entries_at(&indexes)?;
    for entry in &entries {
        if leaf_hash(&entry.bytes) != entry.leaf || Facets::of(&entry.bytes).act.is_empty() {
            return Err(StoreError::Ledger("an entry was changed".into()));
        }
    }
    Ok(entries.len())
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, task, directory, entries] = &arguments[..] else {
        return Err("usage: ledger_search fill|search DIRECTORY ENTRIES".into());
    };
    let all: u64 = entries.parse()?;
    let path = Path::new(directory).join("catalog.db");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path, SqliteOptions::default())?);
    match task.as_str() {
        "fill" => fill_log(&store, Path::new(directory), all).await,
        "search" => search(&store, all).await,
        other => Err(format!("{other} is neither fill nor search").into()),
    }
}

async fn fill_log(store: &Arc<dyn Store>, directory: &Path, all: u64) -> Result<(), Error> {
    let key = Arc::new(LedgerKey::open_or_create(&directory.join("ledger.key"), "bench.example", &SystemRng)?);
    let have = store.read(|tx| tx.entry_count()).await?;
    let (before, started) = (cpu()?, std::time::Instant::now());
    for chunk in (have..all).step_by(usize::try_from(CHUNK)?) {
        let key = Arc::clone(&key);
        store
            .write(move |tx| {
                for number in chunk..(chunk + CHUNK).min(all) {
                    tx.record(&event(number, all))?;
                }
                while sequence(tx, &key, &SystemClock, 10_000)? > 0 {}
                while fill(tx)? {}
                Ok::<_, StoreError>(())
            })
            .await?;
        if chunk % 500_000 == 0 {
            eprintln!("{chunk} of {all}");
        }
    }
    println!(
        r#"{{"filled": {}, "seconds": {:.0}, "cpu_microseconds_each": {:.1}}}"#,
        all.saturating_sub(have),
        started.elapsed().as_secs_f64(),
        (cpu()? - before) * 1000.0 / all.saturating_sub(have).max(1) as f64
    );
    Ok(())
}

async fn search(store: &Arc<dyn Store>, all: u64) -> Result<(), Error> {
    let some = |text: &str| Some(text.to_owned());
    let time = move |share: i64| {
        Some(Timestamp::from_millis(1_700_000_000_000 + i64::try_from(all).unwrap_or(0) / 100 * share * APART))
    };
    let none = LedgerQuery { limit: PAGE, ..LedgerQuery::default() };
    let deep = store
        .read(move |tx| {
            let query = LedgerQuery { limit: 1, until: time(3), ..LedgerQuery::default() };
            Ok::<_, StoreError>(tx.find_entries(&query)?.pop())
        })
        .await?;
    for (name, query) in [
        ("everything, first page", none.clone()),
        ("everything, deep page", LedgerQuery { after: deep, ..none.clone() }),
        ("an actor of half of all", LedgerQuery { actor: some("ci"), ..none.clone() }),
        ("an actor of half of all, deep page", LedgerQuery { actor: some("ci"), after: deep, ..none.clone() }),
        ("an actor of ten entries", LedgerQuery { actor: some("rare"), ..none.clone() }),
        ("nobody", LedgerQuery { actor: some("nobody"), ..none.clone() }),
        ("an act of a third of all", LedgerQuery { act: some("run-created"), ..none.clone() }),
        ("an act that never was", LedgerQuery { act: some("never"), ..none.clone() }),
        ("done, 99.9 % of all", LedgerQuery { outcome: some("done"), ..none.clone() }),
        ("refused, 0.1 % of all", LedgerQuery { outcome: some("refused"), ..none.clone() }),
        (
            "an actor of half of all, refused",
            LedgerQuery { actor: some("ci"), outcome: some("refused"), ..none.clone() },
        ),
        ("rare actor and frequent act", LedgerQuery { actor: some("rare"), act: some("run-created"), ..none.clone() }),
        ("a subject of an eighth of all", LedgerQuery { subject: some("experiment:0"), ..none.clone() }),
        (
            "a subject of one entry",
            LedgerQuery { subject: some("run:00000000000000000000000000000fff"), ..none.clone() },
        ),
        (
            "frequent subject and rare actor",
            LedgerQuery { subject: some("experiment:0"), actor: some("rare"), ..none.clone() },
        ),
        (
            "frequent subject, actor and act",
            LedgerQuery { subject: some("experiment:0"), actor: some("ci"), act: some("run-created"), ..none.clone() },
        ),
        (
            "frequent subject, refused by a rule",
            LedgerQuery { subject: some("experiment:0"), rule: some("authorization"), ..none.clone() },
        ),
        ("a rule", LedgerQuery { rule: some("authorization"), ..none.clone() }),
        (
            "a window of 1 % and an actor",
            LedgerQuery { actor: some("ci"), since: time(40), until: time(41), ..none.clone() },
        ),
        (
            "an empty window and a frequent act",
            LedgerQuery { act: some("run-created"), since: time(200), ..none.clone() },
        ),
        (
            "frequent subject before everything",
            LedgerQuery { subject: some("experiment:0"), until: time(0), ..none.clone() },
        ),
        (
            "frequent subject in a window of 1 %",
            LedgerQuery { subject: some("experiment:0"), since: time(40), until: time(41), ..none.clone() },
        ),
        (
            "frequent subject and act, deep page",
            LedgerQuery { subject: some("experiment:0"), act: some("run-created"), after: deep, ..none.clone() },
        ),
        (
            "frequent act in a window of 1 %, deep page",
            LedgerQuery { act: some("run-created"), since: time(2), until: time(4), after: deep, ..none.clone() },
        ),
        (
            "frequent subject, actor and act in a window",
            LedgerQuery {
                subject: some("experiment:0"),
                actor: some("ci"),
                act: some("run-created"),
                since: time(40),
                until: time(41),
                ..none.clone()
            },
        ),
        (
            "a request and an act",
            LedgerQuery { request_id: some("0000000000000fff"), act: some("run-created"), ..none.clone() },
        ),
        (
            "a request and a frequent subject",
            LedgerQuery { request_id: some("0000000000000fff"), subject: some("experiment:0"), ..none.clone() },
        ),
        ("a request", LedgerQuery { request_id: some("0000000000000fff"), ..none.clone() }),
    ] {
        let (mut found, mut times) = (0, Times::default());
        for _ in 0..REPEATS {
            let query = query.clone();
            let (before, started) = (cpu()?, std::time::Instant::now());
            found = store.read(move |tx| page(tx, &query)).await?;
            times.add(started, before)?;
        }
        println!(r#"{{"search": "{name}", "found": {found}, {}}}"#, times.text());
    }
    let mut times = Times::default();
    for number in 0..REPEATS {
        let index = scattered(u64::from(number)) % all;
        let (before, started) = (cpu()?, std::time::Instant::now());
        store
            .read(move |tx| {
                let root = root_of(&mut tree(tx, all), all)?;
                let path = inclusion_path(&mut tree(tx, all), index, all)?.unwrap_or_default();
                let leaf = tx.leaves(index, 1)?[0];
                verify_inclusion(leaf, index, all, &path, root).map_err(|error| StoreError::Ledger(error.to_string()))
            })
            .await?;
        times.add(started, before)?;
    }
    println!(r#"{{"proof": "root and an entry's, checked", {}}}"#, times.text());
    Ok(())
}
