use std::collections::BTreeSet;

use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::GroupRecord;

use super::users::find as find_user;
use super::{MayProvision, SCIM};
use crate::{App, AppError, Caller};

const NAME_CHARS: usize = 255;
const MOST_GROUPS: usize = 10_000;
const MOST_MEMBERS: usize = 100_000;

/// A group as the directory sees it. Here it is `scim/NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedGroup {
    /// `g` and its number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Who is in it: ids and names.
    pub members: Vec<(String, String)>,
}

/// What changes of a group: its members are replaced, then some come in, then some go out.
#[derive(Debug, Clone, Default)]
pub struct GroupChange {
    /// Its name.
    pub name: Option<String>,
    /// Who is in it from now on, by id: these and no others.
    pub members: Option<Vec<String>>,
    /// Who comes in.
    pub add: BTreeSet<String>,
    /// Who goes out; who is not in it is no error.
    pub remove: BTreeSet<String>,
}

impl GroupChange {
    /// These are in it, and no others; what came before does not count.
    pub fn replace(&mut self, members: Vec<String>) {
        self.members = Some(members);
        self.add.clear();
        self.remove.clear();
    }

    /// Comes in.
    pub fn add(&mut self, id: String) {
        self.remove.remove(&id);
        self.add.insert(id);
    }

    /// Goes out.
    pub fn remove(&mut self, id: String) {
        self.add.remove(&id);
        self.remove.insert(id);
    }
}

