use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{clean, text};
use crate::{Report, RuleMetadata};

/// Most facts of one kind that are shown for a file.
const MOST_FACTS: usize = 20;

/// The report as [`text`](super::text), then what each file holds and what the rules that found something are about.
#[must_use]
pub fn explained<'a>(report: &Report, rules: impl IntoIterator<Item = &'a RuleMetadata>, color: bool) -> String {
    let mut out = text(report, color);
    for subject in report.subjects.iter().filter(|subject| !subject.facts.is_empty()) {
        let _ = write!(out, "\n{} holds\n", clean(&subject.path));
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for fact in &subject.facts {
            kinds.entry(fact.kind).or_default().push(fact);
        }
        for (kind, facts) in kinds {
            let word = serde_json::to_value(kind).ok().and_then(|kind| kind.as_str().map(str::to_owned));
            let word = word.unwrap_or_default();
            for fact in facts.iter().take(MOST_FACTS) {
                let value = match &fact.value {
                    serde_json::Value::Null => String::new(),
                    serde_json::Value::String(value) => value.clone(),
                    value => value.to_string(),
                };
                let member = fact.member.as_ref().map(|member| format!("  in {}", clean(member))).unwrap_or_default();
                let _ = writeln!(out, "  {word:<15} {}  {}{member}", clean(&fact.name), clean(&value));
            }
            if let Some(more) = facts.len().checked_sub(MOST_FACTS).filter(|more| *more > 0) {
                let _ = writeln!(out, "  {word:<15} … and {more} more");
            }
        }
    }
    let found: Vec<&str> = report.findings().map(|finding| finding.rule.as_str()).collect();
    for rule in rules.into_iter().filter(|rule| found.contains(&rule.id)) {
        let _ = writeln!(out, "\n{}: {}", rule.id, rule.summary);
        // Comments in the source have a space before each line.
        for line in rule.docs.trim().lines() {
            let _ = writeln!(out, "{}", line.strip_prefix(' ').unwrap_or(line));
        }
        for reference in rule.references {
            let _ = writeln!(out, "  {reference}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::RuleMetadata;
    use crate::report::tests::{RULE, sample};

    #[test]
    fn facts_and_the_rules_that_found_something_are_told() {
        let other = RuleMetadata { id: "other", docs: "never", ..RULE };
        let rule = RuleMetadata { docs: " # Why\n It is bad.\n", ..RULE };
        let text = super::explained(&sample(), [&rule, &other], false);
        let (_, after) = text.split_once("1 not assessed\n").unwrap();
        let expected = "
model/m.zip holds
  framework       torch  2.9

pickle-dangerous-global: A pickle reaches a function that runs commands.
# Why
It is bad.
  https://docs.python.org/3/library/pickle.html
";
        assert_eq!(after, expected);
    }
}
