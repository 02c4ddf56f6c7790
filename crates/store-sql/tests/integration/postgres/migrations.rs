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

/// What somebody planted would have a say in what is written.
#[tokio::test(flavor = "multi_thread")]
async fn what_no_step_made_is_refused() {
    let server = Server::shared();
    let url = server.empty_url().await;
    drop(open(&url).unwrap());
    let running: Arc<dyn Store> = Arc::new(open(&url).unwrap());
    let function =
        "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.admin = 1; RETURN NEW; END';";
    let cases = [
        (
            format!("{function} CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION planted()"),
            "DROP TRIGGER t ON users; DROP FUNCTION planted()",
        ),
        ("CREATE RULE r AS ON INSERT TO grants DO ALSO NOTHING".to_owned(), "DROP RULE r ON grants"),
        (
            "ALTER TABLE model_versions ALTER stage SET DEFAULT 'Production'".to_owned(),
            "ALTER TABLE model_versions ALTER stage SET DEFAULT 'None'",
        ),
        (
            "ALTER TABLE users ADD COLUMN x BIGINT GENERATED ALWAYS AS (1) STORED".to_owned(),
            "ALTER TABLE users DROP COLUMN x",
        ),
        ("CREATE VIEW v AS SELECT 1".to_owned(), "DROP VIEW v"),
        ("CREATE INDEX i ON grants (permission)".to_owned(), "DROP INDEX i"),
        (
            "ALTER TABLE users ADD CHECK (length(name) > 0)".to_owned(),
            "ALTER TABLE users DROP CONSTRAINT users_name_check",
        ),
        (
            "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_stay".to_owned(),
            "ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_stay",
        ),
        (
            "CREATE OR REPLACE FUNCTION ledger_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'"
                .to_owned(),
            "",
        ),
    ];
    for (planted, undo) in cases {
        server.sql(&url, &planted).await.unwrap();
        let refused = open(&url);
        assert!(matches!(refused, Err(StoreError::Schema(_))), "{planted}: {refused:?}");
        // A server that runs finds it when it is asked to look, and leaves nothing of its look.
        let found = running.write(|tx| tx.check_schema()).await;
        assert!(matches!(found, Err(StoreError::Schema(_))), "{planted}: {found:?}");
        running.write(|tx| tx.put_setting("a", "b")).await.unwrap();
        if undo.is_empty() {
            break;
        }
        server.sql(&url, undo).await.unwrap();
        drop(open(&url).unwrap());
        running.write(|tx| tx.check_schema()).await.unwrap();
    }
}

/// A name that only seems to be the one of a step, once the schema's is taken out of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_schema_is_not_taken_for_a_part_of_a_name() {
    let server = Server::shared();
    let url = server.empty_url().await;
    drop(open(&url).unwrap());
    let schema = url.rsplit("%3D").next().unwrap().to_owned();
    server
        .sql(
            &url,
            &format!(
                "CREATE SCHEMA ledger_{schema};
                 CREATE FUNCTION ledger_{schema}.stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                 DROP TRIGGER ledger_entries_stay ON ledger_entries;
                 CREATE TRIGGER ledger_entries_stay BEFORE TRUNCATE ON ledger_entries
                 FOR EACH STATEMENT EXECUTE FUNCTION ledger_{schema}.stays()"
            ),
        )
        .await
        .unwrap();
    let refused = open(&url);
    assert!(matches!(refused, Err(StoreError::Schema(_))), "{refused:?}");
}

