use std::sync::Arc;

use sealyard_core::{FixedClock, Timestamp};
use sealyard_store::{Store, StoreError};
use sealyard_store_sql::{PostgresOptions, PostgresStore, PostgresUrl};

use super::server::Server;

fn open(url: &str) -> Result<PostgresStore, StoreError> {
    let clock = Arc::new(FixedClock::at(Timestamp::from_millis(5)));
    PostgresStore::open(
        &PostgresUrl::parse(url).unwrap(),
        PostgresOptions { readers: 1, ..PostgresOptions::new(clock) },
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_is_there_after_opening_again() {
    let url = Server::shared().empty_url().await;
    for round in 0..3 {
        let store: Arc<dyn Store> = Arc::new(open(&url).unwrap());
        store.write(move |tx| tx.put_setting(&format!("round {round}"), "here")).await.unwrap();
        for earlier in 0..=round {
            let value = store.read(move |tx| tx.setting(&format!("round {earlier}"))).await.unwrap();
            assert_eq!(value.as_deref(), Some("here"));
        }
        let default = store.read(|tx| tx.experiment("0")).await.unwrap().unwrap();
        assert_eq!(default.created, Timestamp::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_together_make_one_catalog() {
    let url = Server::shared().empty_url().await;
    let opening = (0..4).map(|_| {
        let url = url.clone();
        tokio::task::spawn_blocking(move || open(&url).map(drop))
    });
    for opened in futures::future::join_all(opening.collect::<Vec<_>>()).await {
        opened.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_database_is_refused() {
    let server = Server::shared();
    let url = server.empty_url().await;
    let store: Arc<dyn Store> = Arc::new(open(&url).unwrap());
    // So that its writer is connected, and asks no more which database that is.
    store.write(|tx| tx.put_setting("before", "here")).await.unwrap();
    server.sql(&url, "UPDATE sealyard_catalog SET version = 99").await.unwrap();
    let refused = open(&url).unwrap_err();
    assert!(matches!(refused, StoreError::Newer { found: 99, .. }), "{refused:?}");
    // A server that runs already notices, too: its writer must not write rows as they used to be.
    for _ in 0..3 {
        let refused = store.write(|tx| tx.put_setting("a", "b")).await;
        assert!(refused.is_err(), "written into a newer schema");
    }
    let written = server.sql(&url, "SELECT key FROM settings WHERE key IN ('a', 'before')").await.unwrap();
    assert_eq!(written, ["before"]);
    // Not because it is broken: in its own schema it goes on.
    let version = crate::upgrade::steps("postgres").len();
    server.sql(&url, &format!("UPDATE sealyard_catalog SET version = {version}")).await.unwrap();
    let mut last = None;
    for _ in 0..50 {
        last = store.write(|tx| tx.put_setting("a", "b")).await.err();
        if last.is_none() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert!(last.is_none(), "{last:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_earlier_database_is_upgraded() {
    let server = Server::shared();
    let steps = crate::upgrade::steps("postgres");
    for count in 1..steps.len() {
        let url = server.empty_url().await;
        let begin = "CREATE TABLE sealyard_catalog (one BIGINT PRIMARY KEY CHECK (one = 1), version BIGINT NOT NULL);
             CREATE FUNCTION fold_case(value TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS
             $$ SELECT lower(value COLLATE \"default\") COLLATE \"C\" $$;";
        let rows = crate::upgrade::rows("postgres", count, |hex| format!("decode('{hex}', 'hex')"));
        let end = format!("INSERT INTO sealyard_catalog VALUES (1, {count})");
        let whole = format!("{begin}{};{rows}{end}", steps[..count].join(";"));
        server.sql(&url, &whole).await.unwrap();
        let store: Arc<dyn Store> = Arc::new(open(&url).unwrap());
        crate::upgrade::check(&store, "postgres", count).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_programs_database_is_refused_and_left_alone() {
    let server = Server::shared();
    let url = server.empty_url().await;
    server.sql(&url, "CREATE TABLE invoices (a INTEGER)").await.unwrap();
    let refused = open(&url).unwrap_err();
    assert!(matches!(refused, StoreError::Invalid(_)), "{refused:?}");
    let tables = server.sql(&url, "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").await.unwrap();
    assert_eq!(tables, ["invoices"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_can_only_grow() {
    let server = Server::shared();
    let url = server.empty_url().await;
    drop(open(&url).unwrap());
    server
        .sql(
            &url,
            "INSERT INTO ledger_entries VALUES (0, 'a', decode(repeat('00', 32), 'hex'));
             INSERT INTO ledger_checkpoints VALUES (1, 'note', 0)",
        )
        .await
        .unwrap();
    for sql in [
        "DELETE FROM ledger_entries",
        "UPDATE ledger_entries SET event = 'b'",
        "TRUNCATE ledger_entries",
        "DELETE FROM ledger_checkpoints",
        "UPDATE ledger_checkpoints SET note = ''",
        "TRUNCATE ledger_checkpoints",
    ] {
        let refused = server.sql(&url, sql).await.unwrap_err();
        assert!(refused.as_db_error().unwrap().message().contains("the ledger only grows"), "{sql}: {refused}");
    }
}
