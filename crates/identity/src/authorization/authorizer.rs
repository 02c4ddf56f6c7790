use std::collections::HashMap;
use std::fmt;

use crate::action::{ActionKind, ActsOn};
use crate::authorization::authorized::{Authorized, Denied};
use crate::authorization::explanation::{Considered, Counts, Effect, Explanation};
use crate::authorization::index::{GranteeNumber, Heard, Index};
use crate::grant::{Grant, Grantee, Membership, Right};
use crate::permission::Permission;
use crate::principal::{Principal, PrincipalId};
use crate::resource::{ProtectedResource, Resource, ResourceKind, WorkspaceName};
use crate::scope::Scope;

/// Decides who may do what, from all grants at once. When grants change, build another and replace it.
///
/// In this order:
/// 1. a token whose scopes don't cover the action: no, whoever owns it;
/// 2. an explicit DENY: no, also to an administrator — except on `users`, so that nobody can lock everyone out of
///    lifting it;
/// 3. an administrator: yes;
/// 4. `administer`: no, no grant gives it;
/// 5. a grant that gives enough (breaking glass takes its own, which MANAGE is not), to the principal, or to one of its groups or
///    roles: yes;
/// 6. no.
#[derive(Debug, Default)]
pub struct Authorizer {
    grants: Vec<Grant>,
    index: Index,
    /// Each principal's groups and roles that have grants, and the principal itself where it has some: their numbers, in order.
    memberships: HashMap<PrincipalId, Vec<GranteeNumber>>,
}

impl Authorizer {
    /// From every grant and every membership there is.
    #[must_use]
    pub fn new(grants: Vec<Grant>, mut memberships: Vec<Membership>) -> Self {
        memberships.sort_unstable();
        memberships.dedup();
        let index = Index::new(&grants);
        let mut of_all: HashMap<PrincipalId, Vec<GranteeNumber>> = HashMap::new();
        for Membership { principal, of } in memberships {
            if let Some(number) = index.number(&of) {
                let own = || index.number(&Grantee::Principal(principal.clone())).into_iter().collect();
                of_all.entry(principal.clone()).or_insert_with(own).push(number);
            }
        }
        #[allow(clippy::iter_over_hash_type, reason = "each is sorted by itself")]
        for numbers in of_all.values_mut() {
            numbers.sort_unstable();
            numbers.dedup();
        }
        Self { index, grants, memberships: of_all }
    }

    /// Runs `with` on the numbers of a principal and its groups and roles, in order.
    fn with_numbers<T>(&self, principal: &PrincipalId, with: impl FnOnce(&[GranteeNumber]) -> T) -> T {
        if let Some(numbers) = self.memberships.get(principal) {
            return with(numbers);
        }
        // In no group and without a role that has grants.
        let own = self.index.number(&Grantee::Principal(principal.clone()));
        with(own.as_slice())
    }

    /// Lets `principal` do `A` to `resource` of `workspace`, or says why not. The only source of an [`Authorized`].
    ///
    /// In another workspace than the default one, what takes a level on the server takes it on the workspace: a right on the
    /// server gives nothing there.
    ///
    /// # Errors
    /// [`Denied`] unless something allows it and nothing forbids it.
    #[allow(clippy::result_large_err, reason = "a refusal carries its reasons; it is rare and ends the request")]
    pub fn authorize<A, R>(
        &self,
        workspace: &WorkspaceName,
        principal: &Principal,
        action: A,
        resource: R,
    ) -> Result<Authorized<A, R>, Denied>
    where
        A: ActsOn<R>,
        R: ProtectedResource,
    {
        let _ = action;
        if self.decide(workspace, principal, A::KIND, &resource.resource(), None) {
            return Ok(Authorized::new(principal.clone(), resource));
        }
        Err(self.consider(workspace, principal, A::KIND, resource.resource(), Denied::REASONS).into_denied())
    }

    /// The same decision with all that was considered, for `auth explain`.
    #[must_use]
    pub fn explain(
        &self,
        workspace: &WorkspaceName,
        principal: &Principal,
        action: ActionKind,
        resource: Resource,
    ) -> Explanation {
        self.consider(workspace, principal, action, resource, usize::MAX)
    }

