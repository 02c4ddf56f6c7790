use std::sync::Arc;

use super::time;
use crate::model::{SecondFactorRecord, TokenRecord, UserKind, UserRecord};
use crate::{Store, StoreError, Transaction};

type Write = fn(&mut dyn Transaction, i64) -> Result<(), StoreError>;

fn user(name: &str) -> UserRecord {
    UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: false,
        kind: UserKind::Person,
        disabled: false,
        created: time(1),
    }
}

fn token() -> TokenRecord {
    TokenRecord {
        id: "t".into(),
        owner: "ada".into(),
        hash: "h".into(),
        scopes: vec!["all".into()],
        created: time(1),
        expires: None,
        revoked: false,
        used: None,
    }
}

/// All that can change who somebody is, or whether they are let in, in an order in which each finds what it changes.
const WRITES: &[(&str, Write)] = &[
    ("create_token", |tx, _| tx.create_token(&token())),
    ("set_user_password", |tx, _| tx.set_user_password("ada", Some("p"))),
    ("set_user_admin", |tx, _| tx.set_user_admin("ada", true)),
    ("set_user_disabled", |tx, _| tx.set_user_disabled("ada", true)),
    ("put_second_factor", |tx, user| {
        let created = time(1);
        tx.put_second_factor(&SecondFactorRecord { user, secret: vec![1], confirmed: false, used_step: 0, created })
    }),
    ("confirm_second_factor", |tx, user| tx.confirm_second_factor(user, 1, &["r".into()])),
    ("use_second_factor_step", |tx, user| tx.use_second_factor_step(user, 2).map(drop)),
    ("use_recovery_code", |tx, user| tx.use_recovery_code(user, "r").map(drop)),
    ("remove_second_factor", |tx, user| tx.remove_second_factor(user).map(drop)),
    ("note_login_failure", |tx, user| tx.note_login_failure(user, time(9), time(1)).map(drop)),
    ("forget_login_failures", |tx, user| tx.forget_login_failures(user).map(drop)),
    ("note_login_network", |tx, user| tx.note_login_network(user, "192.0.2.1", time(9), 4)),
    ("revoke_token", |tx, _| tx.revoke_token("t")),
    ("delete_user", |tx, _| tx.delete_user("ada")),
];

/// Whoever remembers who somebody is hears of each change before its writer does.
pub(super) async fn each_change_moves_the_version(store: Arc<dyn Store>) {
    let id = store.write(|tx| Ok::<_, StoreError>(tx.create_user(&user("ada"))?.id)).await.unwrap();
    for (name, write) in WRITES {
        let before = store.people_version().unwrap();
        store.write(move |tx| write(tx, id)).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(store.people_version().unwrap() > before, "{name}");
    }
    let before = store.people_version().unwrap();
    store.write(|tx| tx.put_setting("something", "else")).await.unwrap();
    store.read(|tx| tx.user("ada")).await.unwrap();
    assert_eq!(store.people_version().unwrap(), before, "nothing of this is about people");
}
