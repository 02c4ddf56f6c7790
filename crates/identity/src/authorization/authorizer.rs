use std::collections::HashMap;
use std::fmt;

use crate::action::{ActionKind, ActsOn};
use crate::authorization::authorized::{Authorized, Denied};
use crate::authorization::explanation::{Considered, Effect, Explanation};
use crate::authorization::index::Index;
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
    /// Each principal's groups and roles.
    memberships: HashMap<PrincipalId, Vec<Grantee>>,
}

impl Authorizer {
    /// From every grant and every membership there is.
    #[must_use]
    pub fn new(grants: Vec<Grant>, mut memberships: Vec<Membership>) -> Self {
        memberships.sort_unstable();
        memberships.dedup();
        let mut of_all: HashMap<PrincipalId, Vec<Grantee>> = HashMap::new();
        for Membership { principal, of } in memberships {
            of_all.entry(principal).or_default().push(of);
        }
        Self { index: Index::new(&grants), grants, memberships: of_all }
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
        if self.decide(workspace, principal, A::KIND, &resource.resource(), &mut |_, _| {}) {
            return Ok(Authorized::new(principal.clone(), resource));
        }
        Err(self.explain(workspace, principal, A::KIND, resource.resource()).into_denied())
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
        let mut considered = Vec::new();
        let mut note = |effect, rule: &Rule<'_>| {
            let grant = if let Rule::Grant(grant) = rule { Some((*grant).clone()) } else { None };
            considered.push(Considered { effect, rule: rule.to_string(), grant });
        };
        let allowed = self.decide(workspace, principal, action, &resource, &mut note);
        Explanation { principal: principal.name.clone(), action, resource, allowed, considered }
    }

    /// What `principal` may do to `resource` at most, for lists and for pages that show what is possible.
    #[must_use]
    pub fn permission(&self, workspace: &WorkspaceName, principal: &Principal, resource: &Resource) -> Permission {
        [Permission::Manage, Permission::Edit, Permission::Use, Permission::Read]
            .into_iter()
            .find(|level| self.decide(workspace, principal, ActionKind::Level(*level), resource, &mut |_, _| {}))
            .unwrap_or(Permission::No)
    }

    /// Whether any right in `workspace`, or to it, is given to `principal`: whether it is anything to them.
    #[must_use]
    pub fn speaks_of(&self, principal: &Principal, workspace: &WorkspaceName) -> bool {
        let own = Grantee::Principal(principal.id.clone());
        let memberships = self.memberships.get(&principal.id).map(Vec::as_slice).unwrap_or_default();
        self.permission(workspace, principal, &Resource::Workspace(workspace.clone())) > Permission::No
            || (!workspace.is_default()
                && std::iter::once(&own).chain(memberships).any(|grantee| self.index.knows(grantee, workspace)))
    }

    /// Whether what `principal` may do in `workspace` can differ between prompts and models.
    #[must_use]
    pub fn tells_prompts_apart(&self, principal: &Principal, workspace: &WorkspaceName) -> bool {
        let own = Grantee::Principal(principal.id.clone());
        let memberships = self.memberships.get(&principal.id).map(Vec::as_slice).unwrap_or_default();
        let scoped = principal.scopes().is_some_and(|scopes| scopes.iter().any(Scope::speaks_of_prompts));
        scoped
            || std::iter::once(&own)
                .chain(memberships)
                .any(|grantee| self.index.knows_kind(grantee, workspace, ResourceKind::Prompt))
    }

    /// The one decision. `note` hears of everything considered; the words are only made when it asks for them.
    fn decide(
        &self,
        workspace: &WorkspaceName,
        principal: &Principal,
        action: ActionKind,
        resource: &Resource,
        note: &mut dyn FnMut(Effect, &Rule<'_>),
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
        if let Some(scopes) = principal.scopes()
            && !scopes.iter().any(|scope| scope.covers(action, workspace, resource))
        {
            note(Effect::Denies, &Rule::Scopes(scopes, action, resource));
            denied = true;
        }
        if principal.admin {
            note(Effect::Allows, &Rule::Administrator);
            allowed = true;
        }
        let own = Grantee::Principal(principal.id.clone());
        let memberships = self.memberships.get(&principal.id).map(Vec::as_slice).unwrap_or_default();
        for grantee in std::iter::once(&own).chain(memberships) {
            for grant in self.index.find(grantee, workspace, resource).filter_map(|position| self.grants.get(position))
            {
                let effect = effect(grant, principal.admin, action, resource);
                note(effect, &Rule::Grant(grant));
                allowed |= effect == Effect::Allows;
                denied |= effect == Effect::Denies;
            }
        }
        if !allowed && !denied {
            note(Effect::Insufficient, &Rule::Nothing(action));
        }
        allowed && !denied
    }
}

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
