use super::time;
use crate::model::{SessionRecord, UserRecord};
use crate::{StoreError, Transaction};

fn session(id: &str, owner: &str, seen: i64, expires: i64) -> SessionRecord {
    SessionRecord {
        id: id.into(),
        owner: owner.into(),
        hash: format!("hash of {id}"),
        created: time(1),
        seen: time(seen),
        expires: time(expires),
        provider: None,
        external: None,
    }
}

fn users(tx: &mut dyn Transaction) {
    for name in ["ada", "bob"] {
        let user = UserRecord {
            id: 0,
            name: name.into(),
            password: None,
            admin: false,
            kind: crate::model::UserKind::Person,
            disabled: false,
            created: time(1),
        };
        tx.create_user(&user).unwrap();
    }
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    users(tx);
    let made = session("s1", "ada", 5, 99);
    tx.create_session(&made).unwrap();
    assert_eq!(tx.session_by_hash(&made.hash).unwrap(), Some(made.clone()));
    assert!(tx.session_by_hash("hash of s2").unwrap().is_none());
    let same_hash = SessionRecord { id: "s2".into(), ..made.clone() };
    for twice in [&made, &same_hash] {
        assert!(matches!(tx.create_session(twice), Err(StoreError::AlreadyExists { .. })));
    }
    assert!(matches!(tx.create_session(&session("s9", "eve", 5, 99)), Err(StoreError::NotFound { .. })));
    tx.session_seen(&made.hash, time(8)).unwrap();
    tx.session_seen(&made.hash, time(7)).unwrap();
    assert_eq!(tx.session_by_hash(&made.hash).unwrap().unwrap().seen, time(8));
    assert!(tx.end_session(&made.hash).unwrap());
    assert!(!tx.end_session(&made.hash).unwrap());
    assert!(tx.session_by_hash(&made.hash).unwrap().is_none());
}

pub(super) fn old_ones_go(tx: &mut dyn Transaction) {
    users(tx);
    for (id, seen, expires) in [("expired", 9, 10), ("idle", 4, 99), ("used", 5, 11)] {
        tx.create_session(&session(id, "ada", seen, expires)).unwrap();
    }
    assert_eq!(tx.remove_old_sessions(time(10), time(4)).unwrap(), 2);
    let left: Vec<_> = tx.sessions_of("ada").unwrap().into_iter().map(|session| session.id).collect();
    assert_eq!(left, ["used"]);
}

pub(super) fn open_ones_are_counted(tx: &mut dyn Transaction) {
    users(tx);
    assert_eq!(tx.open_sessions(time(10), time(4)).unwrap(), 0);
    for (id, seen, expires) in [("expired", 9, 10), ("idle", 4, 99), ("used", 5, 11), ("new", 9, 99)] {
        tx.create_session(&session(id, "ada", seen, expires)).unwrap();
    }
    assert_eq!(tx.open_sessions(time(10), time(4)).unwrap(), 2);
}

pub(super) fn they_end_with_the_user_and_the_password(tx: &mut dyn Transaction) {
    users(tx);
    for (id, owner) in [("a", "ada"), ("b", "bob")] {
        tx.create_session(&session(id, owner, 5, 99)).unwrap();
    }
    tx.set_user_password("ada", Some("$argon2id$…")).unwrap();
    assert!(tx.sessions_of("ada").unwrap().is_empty());
    assert_eq!(tx.sessions_of("bob").unwrap().len(), 1);
    tx.delete_user("bob").unwrap();
    assert!(tx.session_by_hash("hash of b").unwrap().is_none());
}
