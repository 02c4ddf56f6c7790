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