/// A user who may make no schema is still told of a trigger.
#[tokio::test(flavor = "multi_thread")]
async fn also_where_no_schema_can_be_made() {
    let server = Server::shared();
    let url = server.empty_url().await;
    let role = "CREATE ROLE plain LOGIN PASSWORD 'plain'; REVOKE CREATE ON DATABASE postgres FROM PUBLIC;";
    let schema = url.rsplit("%3D").next().unwrap().to_owned();
    server.sql(&url, &format!("{role} ALTER SCHEMA {schema} OWNER TO plain")).await.unwrap();
    let (_, place) = url.split_once('@').unwrap();
    let plain = format!("postgresql://plain:plain@{place}");
    drop(open(&plain).unwrap());
    drop(open(&plain).unwrap());
    let ours = "CREATE TRIGGER ledger_entries_stay BEFORE TRUNCATE ON ledger_entries
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_stays()";
    let cases = [
        (
            "CREATE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
             CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION planted()",
            "DROP TRIGGER t ON users; DROP FUNCTION planted()",
        ),
        // A name that a step uses is not enough: another table, another moment, another body.
        (
            "CREATE TRIGGER ledger_entries_stay BEFORE TRUNCATE ON users
             FOR EACH STATEMENT EXECUTE FUNCTION ledger_stays()",
            "DROP TRIGGER ledger_entries_stay ON users",
        ),
        ("DROP TRIGGER ledger_entries_stay ON ledger_entries", ours),
        (
            "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_stay",
            "ALTER TABLE ledger_entries ENABLE TRIGGER ledger_entries_stay",
        ),
        ("CREATE RULE r AS ON INSERT TO grants DO ALSO NOTHING", "DROP RULE r ON grants"),
        (
            "ALTER FUNCTION fold_case(text) SET search_path = pg_temp",
            "ALTER FUNCTION fold_case(text) RESET search_path",
        ),
        ("ALTER FUNCTION fold_case(text) SECURITY DEFINER", "ALTER FUNCTION fold_case(text) SECURITY INVOKER"),
        ("CREATE OR REPLACE FUNCTION ledger_stays() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'", ""),
    ];
    for (planted, undo) in cases {
        server.sql(&url, planted).await.unwrap();
        let refused = open(&plain);
        assert!(matches!(refused, Err(StoreError::Schema(_))), "{planted}: {refused:?}");
        if !undo.is_empty() {
            server.sql(&url, undo).await.unwrap();
            drop(open(&plain).unwrap());
        }
    }
}

/// A role can be given a `search_path`, and with it operators that make one name equal to another.
#[tokio::test(flavor = "multi_thread")]
async fn no_other_schema_has_a_say_in_what_is_asked() {
    let server = Server::shared();
    let url = server.empty_url().await;
    let schema = url.rsplit("%3D").next().unwrap().to_owned();
    server
        .sql(
            &url,
            &format!(
                "CREATE SCHEMA foreign_{schema};
                 CREATE FUNCTION foreign_{schema}.always(text, text) RETURNS bool LANGUAGE sql AS 'SELECT true';
                 CREATE OPERATOR foreign_{schema}.= (LEFTARG = text, RIGHTARG = text, FUNCTION = foreign_{schema}.always)"
            ),
        )
        .await
        .unwrap();
    let hostile = url.replace(&schema, &format!("{schema}%2Cforeign_{schema}%2Cpg_catalog"));
    let answer = server.sql(&hostile, "SELECT CAST('a' AS text) = CAST('b' AS text)").await.unwrap();
    assert_eq!(answer, ["t"], "the operator is not in the way");
    let store: Arc<dyn Store> = Arc::new(open(&hostile).unwrap());
    store.write(|tx| tx.put_setting("a", "b")).await.unwrap();
    assert_eq!(store.read(|tx| tx.setting("other")).await.unwrap(), None);
    assert_eq!(store.read(|tx| tx.setting("a")).await.unwrap().as_deref(), Some("b"));
}

/// What would be refused later with words that help nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_a_schema_to_use_says_what_to_do() {
    let url = Server::shared().empty_url().await;
    for path in ["nowhere", "pg_catalog", "information_schema"] {
        let schema = url.rsplit("%3D").next().unwrap();
        let refused = open(&url.replace(schema, path)).unwrap_err();
        assert!(refused.to_string().contains("CREATE SCHEMA"), "{refused}");
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
