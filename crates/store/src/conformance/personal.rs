use sealyard_core::{FixedClock, FixedRng};
use sealyard_ledger::personal::{Kept, Personal, digest_in};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome};

use super::time;
use crate::Transaction;
use crate::ledger::sequence;
use crate::model::{UserKind, UserRecord};

fn event(at: i64, actor: &str, act: Act) -> Event {
    Event {
        time: time(at),
        actor: actor.into(),
        source: Some("203.0.113.9".into()),
        request_id: None,
        in_workspace: None,
        outcome: Outcome::Done,
        act,
    }
}

pub(super) fn can_be_erased_and_the_log_stays(tx: &mut dyn Transaction) {
    let login = || Act::LoggedIn { method: "password".into() };
    let typed = Act::LoginFailed { name: "hunter2 typed into the wrong field".into(), reason: "wrong".into() };
    for event in [event(1, "ada", login()), event(2, "bob", login()), event(3, "anonymous", typed)] {
        tx.record(&event).unwrap();
    }
    let key = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
    sequence(tx, &key, &FixedClock::at(time(9)), 10).unwrap();
    let entries = tx.entries(0, 10).unwrap();
    let mut digests = Vec::new();
    for entry in &entries {
        let text = String::from_utf8(entry.bytes.clone()).unwrap();
        assert!(!text.contains("203.0.113.9") && !text.contains("hunter2"), "{text}");
        digests.push(digest_in(&entry.bytes).unwrap());
    }
    // A refused log-in is nobody's act, and tells of the account that it was for.
    let user = UserRecord {
        id: 0,
        name: "carol".into(),
        password: None,
        admin: false,
        kind: UserKind::Person,
        disabled: false,
        created: time(1),
    };
    tx.create_user(&user).unwrap();
    let wrong = Act::LoginFailed { name: "carol".into(), reason: "wrong".into() };
    tx.record(&event(2, "anonymous", wrong)).unwrap();
    assert_eq!(tx.erase_personal(Some("carol"), time(3)).unwrap(), 1);

    let Kept::There { salt, text } = tx.personal(&digests[2]).unwrap() else { panic!("it is gone") };
    assert!(text.contains("203.0.113.9") && text.contains("hunter2"));
    assert_eq!(Personal::digest_of(&salt, &text), digests[2]);

    assert_eq!(tx.erase_personal(Some("bob"), time(2)).unwrap(), 0, "not before that");
    assert_eq!(tx.erase_personal(Some("bob"), time(3)).unwrap(), 1);
    assert_eq!(tx.erase_personal(Some("bob"), time(3)).unwrap(), 0, "once");
    assert_eq!(tx.personal(&digests[1]).unwrap(), Kept::Erased);
    assert!(matches!(tx.personal(&digests[0]).unwrap(), Kept::There { .. }));
    assert_eq!(tx.erase_personal(None, time(3)).unwrap(), 1);
    assert_eq!(tx.personal(&digests[0]).unwrap(), Kept::Erased);
    assert!(matches!(tx.personal(&digests[2]).unwrap(), Kept::There { .. }));
    assert_eq!(tx.entries(0, 10).unwrap(), entries);
    assert_eq!(tx.personal(&sealyard_core::Digest::of(b"other")).unwrap(), Kept::Missing);
}
