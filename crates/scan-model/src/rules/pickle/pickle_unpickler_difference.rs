use std::collections::BTreeSet;

use sealyard_core::Severity;
use sealyard_formats::pickle::{Act, NoteKind};
use sealyard_scan::rule;

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports streams that Python's unpickler in C and the one in Python read differently, or that no pickler writes.
    ///
    /// # Why it matters
    /// Such a stream is made so that a scanner, which follows one of the two, sees something else than the loader runs.
    ///
    /// # What to do
    /// Save the model again with the library that made it; if that can't be done, do not load it.
    id: "pickle-unpickler-difference",
    name: "Unpicklers disagree",
    severity: High,
    summary: "Python's two unpicklers would read this stream differently.",
    help: "Save the model again with the library that made it.",
    references: ["https://github.com/python/cpython/blob/main/Modules/_pickle.c"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let Artifact::File(file) = artifact else { return };
    let mut seen = BTreeSet::new();
    // joblib writes raw array bytes past its own frames, and its unpickler minds none.
    let has_arrays = file.pickle.events.iter().any(|event| matches!(event.act, Act::ArrayRead(_)));
    for note in &file.pickle.notes {
        if has_arrays && note.kind == NoteKind::FrameIgnored {
            continue;
        }
        let Some((severity, what)) = describe(note.kind) else { continue };
        if seen.insert(note.kind) {
            sink.find(&METADATA, severity, note.offset, what, []);
        }
    }
}

fn describe(kind: NoteKind) -> Option<(Severity, &'static str)> {
    Some(match kind {
        NoteKind::NumberOnlyInC => (Severity::High, "a number that only the unpickler in C accepts"),
        NoteKind::NumberOnlyInPython => (Severity::High, "a number that only the unpickler in Python accepts"),
        NoteKind::ArgumentsOnlyInPython => (Severity::High, "arguments that only the unpickler in Python accepts"),
        NoteKind::FrameIgnored => (Severity::High, "frames that only the unpickler in Python minds"),
        NoteKind::MemoIndexHuge => (Severity::High, "a memo index that only the unpickler in Python can hold"),
        NoteKind::ProtocolChanged => (Severity::Medium, "the protocol changes within the stream"),
        NoteKind::BuiltinTarget => (Severity::Medium, "state is given to a builtin value"),
        NoteKind::StackLeft => (Severity::Medium, "values are left on the stack, which no pickler does"),
        NoteKind::ArrayPadding => (Severity::Medium, "padding before array bytes is not what joblib writes"),
        // What Python 2 and old picklers write, or what another rule reports.
        NoteKind::StringNotAscii
        | NoteKind::DottedNameUnderOldProtocol
        | NoteKind::ExtensionRegistered
        | NoteKind::OpcodeNewerThanProtocol => return None,
        _ => (Severity::Medium, "an oddity that no pickler writes"),
    })
}
