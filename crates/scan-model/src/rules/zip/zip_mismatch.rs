use sealyard_core::Severity;
use sealyard_formats::zip::Anomaly;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares the central directory of a zip with its local headers and bytes: names, sizes, methods, flags, CRCs,
    /// duplicates, overlaps, and bytes before, between and behind the members.
    ///
    /// # Why it matters
    /// Readers believe different parts. A file on which they differ shows a scanner one model and the loader another.
    /// Every member that any reader could find has been looked at.
    ///
    /// # What to do
    /// Save the model again with the library that made it.
    id: "zip-mismatch",
    name: "Ambiguous archive",
    severity: High,
    summary: "Readers of this zip archive could see different contents.",
    help: "Save the model again with the library that made it.",
    references: ["https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT"],
}

pub(super) fn check(mismatch: &Artifact<'_>, sink: &mut Sink) {
    let (severity, message) = match mismatch {
        Artifact::Content(name) => {
            (Severity::High, format!("the bytes of {name:?} are not those that the directory describes"))
        }
        Artifact::Layout(anomaly) => match anomaly {
            Anomaly::GapsNotSearched(count) => {
                return sink.miss(format!("{count} bytes between the members were not searched"));
            }
            Anomaly::Comment(count) => (Severity::Low, format!("the archive has a comment of {count} bytes")),
            Anomaly::Prefix(count) => (Severity::Medium, format!("{count} bytes lie before the archive")),
            Anomaly::Tail(count) => (Severity::Medium, format!("{count} bytes lie behind the archive")),
            Anomaly::Gap { offset, len } => {
                (Severity::Medium, format!("{len} bytes at {offset:#x} belong to no member"))
            }
            Anomaly::Overlap { offset } => (Severity::High, format!("two members share the bytes at {offset:#x}")),
            Anomaly::DuplicateName(name) => (Severity::High, format!("the name {name:?} occurs more than once")),
            Anomaly::NameMismatch { directory, local } => (
                Severity::High,
                format!("a member is called {directory:?} in the directory and {local:?} at its place"),
            ),
            Anomaly::SizeMismatch(name) => (Severity::High, format!("two sizes or CRCs are given for {name:?}")),
            Anomaly::MethodMismatch(name) => (Severity::High, format!("two methods are given for {name:?}")),
            Anomaly::Flags(name) => {
                (Severity::Medium, format!("two sets of flags are given for {name:?}, or it is encrypted"))
            }
            Anomaly::UnsafeName(name) => (Severity::High, format!("the name {name:?} leaves the archive's folder")),
            Anomaly::NoLocalHeader(name) => (Severity::High, format!("there is no member where {name:?} should be")),
            Anomaly::MemberCount { claimed, found } => {
                (Severity::Medium, format!("the archive claims {claimed} members and lists {found}"))
            }
            Anomaly::SeveralEnds => (Severity::High, "the archive has more than one end".to_owned()),
            Anomaly::DirectoryMoved => (Severity::Medium, "the directory is not where the archive says".to_owned()),
            _ => (Severity::Medium, "the archive is laid out oddly".to_owned()),
        },
    };
    sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
}
