use sealyard_core::Severity;
use sealyard_scan::{Fact, Finding, Location, NotAssessed, RuleMetadata};

/// Most findings of one file: what comes after them says nothing new.
const MAX_FINDINGS: usize = 200;
/// Most facts of one file.
const MAX_FACTS: usize = 500;

/// Collects what is found in one file, and knows which member of it is being looked at.
#[derive(Debug)]
pub(crate) struct Sink {
    path: String,
    members: Vec<String>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) not_assessed: Vec<NotAssessed>,
    pub(crate) facts: Vec<Fact>,
    /// Findings that are not kept.
    dropped: u64,
}

impl Sink {
    pub(crate) fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            members: Vec::new(),
            findings: Vec::new(),
            not_assessed: Vec::new(),
            facts: Vec::new(),
            dropped: 0,
        }
    }

    /// Goes into a member: all locations are inside it until [`Sink::leave`].
    pub(crate) fn enter(&mut self, member: &str) {
        self.members.push(member.to_owned());
    }

    /// Leaves the innermost member.
    pub(crate) fn leave(&mut self) {
        self.members.pop();
    }

    /// How many containers are open.
    pub(crate) fn depth(&self) -> usize {
        self.members.len()
    }

    /// The present file or member.
    pub(crate) fn location(&self) -> Location {
        let mut location = Location::file(&self.path);
        location.member = (!self.members.is_empty()).then(|| self.members.join("!"));
        location
    }

    /// The present file or member at `offset`.
    pub(crate) fn at(&self, offset: u64) -> Location {
        self.location().at(offset)
    }

    pub(crate) fn push(&mut self, finding: Finding) {
        // Several readers may look at one file.
        if self.findings.contains(&finding) {
            return;
        }
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
            return;
        }
        self.dropped += 1;
        if let Some(least) = self.findings.iter_mut().min_by_key(|kept| kept.severity)
            && least.severity < finding.severity
        {
            // A flood of small findings must not push the one that counts out of the report.
            *least = finding;
        }
    }

    /// All is said. What was not kept is told, so that a report on some rules, or with exceptions, is not taken for the whole.
    pub(crate) fn end(&mut self) {
        if self.dropped > 0 {
            let reason = format!("{} more findings are not kept", self.dropped);
            self.not_assessed.push(NotAssessed { path: self.path.clone(), reason });
        }
    }

    /// A finding of `rule` in the present member at `offset`.
    pub(crate) fn find(
        &mut self,
        rule: &RuleMetadata,
        severity: Severity,
        offset: u64,
        message: impl Into<String>,
        trace: impl IntoIterator<Item = String>,
    ) {
        let finding = Finding::new(rule, self.at(offset), message).severity(severity).trace(trace);
        self.push(finding);
    }

    /// Something that the present member holds. It decides no verdict.
    pub(crate) fn fact(&mut self, mut fact: Fact) {
        fact.member = self.location().member;
        if self.facts.len() < MAX_FACTS && !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }

    /// The present member was not, or not wholly, looked at.
    pub(crate) fn miss(&mut self, reason: impl Into<String>) {
        let mut path = self.path.clone();
        for member in &self.members {
            path.push('!');
            path.push_str(member);
        }
        let missed = NotAssessed { path, reason: reason.into() };
        if self.not_assessed.len() < MAX_FINDINGS && !self.not_assessed.contains(&missed) {
            self.not_assessed.push(missed);
        }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_scan::FactKind;

    use super::*;

    #[test]
    fn a_flood_of_small_findings_hides_nothing() {
        let rule = crate::rules::all()[0];
        let mut sink = Sink::new("a");
        for place in 0..1000 {
            sink.find(rule, Severity::Low, place, "", []);
        }
        sink.find(rule, Severity::Critical, 1, "", []);
        assert_eq!(sink.findings.len(), MAX_FINDINGS);
        sink.end();
        assert_eq!(sink.not_assessed[0].reason, "801 more findings are not kept");
        assert!(sink.findings.iter().any(|finding| finding.severity == Severity::Critical));
    }

    #[test]
    fn members_nest() {
        let mut sink = Sink::new("m.pt");
        sink.enter("a.zip");
        sink.enter("data.pkl");
        sink.miss("why");
        sink.fact(Fact::new(FactKind::Framework, "torch", "2.9"));
        sink.leave();
        sink.leave();
        sink.miss("of all");
        assert_eq!(sink.not_assessed[0].path, "m.pt!a.zip!data.pkl");
        assert_eq!(sink.facts[0].member.as_deref(), Some("a.zip!data.pkl"));
        assert_eq!(sink.not_assessed[1].path, "m.pt");
    }
}
