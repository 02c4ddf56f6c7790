use sealyard_core::{Digest, FileTree, Subject, Timestamp};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::model::VerifiedModel;
use crate::request::{Context, Rejected, Stage};
use crate::rules::{UNBREAKABLE, break_glass};

/// What one rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    rule: &'static str,
    ok: bool,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    evidence: Option<Digest>,
}

impl Reason {
    pub(crate) fn new(rule: &'static str, ok: bool, detail: impl Into<String>) -> Self {
        Self { rule, ok, detail: detail.into(), evidence: None }
    }

    pub(crate) const fn resting_on(mut self, evidence: Option<Digest>) -> Self {
        self.evidence = evidence;
        self
    }

    /// The rule's stable name.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }

    /// Whether the rule is content.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.ok
    }

    /// Why, in words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The bundle it rests on.
    #[must_use]
    pub const fn evidence(&self) -> Option<Digest> {
        self.evidence
    }
}

/// A gate's answer, with its reasons. Made by [`decide`](crate::decide()) only. Serialises as `sealyard.decision/1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    // Boxed, since it travels as an error too.
    inner: Box<Inner>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    subject: Subject,
    stage: Stage,
    context: Context,
    reasons: Vec<Reason>,
    policy: Digest,
    rejected: Vec<Rejected>,
}

impl Decision {
    pub(crate) fn new(
        subject: Subject,
        stage: Stage,
        context: Context,
        reasons: Vec<Reason>,
        policy: Digest,
        rejected: Vec<Rejected>,
    ) -> Self {
        Self { inner: Box::new(Inner { subject, stage, context, reasons, policy, rejected }) }
    }

    /// Whether every rule is content, or glass was broken and the rest may be overruled. No rule at all is not.
    #[must_use]
    pub fn allowed(&self) -> bool {
        let content = !self.inner.reasons.is_empty() && self.inner.reasons.iter().all(Reason::is_ok);
        content || self.broke_glass()
    }

    /// Whether it is allowed only since glass was broken: rules are not content, and none of those that nobody overrules.
    #[must_use]
    pub fn broke_glass(&self) -> bool {
        let glass = self.inner.reasons.iter().any(|reason| reason.rule == break_glass::NAME && reason.ok);
        let mut failures = self.failures().peekable();
        glass && failures.peek().is_some() && failures.all(|reason| !UNBREAKABLE.contains(&reason.rule))
    }

    /// What every rule says.
    #[must_use]
    pub fn reasons(&self) -> &[Reason] {
        &self.inner.reasons
    }

    /// The rules that are not content.
    pub fn failures(&self) -> impl Iterator<Item = &Reason> {
        self.inner.reasons.iter().filter(|reason| !reason.ok)
    }

    /// What it was decided on.
    #[must_use]
    pub fn subject(&self) -> &Subject {
        &self.inner.subject
    }

    /// Which gate decided.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.inner.stage
    }

    /// When, for where, and who asked.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.inner.context
    }

    /// The digest of the policy and its keys.
    #[must_use]
    pub fn policy(&self) -> Digest {
        self.inner.policy
    }

    /// The bundles the rules looked at, each once, in the order of the rules.
    #[must_use]
    pub fn evidence(&self) -> Vec<Digest> {
        let mut digests = Vec::new();
        for digest in self.inner.reasons.iter().filter_map(Reason::evidence) {
            if !digests.contains(&digest) {
                digests.push(digest);
            }
        }
        digests
    }

    /// Evidence that did not verify.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.inner.rejected
    }

    /// The model that may be loaded: only from a decision of the load gate that allows, and only with the very tree
    /// it was decided on.
    ///
    /// # Errors
    /// The decision, with the failing reason added where it would otherwise still read as allowed.
    pub fn into_verified_model(mut self, tree: FileTree) -> Result<VerifiedModel, Self> {
        if self.inner.stage != Stage::Load {
            let detail = format!("a decision of the {} gate does not let a model be loaded", self.inner.stage);
            self.inner.reasons.push(Reason::new("policy.stage", false, detail));
        }
        let digest = tree.digest();
        if digest != self.inner.subject.digest {
            let detail = format!("the files to load are {digest}, decided was on {}", self.inner.subject.digest);
            self.inner.reasons.push(Reason::new("subject.tree-digest", false, detail));
        }
        if self.allowed() { Ok(VerifiedModel::new(tree, self)) } else { Err(self) }
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Inner { subject, stage, context, reasons, policy, rejected } = &*self.inner;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("schema", "sealyard.decision/1")?;
        map.serialize_entry("stage", stage)?;
        map.serialize_entry("subject", subject)?;
        map.serialize_entry("decision", if self.allowed() { "allow" } else { "deny" })?;
        map.serialize_entry("reasons", reasons)?;
        map.serialize_entry("policy", &PolicyField { digest: *policy })?;
        map.serialize_entry("evidence", &self.evidence())?;
        map.serialize_entry("rejected", rejected)?;
        let Context { now, environment, principal, scopes, break_glass, .. } = context;
        map.serialize_entry("time", &TimeField(*now))?;
        map.serialize_entry("environment", environment)?;
        map.serialize_entry("principal", principal)?;
        map.serialize_entry("scopes", scopes)?;
        if break_glass.is_some() {
            map.serialize_entry("broke_glass", &self.broke_glass())?;
        }
        map.end()
    }
}

#[derive(Serialize)]
struct PolicyField {
    digest: Digest,
}

struct TimeField(Timestamp);

impl Serialize for TimeField {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
