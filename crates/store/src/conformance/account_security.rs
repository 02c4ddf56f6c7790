use super::time;
use crate::Transaction;
use crate::model::{LoginFailures, SecondFactorRecord, TokenRecord, UserKind, UserRecord};

fn user(tx: &mut dyn Transaction, name: &str) -> i64 {
    let user = UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: false,
        kind: UserKind::Person,
        disabled: false,
        created: time(1),
    };
    tx.create_user(&user).unwrap().id
}

fn factor(user: i64) -> SecondFactorRecord {
    SecondFactorRecord { user, secret: vec![1, 2, 3], confirmed: false, used_step: 0, created: time(5) }
}

pub(super) fn second_factors(tx: &mut dyn Transaction) {
    let (ada, bob) = (user(tx, "ada"), user(tx, "bob"));
    assert_eq!(tx.second_factor(ada).unwrap(), None);
    assert!(tx.confirm_second_factor(ada, 1, &[]).is_err());
    tx.put_second_factor(&factor(ada)).unwrap();
    tx.put_second_factor(&factor(bob)).unwrap();
    assert_eq!(tx.second_factor(ada).unwrap(), Some(factor(ada)));
    tx.confirm_second_factor(ada, 7, &["a".into(), "b".into()]).unwrap();
    assert!(tx.second_factor(ada).unwrap().unwrap().confirmed);
    assert_eq!((tx.recovery_codes_left(ada).unwrap(), tx.recovery_codes_left(bob).unwrap()), (2, 0));
    // A step is used once, and none before it afterwards.
    assert_eq!(
        [7, 6, 8, 8, 7].map(|step| tx.use_second_factor_step(ada, step).unwrap()),
        [false, false, true, false, false]
    );
    assert_eq!(["a", "a", "c"].map(|hash| tx.use_recovery_code(ada, hash).unwrap()), [true, false, false]);
    assert!(!tx.use_recovery_code(bob, "b").unwrap(), "another's");
    // Another one takes its place, and its codes with it.
    tx.put_second_factor(&factor(ada)).unwrap();
    assert!(!tx.second_factor(ada).unwrap().unwrap().confirmed);
    assert_eq!(tx.recovery_codes_left(ada).unwrap(), 0);
    assert!(tx.remove_second_factor(ada).unwrap());
    assert!(!tx.remove_second_factor(ada).unwrap());
    tx.delete_user("bob").unwrap();
    assert_eq!(tx.second_factor(bob).unwrap(), None);
}

pub(super) fn failures_and_networks(tx: &mut dyn Transaction) {
    let ada = user(tx, "ada");
    assert_eq!(tx.login_failures(ada).unwrap(), None);
    assert_eq!(tx.note_login_failure(ada, time(10), time(0)).unwrap().count, 1);
    let second = tx.note_login_failure(ada, time(20), time(5)).unwrap();
    assert_eq!(second, LoginFailures { count: 2, last: time(20) });
    // The last one is too long ago: it begins anew.
    assert_eq!(tx.note_login_failure(ada, time(90), time(30)).unwrap().count, 1);
    assert!(tx.forget_login_failures(ada).unwrap());
    assert!(!tx.forget_login_failures(ada).unwrap());
    for (network, at) in [("192.0.2.1", 1), ("192.0.2.2", 2), ("192.0.2.3", 3), ("192.0.2.1", 4)] {
        tx.note_login_network(ada, network, time(at), 2).unwrap();
    }
    let knows =
        |tx: &mut dyn Transaction, network: &str, since| tx.knows_login_network(ada, network, time(since)).unwrap();
    assert!(knows(tx, "192.0.2.1", 4) && knows(tx, "192.0.2.3", 3));
    assert!(!knows(tx, "192.0.2.2", 0), "the oldest of more than two");
    assert!(!knows(tx, "192.0.2.3", 4) && !knows(tx, "192.0.2.9", 0));
}

pub(super) fn uses_of_tokens(tx: &mut dyn Transaction) {
    user(tx, "ada");
    let token = TokenRecord {
        id: "t1".into(),
        owner: "ada".into(),
        hash: "h".into(),
        scopes: vec!["all".into()],
        created: time(1),
        expires: None,
        revoked: false,
        used: None,
    };
    tx.create_token(&token).unwrap();
    assert_eq!(tx.token_by_hash("h").unwrap().unwrap().used, None);
    tx.tokens_used(&[("t1".into(), time(9)), ("gone".into(), time(9)), ("t1".into(), time(4))]).unwrap();
    assert_eq!(tx.tokens_of("ada").unwrap()[0].used, Some(time(9)));
}