    /// The decision with the first `most` rules of each effect: thousands of grants can speak of one thing, and whoever is only
    /// told why not is not to cost that much.
    fn consider(
        &self,
        workspace: &WorkspaceName,
        principal: &Principal,
        action: ActionKind,
        resource: Resource,
        most: usize,
    ) -> Explanation {
        let mut considered = Vec::new();
        let mut counts = Counts::default();
        let mut note = |effect, rule: &Rule<'_>| {
            let count = counts.of(effect);
            *count += 1;
            if *count > most {
                return;
            }
            let grant = if let Rule::Grant(grant) = rule { Some((*grant).clone()) } else { None };
            considered.push(Considered { effect, rule: rule.to_string(), grant });
        };
        let allowed = self.decide(workspace, principal, action, &resource, Some(&mut note));
        // One's own first, then groups and roles; grants were found by what they speak of.
        considered.sort_by(|one, other| {
            let place = |considered: &Considered| match (&considered.grant, considered.effect) {
                (Some(_), _) => 1,
                (None, Effect::Insufficient) => 2,
                (None, _) => 0,
            };
            let grantee = |considered: &'_ Considered| considered.grant.as_ref().map(|grant| grant.grantee.clone());
            place(one).cmp(&place(other)).then_with(|| grantee(one).cmp(&grantee(other)))
        });
        Explanation { principal: principal.name.clone(), action, resource, allowed, considered, counts }
    }

    /// What `principal` may do to `resource` at most, for lists and for pages that show what is possible.
    #[must_use]
    pub fn permission(&self, workspace: &WorkspaceName, principal: &Principal, resource: &Resource) -> Permission {
        [Permission::Manage, Permission::Edit, Permission::Use, Permission::Read]
            .into_iter()
            .find(|level| self.decide(workspace, principal, ActionKind::Level(*level), resource, None))
            .unwrap_or(Permission::No)
    }

    /// Whether any right in `workspace`, or to it, is given to `principal`: whether it is anything to them.
    #[must_use]
    pub fn speaks_of(&self, principal: &Principal, workspace: &WorkspaceName) -> bool {
        self.permission(workspace, principal, &Resource::Workspace(workspace.clone())) > Permission::No
            || (!workspace.is_default() && self.with_numbers(&principal.id, |who| self.index.knows(who, workspace)))
    }

    /// Whether what `principal` may do in `workspace` can differ between prompts and models.
    #[must_use]
    pub fn tells_prompts_apart(&self, principal: &Principal, workspace: &WorkspaceName) -> bool {
        principal.scopes().is_some_and(|scopes| scopes.iter().any(Scope::speaks_of_prompts))
            || self.with_numbers(&principal.id, |who| self.index.knows_kind(who, workspace, ResourceKind::Prompt))
    }

    /// The one decision. `note` hears of everything considered; the words are only made when it asks for them. Without one, what
    /// can change nothing any more is not looked at.
    fn decide(
        &self,
        workspace: &WorkspaceName,
        principal: &Principal,
        action: ActionKind,
        resource: &Resource,
        mut note: Option<&mut Note<'_>>,
    ) -> bool {
        let instead;
        let resource = match (resource, action) {
            (Resource::Server, ActionKind::Level(_)) if !workspace.is_default() => {
                instead = Resource::Workspace(workspace.clone());
                &instead
            }
            _ => resource,
        };
        let mut allowed = false;
        let mut denied = false;
        let mut tell = |effect, rule: &Rule<'_>| {
            if let Some(note) = &mut note {
                note(effect, rule);
            }
            note.is_some()
        };
        if let Some(scopes) = principal.scopes()
            && !scopes.iter().any(|scope| scope.covers(action, workspace, resource))
        {
            denied = true;
            if !tell(Effect::Denies, &Rule::Scopes(scopes, action, resource)) {
                return false;
            }
        }
        if principal.admin {
            tell(Effect::Allows, &Rule::Administrator);
            allowed = true;
        }
        self.with_numbers(&principal.id, |who| {
            self.index.find(who, workspace, resource, &mut |_, position| {
                let Some(grant) = self.grants.get(position) else { return Heard::More };
                let effect = effect(grant, principal.admin, action, resource);
                allowed |= effect == Effect::Allows;
                denied |= effect == Effect::Denies;
                if tell(effect, &Rule::Grant(grant)) || !denied { Heard::More } else { Heard::Enough }
            });
        });
        if !allowed && !denied {
            tell(Effect::Insufficient, &Rule::Nothing(action));
        }
        allowed && !denied
    }
}

/// Hears of what was considered.
type Note<'a> = dyn FnMut(Effect, &Rule<'_>) + 'a;

/// What is told of while a decision is made; the words are only made for whoever wants them.
enum Rule<'a> {
    Scopes(&'a [Scope], ActionKind, &'a Resource),
    Administrator,
    Grant(&'a Grant),
    Nothing(ActionKind),
}

impl fmt::Display for Rule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scopes(scopes, action, resource) => {
                let list = scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                write!(f, "the token's scopes [{list}], which don't cover {action} on {resource}")
            }
            Self::Administrator => f.write_str("being an administrator"),
            Self::Grant(grant) => grant.fmt(f),
            Self::Nothing(ActionKind::Administer) => f.write_str("only an administrator may administer"),
            Self::Nothing(ActionKind::Provision) => f.write_str("no grant gives MANAGE on users"),
            Self::Nothing(ActionKind::Level(level)) => write!(f, "no grant gives {level}"),
            Self::Nothing(ActionKind::Act(act)) if act.is_managed() => write!(f, "no grant gives MANAGE or act:{act}"),
            Self::Nothing(ActionKind::Act(act)) => write!(f, "no grant gives act:{act}"),
        }
    }
}

fn effect(grant: &Grant, admin: bool, action: ActionKind, resource: &Resource) -> Effect {
    let enough = match (grant.right, action) {
        (Right::Deny, _) if admin && *resource == Resource::Users => false,
        (Right::Deny, _) => return Effect::Denies,
        (Right::Level(level), ActionKind::Level(needed)) => level >= needed,
        (Right::Level(level), ActionKind::Act(act)) => act.is_managed() && level == Permission::Manage,
        (Right::Level(level), ActionKind::Provision) => level == Permission::Manage,
        (Right::Act(act), ActionKind::Act(needed)) => act == needed,
        (Right::Act(_), ActionKind::Level(_) | ActionKind::Provision) | (_, ActionKind::Administer) => false,
    };
    if enough { Effect::Allows } else { Effect::Insufficient }
}
