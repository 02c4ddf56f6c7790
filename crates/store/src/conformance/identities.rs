use super::time;
use crate::model::{TokenRecord, UserRecord};
use crate::{StoreError, Transaction};
use sealyard_identity::{Grant, Grantee};

fn user(name: &str) -> UserRecord {
    UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: false,
        kind: crate::model::UserKind::Person,
        disabled: false,
        created: time(1),
    }
}

fn token(id: &str, owner: &str) -> TokenRecord {
    TokenRecord {
        id: id.into(),
        owner: owner.into(),
        hash: format!("hash of {id}"),
        scopes: vec!["experiment:1=READ".into()],
        created: time(2),
        expires: Some(time(99)),
        revoked: false,
        used: None,
    }
}

pub(super) fn grant(grantee: &str, pattern: &str, right: &str) -> Grant {
    Grant {
        grantee: grantee.parse::<Grantee>().unwrap(),
        pattern: pattern.parse().unwrap(),
        right: right.parse().unwrap(),
    }
}

pub(super) fn users(tx: &mut dyn Transaction) {
    let ada = tx.create_user(&user("ada")).unwrap();
    let bob = tx.create_user(&user("bob")).unwrap();
    assert_ne!(ada.id, bob.id);
    assert!(matches!(tx.create_user(&user("ada")), Err(StoreError::AlreadyExists { .. })));
    tx.set_user_password("ada", Some("$argon2id$…")).unwrap();
    tx.set_user_admin("ada", true).unwrap();
    let read = tx.user("ada").unwrap().unwrap();
    assert_eq!((read.password.as_deref(), read.admin, read.id), (Some("$argon2id$…"), true, ada.id));
    assert_eq!(tx.user_numbered(ada.id).unwrap(), Some(read));
    assert_eq!(tx.user_numbered(999).unwrap(), None);
    assert_eq!(tx.users().unwrap().len(), 2);
    tx.create_token(&token("t1", "bob")).unwrap();
    tx.set_grant(&grant(&format!("principal:{}", bob.principal_id()), "experiment:1", "EDIT")).unwrap();
    tx.set_grant(&grant(&format!("principal:{}", ada.principal_id()), "experiment:1", "EDIT")).unwrap();
    tx.delete_user("bob").unwrap();
    assert!(tx.token_by_hash("hash of t1").unwrap().is_none());
    assert_eq!(tx.grants().unwrap().len(), 1);
    let again = tx.create_user(&user("bob")).unwrap();
    assert!(again.id > bob.id, "a number is never used again");
    for outcome in [tx.delete_user("eve"), tx.set_user_admin("eve", true), tx.set_user_password("eve", None)] {
        assert!(matches!(outcome, Err(StoreError::NotFound { .. })));
    }
}

pub(super) fn tokens(tx: &mut dyn Transaction) {
    tx.create_user(&user("ada")).unwrap();
    let made = token("t1", "ada");
    tx.create_token(&made).unwrap();
    assert_eq!(tx.token_by_hash(&made.hash).unwrap(), Some(made.clone()));
    let same_hash = TokenRecord { id: "t2".into(), ..made.clone() };
    for twice in [&made, &same_hash] {
        assert!(matches!(tx.create_token(twice), Err(StoreError::AlreadyExists { .. })));
    }
    tx.revoke_token("t1").unwrap();
    assert!(tx.token_by_hash(&made.hash).unwrap().unwrap().revoked);
    assert_eq!(tx.tokens_of("ada").unwrap().len(), 1);
    assert!(tx.tokens_of("eve").unwrap().is_empty());
    assert!(matches!(tx.create_token(&token("t9", "eve")), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.revoke_token("t9"), Err(StoreError::NotFound { .. })));
}

pub(super) fn grants(tx: &mut dyn Transaction) {
    let read = grant("principal:u1", "experiment:1", "READ");
    let edit = grant("principal:u1", "experiment:1", "EDIT");
    let publish = grant("principal:u1", "registered-model:fraud-*", "act:publish");
    let deploy = grant("principal:u1", "registered-model:fraud-*", "act:deploy");
    let deny = grant("role:guests", "experiment:1", "DENY");
    for grant in [&read, &edit, &publish, &deploy, &deny] {
        tx.set_grant(grant).unwrap();
    }
    let mut all = tx.grants().unwrap();
    all.sort();
    let mut expected = vec![edit, publish.clone(), deploy, deny.clone()];
    expected.sort();
    assert_eq!(all, expected, "one level for each pattern, acts beside it");
    tx.remove_grant(&publish).unwrap();
    tx.remove_grant(&deny).unwrap();
    assert_eq!(tx.grants().unwrap().len(), 2);
    assert!(matches!(tx.remove_grant(&deny), Err(StoreError::NotFound { .. })));
}
