//! What a database that is not the server's own does between the server's statements.

use sealyard_core::{Digest, Timestamp};
use sealyard_store::model::{EvidenceRecord, UserKind, UserRecord};
use sealyard_store::{DamagedRow, EvidenceRecords as _, Identities as _, Integrity as _, Registry as _, StoreError};

use super::*;
use crate::sqlite::migrate::migrate;

fn catalog() -> rusqlite::Connection {
    let mut connection = rusqlite::Connection::open_in_memory().unwrap();
    migrate(&mut connection, Timestamp::from_millis(5)).unwrap();
    connection
}

fn seals() -> RowSeals {
    let seals = RowSeals::default();
    seals.set(&[7; 32]);
    seals
}

fn user(name: &str) -> UserRecord {
    let created = Timestamp::from_millis(1);
    UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: false,
        kind: UserKind::Person,
        disabled: false,
        created,
    }
}

fn evidence(digest: &[u8]) -> EvidenceRecord {
    EvidenceRecord {
        digest: Digest::of(digest),
        subject: Digest::of(b"x"),
        predicate_type: "scan".into(),
        bundle: "{}".into(),
        added: Timestamp::from_millis(1),
        added_by: "ada".into(),
    }
}

/// What the database makes of a row on its way is not what is sealed.
#[test]
fn a_trigger_gets_no_seal_for_what_it_writes() {
    let (connection, seals) = (catalog(), seals());
    let mut session = Session::sqlite(&connection).sealing(&seals);
    session.create_user(&user("ada")).unwrap();
    session.create_registered_model("fraud", "", &[], "ada", Timestamp::from_millis(1)).unwrap();
    connection
        .execute_batch(
            "CREATE TRIGGER t1 AFTER INSERT ON users BEGIN UPDATE users SET admin = 1 WHERE number = new.number; END;
             CREATE TRIGGER t2 AFTER UPDATE OF disabled ON users BEGIN UPDATE users SET admin = 1 WHERE number = new.number; END;
             CREATE TRIGGER t3 AFTER INSERT ON grants BEGIN UPDATE grants SET permission = 'MANAGE'; END;
             CREATE TRIGGER t4 AFTER UPDATE OF last_version ON registered_models
                 BEGIN UPDATE registered_models SET key = '0/cards', name = 'cards'; END;",
        )
        .unwrap();
    session.create_user(&user("bob")).unwrap();
    session.set_user_disabled("ada", false).unwrap();
    let grant = sealyard_identity::Grant {
        grantee: "principal:u1".parse().unwrap(),
        pattern: "experiment:1".parse().unwrap(),
        right: "READ".parse().unwrap(),
    };
    session.set_grant(&grant).unwrap();
    sealyard_store::Import::reserve_versions(&mut session, "fraud", 3).unwrap();
    for name in ["ada", "bob"] {
        assert!(matches!(session.user(name), Err(StoreError::Damaged { .. })), "{name}");
    }
    assert_eq!(session.grants().unwrap()[0].right.to_string(), "DENY");
    assert!(matches!(session.registered_model("cards"), Err(StoreError::Damaged { .. })));
    let tables: Vec<_> = session.damaged_rows(10).unwrap().into_iter().map(|row| row.table).collect();
    assert_eq!(tables, ["users", "users", "grants", "registered_models"]);
}

/// Rows of the first form are sealed by what they have now, but not those that were damaged then already.
#[test]
fn an_earlier_form_is_brought_up_to_date() {
    let (connection, seals) = (catalog(), seals());
    let mut session = Session::sqlite(&connection).sealing(&seals);
    for digest in [b"a", b"b", b"c"] {
        session.add_evidence(&evidence(digest)).unwrap();
    }
    session.create_registered_model("fraud", "", &[], "ada", Timestamp::from_millis(1)).unwrap();
    let key = seals.key().unwrap();
    let earlier: Vec<(i64, Vec<u8>)> = session
        .all(&format!("{ALL} SELECT {} FROM evidence AS t", EVIDENCE.list("t")), [], |row| {
            Ok((row.get(0)?, seal_of(key, &EVIDENCE, row, 0, 6)?))
        })
        .unwrap();
    for (number, seal) in earlier {
        connection.execute("UPDATE evidence SET seal = ?2 WHERE number = ?1", (number, seal)).unwrap();
    }
    connection
        .execute_batch(
            "UPDATE evidence SET bundle = 'changed' WHERE number = 2;
             UPDATE registered_models SET seal = NULL; DELETE FROM row_sets;",
        )
        .unwrap();
    let mut session = Session::sqlite(&connection).sealing(&seals);
    session.seal_rows_since(1).unwrap();
    assert_eq!(session.evidence_for(&Digest::of(b"x")).unwrap().len(), 2);
    assert!(session.registered_model("fraud").unwrap().is_some());
    let found = session.damaged_rows(10).unwrap();
    assert_eq!(found, [DamagedRow { table: "evidence", row: "2".into() }]);
}

