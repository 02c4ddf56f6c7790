//! Groups: some accounts under one name. Those of a provider of identities are as the provider says at each log in; what is made
//! here is changed here. What either is given, a right or a role, is given here.

use sealyard_identity::{Administer, Authorized, UserDirectory};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{GroupRecord, GroupRole};
use serde::Serialize;

use super::KeepsAccounts;
use super::grants::{GrantFilter, GrantSummary, full_name, listed};
use super::roles::find_role;
use super::users::find;
use crate::{App, AppError, Caller};

const NAME_CHARS: usize = 255;
const MOST_GROUPS: usize = 10_000;

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupSummary {
    /// Its number.
    pub id: i64,
    /// As people write it.
    pub name: String,
    /// The provider of identities that says who is in it; none for one that is made here.
    pub provider: Option<String>,
}

/// A group with who is in it and what it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupDetails {
    /// The group.
    #[serde(flatten)]
    pub group: GroupSummary,
    /// Who is in it.
    pub users: Vec<String>,
    /// The roles that all of them have.
    pub roles: Vec<String>,
    /// What all of them were given.
    pub grants: Vec<GrantSummary>,
}

impl App {
    /// Makes a group of this server.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn create_group<A>(
        &self,
        caller: &Caller,
        _may: &Authorized<A, UserDirectory>,
        name: &str,
    ) -> Result<GroupSummary, AppError>
    where
        A: KeepsAccounts,
    {
        check_name(name)?;
        let (name, now) = (name.to_owned(), self.now());
        let event = self.event(caller, Outcome::Done, Act::GroupCreated { id: 0, name: name.clone() });
        self.change_grants(move |tx| {
            if tx.groups()?.len() >= MOST_GROUPS {
                return Err(AppError::Invalid(format!("a server has at most {MOST_GROUPS} groups")));
            }
            let made = tx.create_group(GroupRecord::LOCAL, &name, now)?;
            tx.record(&Event { act: Act::GroupCreated { id: made.id, name }, ..event })?;
            Ok(summary(&made))
        })
        .await
    }

    /// All groups.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn groups(&self, _may: &Authorized<Administer, UserDirectory>) -> Result<Vec<GroupSummary>, AppError> {
        let groups = self.store().read(|tx| Ok::<_, AppError>(tx.groups()?)).await?;
        Ok(groups.iter().map(summary).collect())
    }

    /// A group with all about it.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn group(
        &self,
        _may: &Authorized<Administer, UserDirectory>,
        name: &str,
    ) -> Result<GroupDetails, AppError> {
        let name = name.to_owned();
        self.store()
            .read(move |tx| {
                let group = find_group(tx, &name)?;
                let mut users = Vec::new();
                for id in tx.group_members(group.id)? {
                    users.extend(tx.user_numbered(id)?.map(|user| user.name));
                }
                users.sort();
                let mut roles = Vec::new();
                for role in tx.group_roles()?.into_iter().filter(|role| role.group == group.id) {
                    roles.extend(tx.role(role.role)?.map(|role| full_name(&role)));
                }
                roles.sort();
                roles.dedup();
                let filter = GrantFilter { group: Some(name), ..GrantFilter::default() };
                Ok(GroupDetails { group: summary(&group), users, roles, grants: listed(tx, &filter)? })
            })
            .await
    }

    /// Deletes a group of this server, with what it was given.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for a provider's.
    pub async fn delete_group<A>(
        &self,
        caller: &Caller,
        _may: &Authorized<A, UserDirectory>,
        name: &str,
    ) -> Result<(), AppError>
    where
        A: KeepsAccounts,
    {
        let name = name.to_owned();
        let event =
            self.event(caller, Outcome::Done, Act::GroupDeleted { id: 0, name: name.chars().take(300).collect() });
        self.change_grants(move |tx| {
            let group = find_local(tx, &name)?;
            tx.delete_group(group.id)?;
            Ok(tx.record(&Event { act: Act::GroupDeleted { id: group.id, name: group.name }, ..event })?)
        })
        .await
    }

    /// Puts a user into a group of this server, or takes them out. What is so already changes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Conflict`] for a provider's.
    pub async fn set_group_member<A>(
        &self,
        caller: &Caller,
        _may: &Authorized<A, UserDirectory>,
        group: &str,
        user: &str,
        member: bool,
    ) -> Result<(), AppError>
    where
        A: KeepsAccounts,
    {
        let (group, user) = (group.to_owned(), user.to_owned());
        let like = self.event(caller, Outcome::Done, Act::GroupUpdated { id: 0, change: String::new() });
        self.change_grants(move |tx| {
            let group = find_local(tx, &group)?;
            let user = find(tx, &user)?;
            let (changed, sign) = if member {
                (tx.add_group_member(group.id, user.id)?, '+')
            } else {
                (tx.remove_group_member(group.id, user.id)?, '-')
            };
            if changed {
                let act = Act::GroupUpdated { id: group.id, change: format!("{sign}{}", user.name) };
                tx.record(&Event { act, ..like })?;
            }
            Ok(())
        })
        .await
    }

    /// Gives a role to all of a group, or takes it from them.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn set_group_role(
        &self,
        caller: &Caller,
        _may: &Authorized<Administer, UserDirectory>,
        group: &str,
        role: i64,
        has: bool,
    ) -> Result<(), AppError> {
        let group = group.to_owned();
        let like = self.event(caller, Outcome::Done, Act::GroupUpdated { id: 0, change: String::new() });
        self.change_grants(move |tx| {
            let (group, role) = (find_group(tx, &group)?, find_role(tx, role)?);
            let record = GroupRole { group: group.id, role: role.id, declared: false };
            let (changed, verb) = if has {
                (tx.add_group_role(&record)?, "has")
            } else {
                (tx.remove_group_role(&record)?, "no longer has")
            };
            if changed {
                let change = format!("{verb} the role {}", full_name(&role));
                tx.record(&Event { act: Act::GroupUpdated { id: group.id, change }, ..like })?;
            }
            Ok(())
        })
        .await
    }
}

/// The group of this name, of whatever source.
pub(super) fn find_group(tx: &mut dyn Transaction, name: &str) -> Result<GroupRecord, AppError> {
    let local = tx.group_named(GroupRecord::LOCAL, name)?;
    let found = match (local, name.split_once('/')) {
        (None, Some((source, rest))) => tx.group_named(source, rest)?,
        (local, _) => local,
    };
    found.ok_or_else(|| AppError::NotFound { kind: "group", id: name.chars().take(300).collect() })
}

/// Likewise, of this server: who is in a provider's group is for the provider to say.
fn find_local(tx: &mut dyn Transaction, name: &str) -> Result<GroupRecord, AppError> {
    let group = find_group(tx, name)?;
    if group.source == GroupRecord::LOCAL {
        return Ok(group);
    }
    Err(AppError::Conflict(format!("the group {} is as {} says it is", group.shown(), group.source)))
}

fn summary(group: &GroupRecord) -> GroupSummary {
    let provider = (group.source != GroupRecord::LOCAL).then(|| group.source.clone());
    GroupSummary { id: group.id, name: group.shown(), provider }
}

/// A slash would make it look like a provider's.
fn check_name(name: &str) -> Result<(), AppError> {
    let odd = name.trim().is_empty()
        || name.chars().count() > NAME_CHARS
        || name.chars().any(|character| character.is_control() || character == '/');
    if odd {
        let text = format!("a group's name has 1 to {NAME_CHARS} characters, none of them '/' or a control character");
        return Err(AppError::Invalid(text));
    }
    Ok(())
}