impl App {
    /// All groups of the directory, by name, without their members where `members` says so.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn provisioned_groups(
        &self,
        _may: &MayProvision,
        members: bool,
    ) -> Result<Vec<ProvisionedGroup>, AppError> {
        self.store()
            .read(move |tx| {
                let groups = tx.groups()?.into_iter().filter(|group| group.source == SCIM);
                groups.collect::<Vec<_>>().into_iter().map(|group| shown(tx, group, members)).collect()
            })
            .await
    }

    /// One of them.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn provisioned_group(&self, _may: &MayProvision, id: &str) -> Result<ProvisionedGroup, AppError> {
        let id = id.to_owned();
        self.store()
            .read(move |tx| {
                let group = find(tx, &id)?;
                shown(tx, group, true)
            })
            .await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`]; [`AppError::NotFound`] for a member that is not there.
    pub async fn provision_group(
        &self,
        caller: &Caller,
        _may: &MayProvision,
        name: &str,
        members: Vec<String>,
    ) -> Result<ProvisionedGroup, AppError> {
        check_name(name)?;
        check_members(members.len())?;
        let (name, now) = (name.to_owned(), self.now());
        let event = self.event(caller, Outcome::Done, Act::GroupCreated { id: 0, name: name.clone() });
        self.change_grants(move |tx| {
            if tx.groups()?.len() >= MOST_GROUPS {
                return Err(AppError::Invalid(format!("a server has at most {MOST_GROUPS} groups")));
            }
            let group = match tx.group_named(SCIM, &name)? {
                Some(_) => return Err(AppError::AlreadyExists { kind: "group", id: name }),
                None => tx.create_group(SCIM, &name, now)?,
            };
            for id in &members {
                let user = find_user(tx, id)?;
                tx.add_group_member(group.id, user.id)?;
            }
            tx.record(&Event { act: Act::GroupCreated { id: group.id, name: group.shown() }, ..event })?;
            shown(tx, group, true)
        })
        .await
    }

    /// Changes a group.
    ///
    /// # Errors
    /// As [`Self::provision_group`].
    pub async fn update_provisioned_group(
        &self,
        caller: &Caller,
        _may: &MayProvision,
        id: &str,
        change: GroupChange,
    ) -> Result<ProvisionedGroup, AppError> {
        change.name.as_deref().map_or(Ok(()), check_name)?;
        for many in [change.members.as_ref().map_or(0, Vec::len), change.add.len(), change.remove.len()] {
            check_members(many)?;
        }
        let id = id.to_owned();
        let like = self.event(caller, Outcome::Done, Act::GroupUpdated { id: 0, change: String::new() });
        self.change_grants(move |tx| {
            let group = find(tx, &id)?;
            let mut changed = Vec::new();
            if let Some(name) = change.name.filter(|name| *name != group.name) {
                if tx.group_named(SCIM, &name)?.is_some() {
                    return Err(AppError::AlreadyExists { kind: "group", id: name });
                }
                tx.rename_group(group.id, &name)?;
                changed.push(format!("renamed to {name}"));
            }
            if let Some(members) = &change.members {
                let mut wanted = BTreeSet::new();
                for id in members {
                    wanted.insert(find_user(tx, id)?.id);
                }
                for member in tx.group_members(group.id)? {
                    if !wanted.contains(&member) {
                        tx.remove_group_member(group.id, member)?;
                        changed.push(format!("-u{member}"));
                    }
                }
                for member in wanted {
                    if tx.add_group_member(group.id, member)? {
                        changed.push(format!("+u{member}"));
                    }
                }
            }
            for id in &change.add {
                let user = find_user(tx, id)?;
                if tx.add_group_member(group.id, user.id)? {
                    changed.push(format!("+{id}"));
                }
            }
            for id in &change.remove {
                let number = id.strip_prefix('u').and_then(|number| number.parse().ok());
                if let Some(number) = number
                    && tx.remove_group_member(group.id, number)?
                {
                    changed.push(format!("-{id}"));
                }
            }
            if !changed.is_empty() {
                let change: String = changed.join(", ").chars().take(500).collect();
                tx.record(&Event { act: Act::GroupUpdated { id: group.id, change }, ..like })?;
            }
            let group = find(tx, &id)?;
            shown(tx, group, true)
        })
        .await
    }

    /// Deletes a group, with what it was given.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn deprovision_group(&self, caller: &Caller, _may: &MayProvision, id: &str) -> Result<(), AppError> {
        let id = id.to_owned();
        let event = self.event(caller, Outcome::Done, Act::GroupDeleted { id: 0, name: String::new() });
        self.change_grants(move |tx| {
            let group = find(tx, &id)?;
            tx.delete_group(group.id)?;
            Ok(tx.record(&Event { act: Act::GroupDeleted { id: group.id, name: group.shown() }, ..event })?)
        })
        .await
    }
}

/// A group of the directory by its id; others are not there for it.
fn find(tx: &mut dyn Transaction, id: &str) -> Result<GroupRecord, AppError> {
    let number = id.strip_prefix('g').and_then(|number| number.parse().ok());
    let found = number.map(|number| tx.group(number)).transpose()?.flatten();
    let ours = found.filter(|group| group.source == SCIM && format!("g{}", group.id) == id);
    ours.ok_or_else(|| AppError::NotFound { kind: "group", id: id.chars().take(80).collect() })
}

fn check_name(name: &str) -> Result<(), AppError> {
    if name.trim().is_empty() || name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
        let text = format!("displayName has 1 to {NAME_CHARS} characters, and no control characters");
        return Err(AppError::Invalid(text));
    }
    Ok(())
}

fn check_members(many: usize) -> Result<(), AppError> {
    if many > MOST_MEMBERS {
        return Err(AppError::Invalid(format!("a group has at most {MOST_MEMBERS} members")));
    }
    Ok(())
}

fn shown(tx: &mut dyn Transaction, group: GroupRecord, with_members: bool) -> Result<ProvisionedGroup, AppError> {
    let mut members = Vec::new();
    if with_members {
        for number in tx.group_members(group.id)? {
            members.extend(tx.user_numbered(number)?.map(|user| (user.principal_id(), user.name)));
        }
    }
    Ok(ProvisionedGroup { id: format!("g{}", group.id), name: group.name, members })
}
