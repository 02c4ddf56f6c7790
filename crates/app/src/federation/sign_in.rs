use std::net::IpAddr;

use sealyard_identity::{PrincipalName, Via};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{ExternalIdentityRecord, UserKind, UserRecord};

use super::{ExternalIdentity, MappedIdentity};
use crate::authentication::principal;
use crate::directories::METHOD as DIRECTORY;
use crate::identities::is_the_servers_own;
use crate::{App, AppError, Caller};

/// Bytes of a subject, groups of one account, characters of a group's name.
const SUBJECT_BYTES: usize = 512;
const MOST_GROUPS: usize = 1000;
const GROUP_CHARS: usize = 255;

impl App {
    /// Lets somebody in whom a provider vouches for. The first time this makes their account; each time their groups become
    /// what the provider says, and so does whether they are administrators, where it decides that.
    ///
    /// Writes to the catalog and the ledger: what comes with every request is to be remembered for a while by whoever calls this.
    ///
    /// # Errors
    /// [`AppError::Refused`] for a name or group that can't be one here, and for a name that another account has;
    /// [`AppError::Unauthenticated`] for an account that is disabled.
    pub async fn sign_in_external(
        &self,
        identity: ExternalIdentity,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<Caller, AppError> {
        let event = |actor: &str, outcome, act| Event {
            time: self.now(),
            actor: actor.to_owned(),
            source: source.map(|address| address.to_string()),
            request_id: request_id.clone(),
            in_workspace: None,
            outcome,
            act,
        };
        let signed_in = match check(&identity) {
            Ok(()) => self.enter(&identity, &event).await,
            Err(refused) => Err(refused),
        };
        match signed_in {
            Ok(user) => {
                self.sequencer.notify();
                let via = Via::External { provider: identity.provider, expires: identity.expires };
                Ok(Caller::new(principal(&user, via)?, source, request_id))
            }
            Err(error) => {
                let reason = match &error {
                    AppError::Refused { rule, .. } => format!("{}:{}: {rule}", identity.method, identity.provider),
                    _ => format!("{}:{}", identity.method, identity.provider),
                };
                if matches!(error, AppError::Refused { .. } | AppError::Unauthenticated) {
                    let name = identity.name.chars().take(128).collect();
                    let act = Act::LoginFailed { name, reason };
                    self.record_refusal(event("anonymous", Outcome::Refused, act)).await?;
                }
                Err(error)
            }
        }
    }

    async fn enter(
        &self,
        identity: &ExternalIdentity,
        event: &(dyn Fn(&str, Outcome, Act) -> Event + Send + Sync),
    ) -> Result<UserRecord, AppError> {
        let (wanted, now) = (identity.clone(), self.now());
        let known = self
            .store()
            .read_short(move |tx| match tx.external_identity(&wanted.provider, &wanted.subject)? {
                None => Ok::<_, AppError>(None),
                Some(found) => {
                    let user = user_of(tx, &found)?;
                    has_one_password(&user, &wanted)?;
                    let same = is_as_told(tx, &user, &wanted)?;
                    Ok(Some((user, same)))
                }
            })
            .await?;
        let name = known.as_ref().map_or_else(|| identity.name.clone(), |(user, _)| user.name.clone());
        let method = format!("{}:{}", identity.method, identity.provider);
        let entered = event(&name, Outcome::Done, Act::LoggedIn { method });
        let (provider, subject) = (identity.provider.clone(), identity.subject.clone());
        if let Some((_, true)) = known {
            let told = identity.clone();
            let work = move |tx: &mut dyn Transaction| {
                let found = tx.external_identity(&provider, &subject)?.ok_or(AppError::Unauthenticated)?;
                let user = user_of(tx, &found)?;
                has_one_password(&user, &told)?;
                tx.external_identity_seen(&provider, &subject, now)?;
                tx.record(&entered)?;
                Ok::<_, AppError>(user)
            };
            return self.store().write(work).await;
        }
        let changes = Changes {
            created: event(
                &name,
                Outcome::Done,
                Act::UserCreated { name: name.clone(), admin: identity.administrator.unwrap_or(false) },
            ),
            linked: event(
                &name,
                Outcome::Done,
                Act::IdentityLinked { user: name.clone(), provider: identity.provider.clone() },
            ),
            entered,
        };
        let identity = identity.clone();
        self.change_grants(move |tx| {
            let user = match tx.external_identity(&identity.provider, &identity.subject)? {
                Some(found) => {
                    let user = user_of(tx, &found)?;
                    has_one_password(&user, &identity)?;
                    user
                }
                None => create(tx, &identity, now, &changes)?,
            };
            let user = set_administrator(tx, user, &identity, &changes.entered)?;
            set_groups(tx, &user, &identity, now, &changes.entered)?;
            tx.external_identity_seen(&identity.provider, &identity.subject, now)?;
            tx.record(&changes.entered)?;
            Ok(user)
        })
        .await
    }

    /// Lets a machine, or whoever holds a certificate, be the account that the settings say it is. `first` is to be said of the
    /// first request of a proof: it makes an entry in the ledger, the others do not.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] where there is no such account, or it is disabled.
    pub async fn sign_in_mapped(
        &self,
        identity: MappedIdentity,
        first: bool,
        source: Option<IpAddr>,
        request_id: Option<String>,
    ) -> Result<Caller, AppError> {
        let name = identity.account.clone();
        let found = self.store().read_short(move |tx| Ok::<_, AppError>(tx.user(&name)?)).await?;
        let method = format!("{}:{}", identity.method, identity.provider);
        let via = Via::External { provider: identity.provider, expires: identity.expires };
        let signed_in = found.ok_or(AppError::Unauthenticated).and_then(|user| principal(&user, via));
        let caller = match signed_in {
            Ok(principal) => Caller::new(principal, source, request_id),
            Err(error) => {
                let name = identity.account.chars().take(128).collect();
                let act = Act::LoginFailed { name, reason: method };
                let anonymous = Event {
                    time: self.now(),
                    actor: "anonymous".to_owned(),
                    source: source.map(|address| address.to_string()),
                    request_id,
                    in_workspace: None,
                    outcome: Outcome::Refused,
                    act,
                };
                self.record_refusal(anonymous).await?;
                return Err(error);
            }
        };
        if first {
            self.record(self.event(&caller, Outcome::Done, Act::LoggedIn { method })).await?;
        }
        Ok(caller)
    }
}

struct Changes {
    created: Event,
    linked: Event,
    entered: Event,
}

/// Whether it can be an identity at all.
fn check(identity: &ExternalIdentity) -> Result<(), AppError> {
    let odd = |what: &str| AppError::refused("identity.bounds", format!("the provider gave {what}"));
    if identity.subject.is_empty() || identity.subject.len() > SUBJECT_BYTES {
        return Err(odd("no subject, or one that is too long"));
    }
    let groups = identity.groups.as_deref().unwrap_or_default();
    // Not cut short: what is left out might be what DENY was said of.
    if groups.len() > MOST_GROUPS {
        return Err(odd(&format!("more than {MOST_GROUPS} groups")));
    }
    let can_be =
        |name: &String| !name.is_empty() && name.chars().count() <= GROUP_CHARS && !name.chars().any(char::is_control);
    if !groups.iter().all(can_be) {
        return Err(odd("a group whose name can't be one"));
    }
    Ok(())
}

fn user_of(tx: &mut dyn Transaction, identity: &ExternalIdentityRecord) -> Result<UserRecord, AppError> {
    tx.user_numbered(identity.user)?.filter(|user| !user.disabled).ok_or(AppError::Unauthenticated)
}

/// An account that was given a password here is asked for that one, and for its second factor, and no directory lets it in: not
/// under any other spelling of its name either.
fn has_one_password(user: &UserRecord, told: &ExternalIdentity) -> Result<(), AppError> {
    if told.method == DIRECTORY && user.password.is_some() {
        return Err(AppError::Unauthenticated);
    }
    Ok(())
}

/// Whether the account's groups and rank are what the provider says already.
fn is_as_told(tx: &mut dyn Transaction, user: &UserRecord, told: &ExternalIdentity) -> Result<bool, AppError> {
    if told.administrator.is_some_and(|administrator| administrator != user.admin) {
        return Ok(false);
    }
    let Some(groups) = &told.groups else { return Ok(true) };
    let mut now: Vec<_> = tx.groups_of(user.id)?;
    now.retain(|group| group.source == told.provider);
    let mut now: Vec<&str> = now.iter().map(|group| group.name.as_str()).collect();
    let mut then: Vec<&str> = groups.iter().map(String::as_str).collect();
    now.sort_unstable();
    then.sort_unstable();
    then.dedup();
    Ok(now == then)
}

fn create(
    tx: &mut dyn Transaction,
    identity: &ExternalIdentity,
    now: sealyard_core::Timestamp,
    changes: &Changes,
) -> Result<UserRecord, AppError> {
    let name = PrincipalName::new(identity.name.as_str())
        .map_err(|error| AppError::refused("identity.name", error.to_string()))?;
    if is_the_servers_own(&name) {
        return Err(AppError::refused("identity.name", format!("the name {name} is the server's own")));
    }
    // Two that differ only in case would be taken for one another.
    let alike = |user: &UserRecord| user.name.eq_ignore_ascii_case(name.as_str());
    if tx.user(name.as_str())?.is_some() || tx.users()?.iter().any(alike) {
        let text = format!("there is an account {name} that is not this provider's; an administrator can link them");
        return Err(AppError::refused("identity.name-taken", text));
    }
    let user = tx.create_user(&UserRecord {
        id: 0,
        name: name.into(),
        password: None,
        admin: identity.administrator.unwrap_or(false),
        kind: UserKind::Person,
        disabled: false,
        created: now,
    })?;
    tx.create_external_identity(&ExternalIdentityRecord {
        provider: identity.provider.clone(),
        subject: identity.subject.clone(),
        user: user.id,
        created: now,
        seen: now,
    })?;
    tx.record(&changes.created)?;
    tx.record(&changes.linked)?;
    Ok(user)
}

fn set_administrator(
    tx: &mut dyn Transaction,
    user: UserRecord,
    identity: &ExternalIdentity,
    like: &Event,
) -> Result<UserRecord, AppError> {
    let Some(admin) = identity.administrator.filter(|admin| *admin != user.admin) else { return Ok(user) };
    tx.set_user_admin(&user.name, admin)?;
    let change = if admin { "administrator" } else { "no longer administrator" };
    let act = Act::UserUpdated { name: user.name.clone(), change: format!("{change}, by {}", identity.provider) };
    tx.record(&Event { act, ..like.clone() })?;
    Ok(UserRecord { admin, ..user })
}

fn set_groups(
    tx: &mut dyn Transaction,
    user: &UserRecord,
    identity: &ExternalIdentity,
    now: sealyard_core::Timestamp,
    like: &Event,
) -> Result<(), AppError> {
    let Some(told) = &identity.groups else { return Ok(()) };
    let mut changed = Vec::new();
    for group in tx.groups_of(user.id)? {
        if group.source == identity.provider && !told.contains(&group.name) {
            tx.remove_group_member(group.id, user.id)?;
            changed.push(format!("-{}", group.name));
        }
    }
    for name in told {
        let group = match tx.group_named(&identity.provider, name)? {
            Some(group) => group,
            None => tx.create_group(&identity.provider, name, now)?,
        };
        if tx.add_group_member(group.id, user.id)? {
            changed.push(format!("+{name}"));
        }
    }
    if !changed.is_empty() {
        let shown: String = changed.join(", ").chars().take(500).collect();
        let act =
            Act::UserUpdated { name: user.name.clone(), change: format!("groups of {}: {shown}", identity.provider) };
        tx.record(&Event { act, ..like.clone() })?;
    }
    Ok(())
}
