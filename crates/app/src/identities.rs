//! Users, tokens and grants.

use sealyard_core::{Redacted, Timestamp};
use sealyard_identity::{
    Administer, Authorized, PasswordHash, Principal, PrincipalName, ResourcePattern, Right, Scope, Token,
    UserDirectory, Via,
};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{TokenRecord, UserKind, UserRecord};
use serde::{Deserialize, Serialize};

use crate::access::find;
use crate::authentication::principal_id;
use crate::tasks::blocking;
use crate::{App, AppError, Caller, GrantChange, GrantTo};

/// Tokens that one user can have in use, and scopes that one token can have.
const MOST_TOKENS: usize = 1000;
const MOST_SCOPES: usize = 100;

/// A user to be made.
#[derive(Debug)]
pub struct NewUser {
    /// What they log in with.
    pub name: PrincipalName,
    /// Their password.
    pub password: Redacted<String>,
    /// Whether they may do everything.
    pub admin: bool,
}

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What it is limited to.
    pub scopes: Vec<Scope>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

/// A token without the token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenSummary {
    /// What it is listed and revoked by.
    pub id: String,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was last used, to the minute or so.
    #[serde(default)]
    pub used: Option<Timestamp>,
}

impl App {
    /// Makes a user.
    ///
    /// # Errors
    /// [`AppError::AlreadyExists`]; [`AppError::Invalid`] for a password that is too weak.
    pub async fn create_user(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, UserDirectory>,
        new: NewUser,
    ) -> Result<(), AppError> {
        let (record, event) = self.new_user(caller, new).await?;
        self.store()
            .write(move |tx| {
                tx.create_user(&record)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Makes an account for a machine: it has no password, and administrators make its tokens.
    ///
    /// # Errors
    /// [`AppError::AlreadyExists`]; [`AppError::Invalid`] for a name that is the server's own.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, UserDirectory>,
        name: PrincipalName,
    ) -> Result<(), AppError> {
        if is_the_servers_own(&name) {
            return Err(AppError::Invalid(format!("the name {name} is the server's own")));
        }
        let event = self.event(caller, Outcome::Done, Act::UserCreated { name: name.to_string(), admin: false });
        let record = UserRecord {
            id: 0,
            name: name.into(),
            password: None,
            admin: false,
            kind: UserKind::Service,
            disabled: false,
            created: self.now(),
        };
        self.store()
            .write(move |tx| {
                tx.create_user(&record)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// The row of a user to be made, with its password hashed, and the event of making it.
    pub(crate) async fn new_user(&self, caller: &Caller, new: NewUser) -> Result<(UserRecord, Event), AppError> {
        let (rng, shortest) = (std::sync::Arc::clone(&self.rng), self.rules.shortest_password);
        let NewUser { name, password, admin } = new;
        if is_the_servers_own(&name) {
            return Err(AppError::Invalid(format!("the name {name} is the server's own")));
        }
        let hash = blocking("a password could not be hashed", move || {
            PasswordHash::create_of(&password, shortest, &*rng).map_err(|error| AppError::Invalid(error.to_string()))
        })
        .await?;
        let event = self.event(caller, Outcome::Done, Act::UserCreated { name: name.as_str().to_owned(), admin });
        let record = UserRecord {
            id: 0,
            name: name.into(),
            password: Some(hash.as_phc().to_owned()),
            admin,
            kind: UserKind::Person,
            disabled: false,
            created: self.now(),
        };
        Ok((record, event))
    }

    /// Makes a token of the caller's own. A token can't make one that may more, or lives longer, than itself.
    ///
    /// # Errors
    /// [`AppError::Denied`] for a caller that is itself a limited token; [`AppError::Invalid`] for no scope at all;
    /// [`AppError::TooOften`].
    pub async fn create_token(
        &self,
        caller: &Caller,
        new: NewToken,
    ) -> Result<(Redacted<String>, TokenSummary), AppError> {
        let owner = self.unlimited(caller, "create a token")?.name.clone();
        self.create_token_for(caller, owner, new).await
    }

    /// Makes a token of the caller's own, or, by an administrator, of a machine's account. Nobody gets a token of another person:
    /// that would be being them.
    ///
    /// # Errors
    /// As [`Self::create_token`]; [`AppError::NotFound`].
    pub async fn create_token_for(
        &self,
        caller: &Caller,
        owner: PrincipalName,
        new: NewToken,
    ) -> Result<(Redacted<String>, TokenSummary), AppError> {
        let principal = self.unlimited(caller, "create a token")?;
        let other = owner != principal.name;
        if other {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        if new.scopes.is_empty() {
            return Err(AppError::Invalid(
                "a token needs at least one scope, such as `all` or `experiment:7:edit`".into(),
            ));
        }
        if new.scopes.len() > MOST_SCOPES {
            return Err(AppError::Invalid(format!("a token can have {MOST_SCOPES} scopes at most")));
        }
        let owner_ends = match &principal.via {
            Via::Token { expires, .. } | Via::External { expires, .. } => *expires,
            _ => None,
        };
        let expires = match (new.expires, owner_ends) {
            (Some(asked), Some(ends)) => Some(asked.min(ends)),
            (asked, ends) => asked.or(ends),
        };
        if let Some(longest) = self.rules.longest_token_seconds {
            let days = longest / 86_400;
            if expires.is_none_or(|expires| expires > self.now().plus_seconds(longest)) {
                let reason = format!("tokens of this server end after {days} days at the latest");
                return Err(AppError::refused("token.expiry", reason));
            }
        }
        if expires.is_some_and(|expires| expires <= self.now()) {
            return Err(AppError::Invalid("the token would have expired already".into()));
        }
        self.spend_own_act(principal)?;
        let (token, hash) = Token::generate(self.rng());
        let record = TokenRecord {
            id: format!("t{}", self.rng().hex_id()),
            owner: owner.to_string(),
            hash: hash.to_hex(),
            scopes: new.scopes.iter().map(ToString::to_string).collect(),
            created: self.now(),
            expires,
            revoked: false,
            used: None,
        };
        let act = Act::TokenCreated {
            id: record.id.clone(),
            owner: record.owner.clone(),
            scopes: record.scopes.clone(),
            expires,
        };
        let event = self.event(caller, Outcome::Done, act);
        let summary =
            TokenSummary { id: record.id.clone(), scopes: record.scopes.clone(), expires, revoked: false, used: None };
        let (principal, now) = (principal.clone(), self.now());
        self.store()
            .write(move |tx| {
                let mut tokens = still_valid(tx, &principal)?;
                // One that lacks the second factor which makes it an administrator must not make a token that is one.
                if tx.user(principal.name.as_str())?.is_some_and(|user| user.admin && !principal.admin) {
                    return Err(AppError::Denied {
                        rule: crate::SECOND_FACTOR,
                        action: "create a token".to_owned(),
                        resource: principal.name.to_string(),
                    });
                }
                if other {
                    if find(tx, &record.owner)?.kind != UserKind::Service {
                        let text = format!("{} is a person: only they make tokens of theirs", record.owner);
                        return Err(AppError::Invalid(text));
                    }
                    tokens = tx.tokens_of(&record.owner)?;
                }
                let live = |token: &&TokenRecord| !token.revoked && token.expires.is_none_or(|expires| expires > now);
                if tokens.iter().filter(live).count() >= MOST_TOKENS {
                    return Err(AppError::Invalid(format!(
                        "there are {MOST_TOKENS} tokens in use already; revoke those that are not needed"
                    )));
                }
                tx.create_token(&record)?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok((token, summary))
    }

    /// The caller's own tokens.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`]; [`AppError::Denied`] for a limited token.
    pub async fn tokens(&self, caller: &Caller) -> Result<Vec<TokenSummary>, AppError> {
        let owner = self.unlimited(caller, "list tokens")?.name.clone();
        self.tokens_of(caller, owner).await
    }

    /// Somebody's tokens: the caller's own, or anybody's for an administrator.
    ///
    /// # Errors
    /// As [`Self::tokens`]; [`AppError::NotFound`].
    pub async fn tokens_of(&self, caller: &Caller, owner: PrincipalName) -> Result<Vec<TokenSummary>, AppError> {
        let itself = self.unlimited(caller, "list tokens")?.name.clone();
        if owner != itself {
            let _may = self.authorize(caller, Administer, UserDirectory).await?;
        }
        let found = self
            .store()
            .read(move |tx| {
                if owner != itself {
                    find(tx, owner.as_str())?;
                }
                Ok::<_, AppError>(tx.tokens_of(owner.as_str())?)
            })
            .await?;
        let summary = |token: TokenRecord| TokenSummary {
            id: token.id,
            scopes: token.scopes,
            expires: token.expires,
            revoked: token.revoked,
            used: token.used,
        };
        Ok(found.into_iter().map(summary).collect())
    }

    /// Ends a token of somebody else.
    ///
    /// # Errors
    /// [`AppError::Denied`] for whoever is no administrator; [`AppError::NotFound`] for a token that is not `owner`'s.
    pub async fn revoke_token_of(&self, caller: &Caller, owner: &PrincipalName, id: &str) -> Result<(), AppError> {
        if caller.principal().is_some_and(|principal| principal.name == *owner) {
            return self.revoke_token(caller, id).await;
        }
        let _may = self.authorize(caller, Administer, UserDirectory).await?;
        let event = self.event(caller, Outcome::Done, Act::TokenRevoked { id: id.to_owned() });
        let (id, owner) = (id.to_owned(), owner.to_string());
        self.store()
            .write(move |tx| {
                find(tx, &owner)?;
                let tokens = tx.tokens_of(&owner)?;
                let Some(found) = tokens.iter().find(|token| token.id == id) else { return Err(no_token(&id)) };
                if found.revoked {
                    return Ok(());
                }
                tx.revoke_token(&id)?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Ends one of the caller's own tokens. A limited token can end itself and no other.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for a token that is not the caller's; [`AppError::Denied`].
    pub async fn revoke_token(&self, caller: &Caller, id: &str) -> Result<(), AppError> {
        let Some(principal) = caller.principal() else { return Err(AppError::Unauthenticated) };
        let itself = matches!(&principal.via, Via::Token { token_id, .. } if token_id.as_str() == id);
        if !itself {
            self.unlimited(caller, "revoke a token")?;
        }
        let event = self.event(caller, Outcome::Done, Act::TokenRevoked { id: id.to_owned() });
        let (id, principal) = (id.to_owned(), principal.clone());
        self.store()
            .write(move |tx| {
                let tokens = still_valid(tx, &principal)?;
                let Some(found) = tokens.iter().find(|token| token.id == id) else {
                    return Err(no_token(&id));
                };
                if found.revoked {
                    return Ok(());
                }
                tx.revoke_token(&id)?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// The principal of a caller whom nothing limits but their grants.
    fn unlimited<'a>(&self, caller: &'a Caller, action: &str) -> Result<&'a Principal, AppError> {
        let Some(principal) = caller.principal() else { return Err(AppError::Unauthenticated) };
        if principal.is_expired(self.now()) {
            return Err(AppError::Unauthenticated);
        }
        if principal.scopes().is_some_and(|scopes| !scopes.contains(&Scope::All)) {
            return Err(AppError::Denied {
                rule: "authorization",
                action: action.to_owned(),
                resource: "the owner of a limited token".to_owned(),
            });
        }
        Ok(principal)
    }

    /// Gives the user `right` on `pattern`, in place of what they had on the same pattern. What it names may come later.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user.
    pub async fn set_grant(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, UserDirectory>,
        user: &PrincipalName,
        pattern: ResourcePattern,
        right: Right,
    ) -> Result<(), AppError> {
        self.give(caller, GrantChange { to: GrantTo::User(user.to_string()), pattern, right }, true).await
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// [`AppError::NotFound`] for an unknown user.
    pub async fn remove_grant(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Administer, UserDirectory>,
        user: &PrincipalName,
        pattern: ResourcePattern,
        right: Right,
    ) -> Result<(), AppError> {
        self.take(caller, GrantChange { to: GrantTo::User(user.to_string()), pattern, right }).await
    }
}

/// Names that stand in the ledger for somebody else.
pub(crate) fn is_the_servers_own(name: &PrincipalName) -> bool {
    ["system", "anonymous", crate::LOCAL_ADMINISTRATOR].iter().any(|own| name.as_str().eq_ignore_ascii_case(own))
}

fn no_token(id: &str) -> AppError {
    AppError::NotFound { kind: "token", id: id.chars().take(80).collect() }
}

/// The tokens of `principal`, whose user must still be there and whose own token must not have been revoked since it was
/// looked at: a stolen token must not make itself a successor while it is being revoked.
fn still_valid(tx: &mut dyn Transaction, principal: &Principal) -> Result<Vec<TokenRecord>, AppError> {
    let name = principal.name.as_str();
    let user = tx.user(name)?.filter(|user| !user.disabled).ok_or(AppError::Unauthenticated)?;
    if principal_id(user.id)? != principal.id {
        return Err(AppError::Unauthenticated);
    }
    let tokens = tx.tokens_of(name)?;
    if let Via::Token { token_id, .. } = &principal.via
        && !tokens.iter().any(|token| token.id == token_id.as_str() && !token.revoked)
    {
        return Err(AppError::Unauthenticated);
    }
    Ok(tokens)
}
