use sealyard_core::Severity;
use serde::{Deserialize, Serialize};

use crate::RuleMetadata;

/// Longest message, trace line or member name that is kept, in characters. They quote hostile input.
const MAX_TEXT: usize = 400;
/// Most trace lines that are kept.
const MAX_TRACE: usize = 32;

/// Where a finding is. Each part is absent when it makes no sense for the format.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// The file as it was named to the scanner.
    pub path: String,
    /// The member inside it, containers joined by `!`.
    pub member: Option<String>,
    /// Byte offset inside the (decompressed) file or member.
    pub offset: Option<u64>,
    /// Line, from 1.
    pub line: Option<u64>,
    /// Column, from 1.
    pub column: Option<u64>,
    /// Notebook cell, from 1.
    pub cell: Option<u64>,
}

impl Location {
    /// The file at `path` as a whole.
    #[must_use]
    pub fn file(path: &str) -> Self {
        Self { path: path.to_owned(), ..Self::default() }
    }

    /// The same file at byte `offset`.
    #[must_use]
    pub fn at(mut self, offset: u64) -> Self {
        self.offset = Some(offset);
        self
    }

    /// `path!member@0x2a:line:column`, as far as they are known.
    #[must_use]
    pub fn display(&self) -> String {
        let mut text = self.path.clone();
        if let Some(member) = &self.member {
            text.push('!');
            text.push_str(member);
        }
        if let Some(cell) = self.cell {
            text.push_str(&format!("#cell{cell}"));
        }
        if let Some(offset) = self.offset {
            text.push_str(&format!("@{offset:#x}"));
        }
        if let Some(line) = self.line {
            text.push_str(&format!(":{line}"));
            if let Some(column) = self.column {
                text.push_str(&format!(":{column}"));
            }
        }
        text
    }
}

/// One thing a rule has to say about one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Id of the rule, kebab-case.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, to a person.
    pub message: String,
    /// Where.
    pub location: Location,
    /// What the file would do, decompiled, in order.
    #[serde(default)]
    pub trace: Vec<String>,
    /// What the reader can do about it.
    pub help: Option<String>,
    /// Where to read on.
    #[serde(default)]
    pub references: Vec<String>,
}

impl Finding {
    /// A finding of `rule` at its default severity.
    #[must_use]
    pub fn new(rule: &RuleMetadata, location: Location, message: impl Into<String>) -> Self {
        Self {
            rule: rule.id.to_owned(),
            severity: rule.severity,
            message: shorten(&message.into()),
            location,
            trace: Vec::new(),
            help: (!rule.help.is_empty()).then(|| rule.help.to_owned()),
            references: rule.references.iter().map(|&reference| reference.to_owned()).collect(),
        }
    }

    /// The same finding with another severity.
    #[must_use]
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// The same finding with a trace; long traces and lines are cut.
    #[must_use]
    pub fn trace(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.trace.extend(lines.into_iter().take(MAX_TRACE).map(|line| shorten(&line)));
        self
    }
}

pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_reads_as_path_member_offset() {
        let mut location = Location::file("m.pt").at(0x2a);
        location.member = Some("archive/data.pkl".to_owned());
        assert_eq!(location.display(), "m.pt!archive/data.pkl@0x2a");
    }

    #[test]
    fn hostile_text_is_cut() {
        let rule = RuleMetadata {
            id: "x",
            name: "x",
            severity: Severity::Low,
            summary: "",
            help: "",
            references: &[],
            docs: "",
        };
        let long = "é".repeat(100_000);
        let finding = Finding::new(&rule, Location::file("a"), &*long).trace(std::iter::repeat_n(long.clone(), 100));
        assert_eq!(finding.message.chars().count(), MAX_TEXT + 1);
        assert_eq!(finding.trace.len(), MAX_TRACE);
        assert_eq!(finding.trace[0].chars().count(), MAX_TEXT + 1);
    }
}
