use std::marker::PhantomData;

use crate::action::{Action, ActionKind, Implies};
use crate::authorization::explanation::Considered;
use crate::principal::{Principal, PrincipalName};
use crate::resource::{ProtectedResource, Resource};

/// Proof that the [`Authorizer`](crate::Authorizer) let this principal do `A` to this resource. It has no public
/// constructor and can't be copied, so one decision is one act.
#[derive(Debug)]
#[must_use = "a decision that nobody uses guards nothing"]
pub struct Authorized<A, R> {
    principal: Principal,
    resource: R,
    action: PhantomData<A>,
}

impl<A: Action, R: ProtectedResource> Authorized<A, R> {
    pub(super) const fn new(principal: Principal, resource: R) -> Self {
        Self { principal, resource, action: PhantomData }
    }

    /// Who may.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// To what.
    #[must_use]
    pub const fn resource(&self) -> &R {
        &self.resource
    }

    /// What.
    #[must_use]
    pub const fn action(&self) -> ActionKind {
        A::KIND
    }

    /// The proof of a weaker action on the same resource: who may edit may read.
    pub fn weaken<Weaker: Action>(&self) -> Authorized<Weaker, R>
    where
        A: Implies<Weaker>,
    {
        Authorized::new(self.principal.clone(), self.resource.clone())
    }
}

/// The authorizer said no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{principal} may not {action} {resource}: {}", in_words(reasons, *more))]
#[non_exhaustive]
pub struct Denied {
    /// The rule that refused: always [`Denied::RULE`].
    pub rule: &'static str,
    /// Who asked.
    pub principal: PrincipalName,
    /// To do what.
    pub action: ActionKind,
    /// To what.
    pub resource: Resource,
    /// Why not; what counted against, or that nothing counted for. At most [`Denied::REASONS`].
    pub reasons: Vec<Considered>,
    /// How many more there are; `auth explain` has them all.
    pub more: usize,
}

impl Denied {
    /// The name of the rule.
    pub const RULE: &'static str = "authorization";
    /// So many reasons are written out.
    pub const REASONS: usize = 16;
}

fn in_words(reasons: &[Considered], more: usize) -> String {
    let mut words = reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    if more > 0 {
        words.push_str(&format!("; and {more} more"));
    }
    words
}
