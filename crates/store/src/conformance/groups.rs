use super::time;
use crate::model::{ExternalIdentityRecord, GroupRecord, GroupRole, SessionRecord, UserKind, UserRecord};
use crate::{StoreError, Transaction};

fn user(tx: &mut dyn Transaction, name: &str) -> i64 {
    let (kind, created) = (UserKind::Person, time(1));
    let user = UserRecord { id: 0, name: name.into(), password: None, admin: false, kind, disabled: false, created };
    tx.create_user(&user).unwrap().id
}

fn memberships(tx: &mut dyn Transaction) -> Vec<String> {
    let rules = tx.access_rules().unwrap();
    rules.memberships.iter().map(|one| format!("{} {}", one.principal, one.of)).collect()
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let local = tx.create_group(GroupRecord::LOCAL, "trainers", time(1)).unwrap();
    let corp = tx.create_group("corp", "trainers", time(1)).unwrap();
    assert_ne!(local.id, corp.id);
    assert!(matches!(tx.create_group("corp", "trainers", time(1)), Err(StoreError::AlreadyExists { .. })));
    assert_eq!((local.shown().as_str(), corp.shown().as_str()), ("trainers", "corp/trainers"));
    assert_eq!(tx.group_named("corp", "trainers").unwrap(), Some(corp.clone()));
    assert_eq!(tx.groups().unwrap(), [local.clone(), corp.clone()]);
    let other = tx.create_group("corp", "other", time(1)).unwrap();
    assert!(matches!(tx.rename_group(other.id, "trainers"), Err(StoreError::AlreadyExists { .. })));
    tx.rename_group(corp.id, "people").unwrap();
    assert_eq!(tx.group(corp.id).unwrap().unwrap().name, "people");
    let grant = super::identities::grant(&format!("group:g{}", corp.id), "experiment:1", "READ");
    tx.set_grant(&grant).unwrap();
    tx.delete_group(corp.id).unwrap();
    assert!(tx.grants().unwrap().is_empty());
    assert!(tx.create_group("corp", "people", time(1)).unwrap().id > other.id, "a number is never used again");
    for outcome in [tx.delete_group(999), tx.rename_group(999, "x")] {
        assert!(matches!(outcome, Err(StoreError::NotFound { .. })));
    }
}

pub(super) fn members_have_its_roles(tx: &mut dyn Transaction) {
    let (ada, bob) = (user(tx, "ada"), user(tx, "bob"));
    let group = tx.create_group("corp", "trainers", time(1)).unwrap().id;
    let role = tx.create_role("default", "trainers", None, time(1)).unwrap().id;
    assert!(tx.add_group_member(group, ada).unwrap() && !tx.add_group_member(group, ada).unwrap());
    tx.add_group_member(group, bob).unwrap();
    assert_eq!(tx.group_members(group).unwrap(), [ada, bob]);
    assert_eq!(tx.groups_of(ada).unwrap()[0].id, group);
    let (declared, given) = (GroupRole { group, role, declared: true }, GroupRole { group, role, declared: false });
    assert!(tx.add_group_role(&declared).unwrap() && !tx.add_group_role(&declared).unwrap());
    assert!(tx.add_group_role(&given).unwrap());
    assert_eq!(tx.group_roles().unwrap(), [given, declared]);
    let all = [
        format!("u{ada} group:g{group}"),
        format!("u{bob} group:g{group}"),
        format!("u{ada} role:r{role}"),
        format!("u{bob} role:r{role}"),
    ];
    assert_eq!(memberships(tx), all);
    // What somebody gave does not go with what the settings say no more.
    assert!(tx.remove_group_role(&declared).unwrap() && !tx.remove_group_role(&declared).unwrap());
    assert_eq!(memberships(tx), all);
    assert!(tx.remove_group_member(group, ada).unwrap() && !tx.remove_group_member(group, ada).unwrap());
    assert_eq!(memberships(tx), [format!("u{bob} group:g{group}"), format!("u{bob} role:r{role}")]);
    tx.delete_user("bob").unwrap();
    assert!(memberships(tx).is_empty());
    tx.delete_role(role).unwrap();
    assert!(tx.group_roles().unwrap().is_empty());
    assert!(matches!(tx.add_group_member(999, ada), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.add_group_role(&given), Err(StoreError::NotFound { .. })));
}

pub(super) fn external_identities(tx: &mut dyn Transaction) {
    let (ada, bob) = (user(tx, "ada"), user(tx, "bob"));
    let identity = |user, subject: &str| ExternalIdentityRecord {
        provider: "corp".into(),
        subject: subject.into(),
        user,
        created: time(1),
        seen: time(1),
    };
    tx.create_external_identity(&identity(ada, "1")).unwrap();
    assert!(matches!(tx.create_external_identity(&identity(bob, "1")), Err(StoreError::AlreadyExists { .. })));
    assert_eq!(tx.external_identity("corp", "1").unwrap(), Some(identity(ada, "1")));
    assert_eq!(tx.external_identity("other", "1").unwrap(), None);
    tx.external_identity_seen("corp", "1", time(9)).unwrap();
    tx.external_identity_seen("corp", "1", time(3)).unwrap();
    assert_eq!(tx.external_identities_of(ada).unwrap()[0].seen, time(9));
    tx.create_external_identity(&identity(bob, "2")).unwrap();
    assert!(tx.remove_external_identity("corp", "2").unwrap() && !tx.remove_external_identity("corp", "2").unwrap());
    tx.delete_user("ada").unwrap();
    assert_eq!(tx.external_identity("corp", "1").unwrap(), None);
}

pub(super) fn sessions_of_a_provider(tx: &mut dyn Transaction) {
    for name in ["ada", "bob"] {
        user(tx, name);
    }
    let sessions = [("1", "ada", Some("x")), ("2", "ada", Some("y")), ("3", "bob", Some("y")), ("4", "bob", None)];
    for (id, owner, external) in sessions {
        tx.create_session(&SessionRecord {
            id: id.into(),
            owner: owner.into(),
            hash: format!("hash {id}"),
            created: time(1),
            seen: time(1),
            expires: time(9),
            provider: external.map(|_| "corp".into()),
            external: external.map(Into::into),
        })
        .unwrap();
    }
    let found = |tx: &mut dyn Transaction, external, owner| {
        let found = tx.sessions_of_provider("corp", external, owner).unwrap();
        found.into_iter().map(|session| session.id).collect::<Vec<_>>()
    };
    assert_eq!(found(tx, None, None), ["1", "2", "3"]);
    assert_eq!(found(tx, Some("y"), None), ["2", "3"]);
    assert_eq!(found(tx, None, Some("ada")), ["1", "2"]);
    assert_eq!(found(tx, Some("y"), Some("bob")), ["3"]);
    assert!(tx.sessions_of_provider("other", None, None).unwrap().is_empty());
    tx.set_user_disabled("ada", true).unwrap();
    assert!(tx.user("ada").unwrap().unwrap().disabled);
    assert_eq!(found(tx, None, None), ["3"]);
    tx.set_user_disabled("ada", false).unwrap();
    assert!(!tx.user("ada").unwrap().unwrap().disabled);
    assert!(matches!(tx.set_user_disabled("eve", true), Err(StoreError::NotFound { .. })));
}