fn token(id: &str) -> sealyard_store::model::TokenRecord {
    sealyard_store::model::TokenRecord {
        id: id.into(),
        owner: "ada".into(),
        hash: format!("h{id}"),
        scopes: vec!["all".into()],
        created: Timestamp::from_millis(1),
        expires: None,
        revoked: false,
        used: None,
    }
}

/// Work that is committed, as the writer does it.
fn commit<T>(connection: &rusqlite::Connection, seals: &RowSeals, work: impl FnOnce(&mut Session<'_>) -> T) -> T {
    let mut session = Session::sqlite(connection).sealing(seals);
    let done = work(&mut session);
    session.settle().unwrap();
    seals.work_ended(true);
    seals.transaction_ended(true);
    done
}

fn look(connection: &rusqlite::Connection, seals: &RowSeals) -> Vec<&'static str> {
    let found = Session::sqlite(connection).sealing(seals).damaged_rows(10).unwrap();
    found.into_iter().map(|row| row.table).collect()
}

#[test]
fn a_row_put_back_twice_is_told() {
    let (connection, seals) = (catalog(), seals());
    commit(&connection, &seals, |tx| {
        tx.create_user(&user("ada")).unwrap();
        tx.create_token(&token("t")).unwrap();
    });
    connection.execute_batch("CREATE TEMP TABLE stolen AS SELECT id, seal FROM tokens").unwrap();
    let back = "UPDATE tokens SET revoked = 0, seal = (SELECT seal FROM stolen WHERE stolen.id = tokens.id)";
    for _ in 0..2 {
        commit(&connection, &seals, |tx| tx.revoke_token("t").unwrap());
        connection.execute_batch(back).unwrap();
    }
    assert_eq!(look(&connection, &seals), ["tokens"]);
}

#[test]
fn a_denial_that_was_moved_and_then_removed_is_missed() {
    let grant = |pattern: &str, right: &str| sealyard_identity::Grant {
        grantee: "principal:u1".parse().unwrap(),
        pattern: pattern.parse().unwrap(),
        right: right.parse().unwrap(),
    };
    // It is removed there, or written over.
    for over in [false, true] {
        let (connection, seals) = (catalog(), seals());
        commit(&connection, &seals, |tx| {
            tx.set_grant(&grant("experiment:*", "MANAGE")).unwrap();
            tx.set_grant(&grant("experiment:1", "DENY")).unwrap();
            // What is written over by the server itself is not missed, whether it changes or not.
            tx.set_grant(&grant("experiment:3", "READ")).unwrap();
            tx.set_grant(&grant("experiment:3", "EDIT")).unwrap();
            tx.set_grant(&grant("experiment:3", "EDIT")).unwrap();
        });
        assert_eq!(look(&connection, &seals), [""; 0]);
        connection.execute_batch("UPDATE grants SET pattern = 'experiment:2' WHERE permission = 'DENY'").unwrap();
        commit(&connection, &seals, |tx| {
            if over {
                tx.set_grant(&grant("experiment:2", "READ")).unwrap();
            }
            tx.remove_grant(&grant("experiment:2", if over { "READ" } else { "DENY" })).unwrap();
        });
        assert_eq!(look(&connection, &seals), ["grants"]);
    }
}

#[test]
fn a_table_that_was_put_back_is_told_however_much_is_written_then() {
    let (connection, seals) = (catalog(), seals());
    commit(&connection, &seals, |tx| {
        tx.create_user(&user("ada")).unwrap();
        tx.create_token(&token("t")).unwrap();
    });
    let keep = "CREATE TEMP TABLE s1 AS SELECT * FROM tokens;
                CREATE TEMP TABLE s2 AS SELECT * FROM row_sets WHERE name = 'tokens'";
    connection.execute_batch(keep).unwrap();
    // Without a look in between.
    commit(&connection, &seals, |tx| tx.revoke_token("t").unwrap());
    let back = "DELETE FROM tokens; INSERT INTO tokens SELECT * FROM s1;
                DELETE FROM row_sets WHERE name = 'tokens'; INSERT INTO row_sets SELECT * FROM s2";
    connection.execute_batch(back).unwrap();
    for id in ["u", "v", "w"] {
        commit(&connection, &seals, |tx| tx.create_token(&token(id)).unwrap());
    }
    assert_eq!(look(&connection, &seals), ["tokens"]);
}

/// Work that was undone, or a transaction that was, is not known of: what comes next is not taken for something put back.
#[test]
fn what_was_undone_is_not_expected() {
    let (connection, seals) = (catalog(), seals());
    commit(&connection, &seals, |tx| tx.create_user(&user("ada")).unwrap());
    for (kept, committed) in [(false, true), (true, false)] {
        connection.execute_batch("BEGIN").unwrap();
        let mut session = Session::sqlite(&connection).sealing(&seals);
        session.create_user(&user("bob")).unwrap();
        session.settle().unwrap();
        connection.execute_batch("ROLLBACK").unwrap();
        seals.work_ended(kept);
        seals.transaction_ended(committed);
        assert_eq!(look(&connection, &seals), [""; 0]);
        commit(&connection, &seals, |tx| tx.create_user(&user(if kept { "cyd" } else { "dan" })).unwrap());
        assert_eq!(look(&connection, &seals), [""; 0]);
    }
}
