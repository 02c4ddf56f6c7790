use sealyard_core::Timestamp;
use sealyard_identity::PrincipalName;
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{ExternalIdentityRecord, UserKind, UserRecord};

use super::{MayProvision, SCIM};
use crate::identities::is_the_servers_own;
use crate::{App, AppError, Caller};

/// Bytes of what the directory calls somebody.
const EXTERNAL_BYTES: usize = 512;

/// An account as the directory sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedUser {
    /// `u` and its number.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What the directory calls it.
    pub external: Option<String>,
    /// Whether somebody can be it.
    pub active: bool,
    /// The groups of the directory that it is in: ids and names.
    pub groups: Vec<(String, String)>,
    /// When it was made.
    pub created: Timestamp,
}

/// An account to be made.
#[derive(Debug, Clone)]
pub struct NewProvisionedUser {
    /// Its name.
    pub name: String,
    /// What the directory calls it.
    pub external: Option<String>,
    /// Whether somebody can be it.
    pub active: bool,
}

/// What changes of an account; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct UserChange {
    /// What the directory calls it; the inner `None` forgets it.
    pub external: Option<Option<String>>,
    /// Whether somebody can be it.
    pub active: Option<bool>,
}

impl App {
    /// All persons, by name.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn provisioned_users(&self, _may: &MayProvision) -> Result<Vec<ProvisionedUser>, AppError> {
        self.store()
            .read(|tx| {
                let users = tx.users()?;
                users.into_iter().filter(|user| user.kind == UserKind::Person).map(|user| shown(tx, &user)).collect()
            })
            .await
    }

    /// One of them, by id.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn provisioned_user(&self, _may: &MayProvision, id: &str) -> Result<ProvisionedUser, AppError> {
        let id = id.to_owned();
        self.store()
            .read(move |tx| {
                let user = find(tx, &id)?;
                shown(tx, &user)
            })
            .await
    }

    /// Makes an account without a password: it can log in once a provider of identities vouches for it, or somebody gives it a
    /// password.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a name that can't be one; [`AppError::AlreadyExists`] for one that is taken, in whatever case.
    pub async fn provision_user(
        &self,
        caller: &Caller,
        _may: &MayProvision,
        new: NewProvisionedUser,
    ) -> Result<ProvisionedUser, AppError> {
        let name = PrincipalName::new(new.name.as_str()).map_err(|error| AppError::Invalid(error.to_string()))?;
        if is_the_servers_own(&name) {
            return Err(AppError::Invalid(format!("the name {name} is the server's own")));
        }
        check_external(new.external.as_deref())?;
        let now = self.now();
        let created = self.event(caller, Outcome::Done, Act::UserCreated { name: name.to_string(), admin: false });
        let made = self
            .store()
            .write(move |tx| {
                let taken = tx.users()?.into_iter().any(|user| user.name.eq_ignore_ascii_case(name.as_str()));
                if taken {
                    return Err(AppError::AlreadyExists { kind: "user", id: name.to_string() });
                }
                let user = tx.create_user(&UserRecord {
                    id: 0,
                    name: name.into(),
                    password: None,
                    admin: false,
                    kind: UserKind::Person,
                    disabled: !new.active,
                    created: now,
                })?;
                set_external(tx, &user, new.external, now)?;
                tx.record(&created)?;
                if user.disabled {
                    let act = Act::UserUpdated { name: user.name.clone(), change: "disabled".to_owned() };
                    tx.record(&Event { act, ..created })?;
                }
                shown(tx, &user)
            })
            .await?;
        self.sequencer.notify();
        Ok(made)
    }

    /// Changes an account. One that is not active any more is nobody at once, with its sessions and tokens.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for an administrator.
    pub async fn update_provisioned_user(
        &self,
        caller: &Caller,
        may: &MayProvision,
        id: &str,
        change: UserChange,
    ) -> Result<ProvisionedUser, AppError> {
        let user = self.reachable(caller, id).await?;
        check_external(change.external.as_ref().and_then(Option::as_deref))?;
        if let Some(active) = change.active {
            self.set_disabled(caller, may, &user.name, !active).await?;
        }
        let now = self.now();
        self.store()
            .write(move |tx| {
                let user = find_by_number(tx, user.id)?;
                if let Some(external) = change.external {
                    set_external(tx, &user, external, now)?;
                }
                shown(tx, &user)
            })
            .await
    }

    /// Deletes an account.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Denied`] for an administrator.
    pub async fn deprovision_user(&self, caller: &Caller, _may: &MayProvision, id: &str) -> Result<(), AppError> {
        let user = self.reachable(caller, id).await?;
        let event = self.event(caller, Outcome::Done, Act::UserDeleted { name: user.name });
        self.change_grants(move |tx| {
            let user = find_by_number(tx, user.id)?;
            if user.admin {
                // Made one meanwhile.
                return Err(AppError::Conflict(format!("{} is an administrator", user.name)));
            }
            tx.delete_user(&user.name)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    /// The account, unless it is an administrator's, which only administrators change.
    async fn reachable(&self, caller: &Caller, id: &str) -> Result<UserRecord, AppError> {
        let wanted = id.to_owned();
        let user = self.store().read(move |tx| find(tx, &wanted)).await?;
        if user.admin {
            let (rule, action, resource) =
                ("authorization", "provision".to_owned(), format!("administrator {}", user.name));
            let act = Act::AccessDenied { action: action.clone(), resource: resource.clone(), rule: rule.to_owned() };
            self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
            return Err(AppError::Denied { rule, action, resource });
        }
        Ok(user)
    }
}

/// A person by the id that the directory was told.
pub(super) fn find(tx: &mut dyn Transaction, id: &str) -> Result<UserRecord, AppError> {
    let number = id.strip_prefix('u').and_then(|number| number.parse().ok());
    let found = number.map(|number| tx.user_numbered(number)).transpose()?.flatten();
    let person = found.filter(|user| user.kind == UserKind::Person && user.principal_id() == id);
    person.ok_or_else(|| AppError::NotFound { kind: "user", id: id.chars().take(80).collect() })
}

fn find_by_number(tx: &mut dyn Transaction, number: i64) -> Result<UserRecord, AppError> {
    let found = tx.user_numbered(number)?;
    found.ok_or_else(|| AppError::NotFound { kind: "user", id: format!("u{number}") })
}

fn check_external(external: Option<&str>) -> Result<(), AppError> {
    let odd = external
        .is_some_and(|text| text.is_empty() || text.len() > EXTERNAL_BYTES || text.chars().any(char::is_control));
    if odd { Err(AppError::Invalid(format!("externalId has 1 to {EXTERNAL_BYTES} bytes"))) } else { Ok(()) }
}

fn set_external(
    tx: &mut dyn Transaction,
    user: &UserRecord,
    external: Option<String>,
    now: Timestamp,
) -> Result<(), AppError> {
    for old in tx.external_identities_of(user.id)?.into_iter().filter(|one| one.provider == SCIM) {
        if external.as_ref() == Some(&old.subject) {
            return Ok(());
        }
        tx.remove_external_identity(SCIM, &old.subject)?;
    }
    let Some(subject) = external else { return Ok(()) };
    if tx.external_identity(SCIM, &subject)?.is_some() {
        return Err(AppError::AlreadyExists { kind: "user", id: subject });
    }
    tx.create_external_identity(&ExternalIdentityRecord {
        provider: SCIM.to_owned(),
        subject,
        user: user.id,
        created: now,
        seen: now,
    })?;
    Ok(())
}

fn shown(tx: &mut dyn Transaction, user: &UserRecord) -> Result<ProvisionedUser, AppError> {
    let external = tx.external_identities_of(user.id)?.into_iter().find(|one| one.provider == SCIM);
    let groups = tx.groups_of(user.id)?.into_iter().filter(|group| group.source == SCIM);
    Ok(ProvisionedUser {
        id: user.principal_id(),
        name: user.name.clone(),
        external: external.map(|one| one.subject),
        active: !user.disabled,
        groups: groups.map(|group| (format!("g{}", group.id), group.name)).collect(),
        created: user.created,
    })
}
