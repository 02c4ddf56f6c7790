use std::fmt;

use crate::action::ActionKind;
use crate::authorization::authorized::Denied;
use crate::grant::Grant;
use crate::principal::PrincipalName;
use crate::resource::Resource;

/// What a rule did to a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It would let the action happen.
    Allows,
    /// It speaks of the resource but gives too little.
    Insufficient,
    /// It forbids the action, whatever allows it.
    Denies,
}

/// A rule that spoke of the action, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Considered {
    /// What it did.
    pub effect: Effect,
    /// The rule, in words: `EDIT on experiment:7 to role:trainers`.
    pub rule: String,
    /// The grant, if it is one.
    pub grant: Option<Grant>,
}

impl fmt::Display for Considered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.effect {
            Effect::Allows => write!(f, "allowed by {}", self.rule),
            Effect::Insufficient => write!(f, "not enough: {}", self.rule),
            Effect::Denies => write!(f, "denied by {}", self.rule),
        }
    }
}

/// A decision with everything that was considered for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// Who asked.
    pub principal: PrincipalName,
    /// To do what.
    pub action: ActionKind,
    /// To what.
    pub resource: Resource,
    /// Whether they may.
    pub allowed: bool,
    /// Every rule that spoke of it.
    pub considered: Vec<Considered>,
    pub(super) counts: Counts,
}

/// How many rules had which effect, written out or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counts {
    allow: usize,
    insufficient: usize,
    deny: usize,
}

impl Counts {
    pub(super) const fn of(&mut self, effect: Effect) -> &mut usize {
        match effect {
            Effect::Allows => &mut self.allow,
            Effect::Insufficient => &mut self.insufficient,
            Effect::Denies => &mut self.deny,
        }
    }
}

impl Explanation {
    /// As a refusal: without what would have allowed it.
    pub(super) fn into_denied(self) -> Denied {
        let Self { principal, action, resource, considered, mut counts, .. } = self;
        let counted = if counts.deny > 0 { Effect::Denies } else { Effect::Insufficient };
        let reasons: Vec<_> = considered.into_iter().filter(|rule| rule.effect == counted).collect();
        let more = counts.of(counted).saturating_sub(reasons.len());
        Denied { rule: Denied::RULE, principal, action, resource, reasons, more }
    }
}
