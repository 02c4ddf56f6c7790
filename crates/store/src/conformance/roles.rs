use super::time;
use crate::model::{RolePermissionRecord, UserRecord};
use crate::{StoreError, Transaction};

fn permission(role: i64, kind: &str, pattern: &str, permission: &str) -> RolePermissionRecord {
    RolePermissionRecord {
        id: 0,
        role,
        resource_type: kind.into(),
        resource_pattern: pattern.into(),
        permission: permission.into(),
    }
}

fn user(tx: &mut dyn Transaction, name: &str) -> i64 {
    let user = UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: false,
        kind: crate::model::UserKind::Person,
        disabled: false,
        created: time(1),
    };
    tx.create_user(&user).unwrap().id
}

pub(super) fn lifecycle(tx: &mut dyn Transaction) {
    let role = tx.create_role("default", "trainers", Some("who train"), time(1)).unwrap();
    let other = tx.create_role("other", "trainers", None, time(1)).unwrap();
    assert!(matches!(tx.create_role("default", "trainers", None, time(1)), Err(StoreError::AlreadyExists { .. })));
    assert_eq!(tx.role(role.id).unwrap(), Some(role.clone()));
    assert_eq!(tx.roles(Some("default")).unwrap(), std::slice::from_ref(&role));
    assert_eq!(tx.roles(None).unwrap().len(), 2);
    let second = tx.create_role("default", "second", None, time(1)).unwrap();
    assert!(matches!(tx.update_role(second.id, "trainers", None), Err(StoreError::AlreadyExists { .. })));
    tx.update_role(role.id, "people", None).unwrap();
    let read = tx.role(role.id).unwrap().unwrap();
    assert_eq!((read.name.as_str(), read.description.as_deref()), ("people", None));
    tx.add_role_permission(&permission(role.id, "experiment", "1", "READ")).unwrap();
    tx.delete_role(role.id).unwrap();
    assert_eq!(tx.role(role.id).unwrap(), None);
    assert!(tx.create_role("default", "people", None, time(1)).unwrap().id > other.id);
    assert!(tx.access_rules().unwrap().grants.is_empty());
    for outcome in [tx.delete_role(999), tx.update_role(999, "x", None)] {
        assert!(matches!(outcome, Err(StoreError::NotFound { .. })));
    }
}

pub(super) fn permissions_become_grants(tx: &mut dyn Transaction) {
    let role = tx.create_role("default", "trainers", None, time(1)).unwrap().id;
    let elsewhere = tx.create_role("other", "trainers", None, time(1)).unwrap().id;
    tx.add_role_permission(&permission(elsewhere, "experiment", "9", "MANAGE")).unwrap();
    let rules = tx.access_rules().unwrap().grants;
    assert_eq!(rules[0].to_string(), format!("MANAGE on other/experiment:9 to role:r{elsewhere}"));
    tx.delete_role(elsewhere).unwrap();
    let seven = tx.add_role_permission(&permission(role, "experiment", "7", "EDIT")).unwrap();
    assert!(matches!(tx.add_role_permission(&seven), Err(StoreError::AlreadyExists { .. })));
    let model = tx.add_role_permission(&permission(role, "registered_model", "fraud", "NO_PERMISSIONS")).unwrap();
    tx.add_role_permission(&permission(role, "workspace", "*", "READ")).unwrap();
    tx.add_role_permission(&permission(role, "gateway_endpoint", "*", "USE")).unwrap();
    tx.add_role_permission(&permission(role, "scorer", "*", "MANAGE")).unwrap();
    let texts = |tx: &mut dyn Transaction| {
        tx.access_rules().unwrap().grants.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let to = format!("to role:r{role}");
    assert_eq!(
        texts(tx),
        [
            format!("EDIT on experiment:7 {to}"),
            format!("DENY on registered-model:fraud {to}"),
            format!("READ on workspace:default {to}"),
            format!("READ on experiment:* {to}"),
            format!("READ on registered-model:* {to}"),
            format!("READ on gateway-secret:* {to}"),
            format!("READ on gateway-model-definition:* {to}"),
            format!("READ on gateway-endpoint:* {to}"),
            format!("USE on gateway-endpoint:* {to}"),
        ]
    );
    tx.update_role_permission(seven.id, "MANAGE").unwrap();
    tx.remove_role_permission(model.id).unwrap();
    assert_eq!(texts(tx)[0], format!("MANAGE on experiment:7 {to}"));
    assert_eq!(texts(tx).len(), 8);
    assert_eq!(tx.role_permission(seven.id).unwrap().unwrap().permission, "MANAGE");
    assert_eq!(tx.role(role).unwrap().unwrap().permissions.len(), 4);
    assert!(matches!(tx.remove_role_permission(model.id), Err(StoreError::NotFound { .. })));
    assert!(matches!(tx.update_role_permission(model.id, "READ"), Err(StoreError::NotFound { .. })));
    assert!(matches!(
        tx.add_role_permission(&permission(999, "experiment", "1", "READ")),
        Err(StoreError::NotFound { .. })
    ));
}

pub(super) fn members(tx: &mut dyn Transaction) {
    let (ada, bob) = (user(tx, "ada"), user(tx, "bob"));
    let role = tx.create_role("default", "trainers", None, time(1)).unwrap().id;
    let second = tx.create_role("default", "second", None, time(1)).unwrap().id;
    let made = tx.assign_role(ada, role).unwrap();
    tx.assign_role(bob, role).unwrap();
    tx.assign_role(ada, second).unwrap();
    assert!(matches!(tx.assign_role(ada, role), Err(StoreError::AlreadyExists { .. })));
    assert!(matches!(tx.assign_role(ada, 999), Err(StoreError::NotFound { .. })));
    assert_eq!(tx.role_members(role).unwrap()[0], made);
    assert_eq!(tx.roles_of(ada).unwrap().iter().map(|role| role.id).collect::<Vec<_>>(), [role, second]);
    let rules = tx.access_rules().unwrap();
    let shown: Vec<_> = rules.memberships.iter().map(|one| format!("{} {}", one.principal, one.of)).collect();
    assert_eq!(
        shown,
        [format!("u{ada} role:r{role}"), format!("u{bob} role:r{role}"), format!("u{ada} role:r{second}")]
    );
    tx.unassign_role(ada, second).unwrap();
    assert!(matches!(tx.unassign_role(ada, second), Err(StoreError::NotFound { .. })));
    tx.delete_user("ada").unwrap();
    assert_eq!(tx.role_members(role).unwrap().len(), 1);
    let act = |id: i64| sealyard_identity::Grant {
        grantee: format!("role:r{id}").parse().unwrap(),
        pattern: "registered-model:m".parse().unwrap(),
        right: "act:promote".parse().unwrap(),
    };
    for id in [role, second] {
        tx.set_grant(&act(id)).unwrap();
    }
    tx.delete_role(role).unwrap();
    let rules = tx.access_rules().unwrap();
    assert!(rules.memberships.is_empty());
    assert_eq!(rules.grants, [act(second)], "what was given to a role goes with it");
}
