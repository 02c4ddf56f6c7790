use std::collections::{BTreeMap, BTreeSet};

use sealyard_identity::WorkspaceName;
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::GroupRole;

use crate::{App, AppError, Caller};

/// What the settings give to groups: by provider, the roles of each of its groups. A role is `NAME`, or `WORKSPACE/NAME`.
pub type DeclaredRoles = BTreeMap<String, BTreeMap<String, Vec<String>>>;

impl App {
    /// Makes the declared roles of all groups be these and no others. What somebody gave to a group by a command stays. A role
    /// that is not there yet is made, and gives nothing before somebody gives it something.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a name that can't be a role's; [`AppError::Store`].
    pub async fn declare_group_roles(&self, declared: DeclaredRoles) -> Result<(), AppError> {
        let named = declared.values().flat_map(BTreeMap::values).flatten();
        for role in named {
            let (workspace, name) = split(role);
            WorkspaceName::new(workspace).map_err(|error| AppError::Invalid(error.to_string()))?;
            crate::access::check_role_name(name)?;
        }
        let now = self.now();
        let event = |act| self.event(&Caller::system(), Outcome::Done, act);
        let events = event(Act::SettingsApplied { what: "roles of groups".to_owned() });
        self.change_grants(move |tx| {
            let wanted = resolve(tx, &declared, now)?;
            let there: BTreeSet<(i64, i64)> = tx
                .group_roles()?
                .into_iter()
                .filter(|role| role.declared)
                .map(|role| (role.group, role.role))
                .collect();
            for &(group, role) in there.difference(&wanted) {
                tx.remove_group_role(&GroupRole { group, role, declared: true })?;
            }
            for &(group, role) in wanted.difference(&there) {
                tx.add_group_role(&GroupRole { group, role, declared: true })?;
            }
            if there != wanted {
                tx.record(&events)?;
            }
            Ok(())
        })
        .await
    }
}

fn split(role: &str) -> (&str, &str) {
    role.split_once('/').unwrap_or((WorkspaceName::DEFAULT, role))
}

fn resolve(
    tx: &mut dyn Transaction,
    declared: &DeclaredRoles,
    now: sealyard_core::Timestamp,
) -> Result<BTreeSet<(i64, i64)>, AppError> {
    let mut roles: BTreeMap<(String, String), i64> =
        tx.roles(None)?.into_iter().map(|role| ((role.workspace, role.name), role.id)).collect();
    let mut wanted = BTreeSet::new();
    for (provider, groups) in declared {
        for (name, names) in groups {
            let group = match tx.group_named(provider, name)? {
                Some(group) => group.id,
                None => tx.create_group(provider, name, now)?.id,
            };
            for role in names {
                let (workspace, role) = split(role);
                let key = (workspace.to_owned(), role.to_owned());
                let id = match roles.get(&key) {
                    Some(id) => *id,
                    None => {
                        let made = tx.create_role(workspace, role, Some("named in the settings"), now)?.id;
                        roles.insert(key, made);
                        made
                    }
                };
                wanted.insert((group, id));
            }
        }
    }
    Ok(wanted)
}
