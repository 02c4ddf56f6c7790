use std::borrow::Cow;

use sealyard_core::ReadAt;
use sealyard_formats::pickle::{Act, Fault, Graph, Limits, NodeId, Options, Pickle, Stop, interpret};

use super::{nested, pickle_facts};
use crate::context::Context;
use crate::judge::{Concern, Persistence, end_of_storages, is_dangerous, judge};
use crate::rules::pickle::{self as rules, Artifact};

/// Largest pickle that is read into memory.
pub(super) const MAX_BYTES: u64 = 1 << 30;
/// How much of a file without a known magic is read to see whether it is a pickle after all.
const PROBE_BYTES: u64 = 1 << 20;
const MAX_OPCODES: u64 = 20_000_000;
const MAX_NODES: usize = 8_000_000;

/// An interpreted file of pickle streams.
#[derive(Debug)]
pub(crate) struct PickleFile<'p, 'a> {
    pub(crate) pickle: &'p Pickle<'a>,
    pub(crate) size: u64,
}

/// How a file is read: within the bounds on one file, and what is left of those on everything inside it.
pub(super) fn options(joblib: bool, most: u64, context: &mut Context) -> Options {
    let opcodes = most.min(context.budget().opcodes);
    let limits = Limits { bytes: MAX_BYTES, opcodes, nodes: MAX_NODES, ..Limits::default() };
    Options { limits, joblib }
}

/// Interprets the bytes, and takes what that costs from the budget.
pub(super) fn run<'a>(bytes: &'a [u8], options: &'a Options, context: &mut Context) -> Pickle<'a> {
    let pickle = interpret(bytes, options);
    context.budget().spend_opcodes(pickle.opcodes);
    pickle
}

/// Reads and looks at a whole pickle file.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match context.read(data, MAX_BYTES) {
        Some(bytes) => inspect_bytes(&bytes, Persistence::Refused, context),
        None => "pickle",
    }
}

/// Looks at the bytes of a pickle file.
pub(super) fn inspect_bytes(bytes: &[u8], persistence: Persistence, context: &mut Context) -> &'static str {
    let options = options(true, MAX_OPCODES, context);
    let pickle = run(bytes, &options, context);
    inspect_interpreted(bytes, &pickle, persistence, context)
}

fn inspect_interpreted(
    bytes: &[u8],
    pickle: &Pickle<'_>,
    persistence: Persistence,
    context: &mut Context,
) -> &'static str {
    let size = bytes.len() as u64;
    if end_of_storages(pickle).is_some_and(|end| end > size) {
        context.miss("the file ends before its storages do");
    }
    pickle_facts::tell(pickle, context);
    // No opcode is white space: a line's end behind the pickle is nothing.
    let end = pickle.streams.first().map_or(0, |stream| stream.end);
    let size = if is_blank(bytes, end) { end } else { size };
    let concerns = report(pickle, size, judge(pickle, persistence), context);
    let arrays = pickle.events.iter().any(|event| matches!(event.act, Act::ArrayRead(_)));
    if !arrays {
        return "pickle";
    }
    // `pickle.load` does not know that raw bytes follow and runs them as opcodes.
    let options = options(false, MAX_OPCODES, context);
    let plain = run(bytes, &options, context);
    let mut hidden: Vec<_> = judge(&plain, persistence)
        .into_iter()
        .filter(|concern| !concerns.contains(concern) && acts_aside(concern))
        .collect();
    for concern in &mut hidden {
        concern.message.push_str(" (where pickle.load reads raw array bytes as opcodes)");
    }
    if !hidden.is_empty() {
        rules::run(&Artifact::Concerns(&hidden), context.sink());
    }
    "joblib"
}

/// Whether only white space stands behind a place.
fn is_blank(bytes: &[u8], end: u64) -> bool {
    let rest = usize::try_from(end).ok().and_then(|end| bytes.get(end..));
    rest.is_some_and(|rest| !rest.is_empty() && rest.len() <= 64 && rest.trim_ascii().is_empty())
}

/// Whether a concern is more than what random bytes, or the pickle of an object array read in the wrong place, amount
/// to: they may name something, or confuse the memo, but that they also call it is no accident.
pub(super) fn acts(concern: &Concern) -> bool {
    use crate::judge::Wrong;
    match concern.wrong {
        Wrong::DangerousGlobal | Wrong::DottedTraversal => true,
        Wrong::UnlistedCall | Wrong::ComputedCallable => concern.called,
        _ => false,
    }
}

/// The same where `pickle.load` takes arrays for opcodes. The pickle of an object array that is read in the wrong place
/// finds another stack and memo than its own: what is called then is an object of the model, one of its classes with
/// arguments that are not its own, or `dtype` of the module that some other text of the model names.
fn acts_aside(concern: &Concern) -> bool {
    use crate::judge::Wrong;
    let called = concern.name.as_deref().and_then(|name| name.rsplit('.').next());
    match concern.wrong {
        Wrong::ComputedCallable => false,
        Wrong::UnlistedCall if concern.is_in_listed_package() => false,
        Wrong::UnlistedCall if called.is_some_and(|name| CALLED_IN_ARRAYS.contains(&name)) => false,
        _ => acts(concern),
    }
}

/// What pickles of arrays call: numpy's functions, and `_codecs.encode` for bytes.
const CALLED_IN_ARRAYS: &[&str] = &["_frombuffer", "_reconstruct", "dtype", "encode", "scalar"];

fn report(pickle: &Pickle<'_>, size: u64, concerns: Vec<Concern>, context: &mut Context) -> Vec<Concern> {
    for stream in &pickle.streams {
        if let Stop::Bound { offset, bound } = &stream.stop {
            context.miss(format!("a bound was met at offset {offset:#x}: {bound:?}"));
        }
    }
    if let Some(Stop::Fault { fault: fault @ (Fault::NoStop | Fault::Truncated), .. }) =
        pickle.streams.first().map(|stream| &stream.stop)
    {
        context.miss(fault.to_string());
    }
    let nested = nested::concerns(pickle, context);
    if !nested.is_empty() {
        rules::run(&Artifact::Nested(&nested), context.sink());
    }
    let file = PickleFile { pickle, size };
    rules::run(&Artifact::Concerns(&concerns), context.sink());
    rules::run(&Artifact::File(&file), context.sink());
    concerns
}

/// Looks at a file without a known magic as a pickle, if it is one: protocols 0 and 1 begin with any opcode, and
/// protocol 0 is plain text. Gives whether it was one.
pub(super) fn inspect_if_pickle(data: &dyn ReadAt, context: &mut Context) -> std::io::Result<bool> {
    if let Some(bytes) = data.in_memory()
        && data.size() <= PROBE_BYTES
    {
        return Ok(inspect_if_it_runs(bytes, context));
    }
    let length = usize::try_from(data.size().min(PROBE_BYTES)).unwrap_or_default();
    let mut head = vec![0; length];
    data.read_exact_at(0, &mut head)?;
    if data.size() <= PROBE_BYTES {
        return Ok(inspect_if_it_runs(&head, context));
    }
    let options = options(true, MAX_OPCODES, context);
    let probe = run(&head, &options, context);
    let is_cut = match probe.streams.first().map(|stream| &stream.stop) {
        Some(Stop::Fault { offset, fault: Fault::NoStop | Fault::Truncated | Fault::BadArray, .. }) => {
            // What claims more bytes than the whole file has breaks there, however much of it is read.
            claimed_end(&head, *offset).is_none_or(|end| end <= data.size())
        }
        Some(Stop::Bound { .. }) => true,
        _ => false,
    };
    if !is_cut && !runs(&probe, &head, context.format().is_text()) {
        return Ok(false);
    }
    if data.size() > MAX_BYTES {
        // What begins like a pickle and is too large to follow is no harmless text.
        context.miss(format!("it may be a pickle of more than {MAX_BYTES} bytes"));
        return Ok(true);
    }
    let bytes =
        data.in_memory().map_or_else(|| data.read_all(MAX_BYTES).map(Cow::Owned), |bytes| Ok(Cow::Borrowed(bytes)))?;
    Ok(inspect_if_it_runs(&bytes, context))
}

/// Where the argument of the opcode at `offset` ends, for those that say how many bytes it has.
fn claimed_end(bytes: &[u8], offset: u64) -> Option<u64> {
    let start = usize::try_from(offset).ok()?;
    let width = match bytes.get(start)? {
        b'X' | b'T' | b'B' | 0x8b => 4,
        0x8d | 0x8e | 0x95 | 0x96 => 8,
        _ => return None,
    };
    let count = bytes.get(start + 1..start + 1 + width)?;
    let count = count.iter().rev().fold(0_u64, |count, byte| count << 8 | u64::from(*byte));
    Some(offset.saturating_add(1 + width as u64).saturating_add(count))
}

fn inspect_if_it_runs(bytes: &[u8], context: &mut Context) -> bool {
    let options = options(true, MAX_OPCODES, context);
    let pickle = run(bytes, &options, context);
    // What goes on for longer than is followed may come to anything.
    let is_bounded = matches!(pickle.streams.first().map(|stream| &stream.stop), Some(Stop::Bound { .. }));
    let is_pickle = is_bounded || runs(&pickle, bytes, context.format().is_text());
    if is_pickle {
        inspect_interpreted(bytes, &pickle, Persistence::Refused, context);
    }
    is_pickle
}

/// Whether the bytes do anything as a pickle: they come to a `STOP`, or call something before they break, or import
/// something dangerous and go on for a while. Text that happens to begin with `c` and two lines only imports, and breaks;
/// where it meets a dot, it comes to an end besides, before the text does.
fn runs(pickle: &Pickle<'_>, bytes: &[u8], is_text: bool) -> bool {
    let goes_on = pickle.streams.first().is_some_and(|stream| stream.opcodes >= 3);
    // A loader without a way to load ids ends at the first one.
    let events = pickle.events.iter().take_while(|event| !is_text || !matches!(event.act, Act::PersistentLoaded(_)));
    let acts = events.clone().any(|event| match event.act {
        Act::Imported(node) => goes_on && is_dangerous(&pickle.graph, node) || is_run_by_import(&pickle.graph, node),
        // An extension code that nobody registered ends the load; one that is registered and called is an act too.
        Act::PersistentLoaded(_) | Act::ExtensionUsed(_) => false,
        _ => true,
    });
    if acts || !is_text {
        return acts || pickle.value().is_some();
    }
    let end = pickle.streams.first().and_then(|stream| usize::try_from(stream.end).ok()).unwrap_or_default();
    let is_whole = bytes.get(end..).is_some_and(|rest| rest.trim_ascii().is_empty());
    pickle.value().is_some() && is_whole
}

/// Packages of the standard library with modules that act as soon as they are imported.
const RUN_BY_IMPORT: &[&str] = &["antigravity", "idlelib", "test", "this", "turtledemo"];

/// Whether a module acts as soon as it is imported: for these a name alone is enough, whatever follows it.
fn is_run_by_import(graph: &Graph<'_>, node: NodeId) -> bool {
    let Some((module, _)) = graph.global(node).and_then(|global| global.resolved()) else { return false };
    let mut parts = module.split('.');
    parts.clone().next().is_some_and(|first| RUN_BY_IMPORT.contains(&first)) || parts.any(|part| part == "__main__")
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::Scanner;

    fn verdict(name: &str, bytes: &[u8]) -> Verdict {
        Scanner::new().scan_file(name, &bytes).verdict
    }

    #[test]
    fn texts_that_happen_to_be_opcodes_are_texts() {
        for (name, text) in [
            (".gitignore", "cache/\n*.pyc\n.venv\n"),
            (".gitignore", "checkpoints/\ndata/\n.ipynb_checkpoints/\n"),
            ("results.csv", "class,p1\n.73,.26\n.98,.01\n"),
            ("NOTICE", "Project-URL: a\nPlease read on.\nR is a language.\n"),
            ("LICENSE", "PERMISSION & CONDITIONS\nPermission is granted. b\n"),
            ("notes.txt", "Please read\n.bashrc first\n"),
            (".dockerignore", "Vagrant\n.idea\n"),
            (".gitignore", "coverage.xml\nThumbs.db\n.DS_Store\n.coverage\n"),
        ] {
            assert_eq!(verdict(name, text.as_bytes()), Verdict::Safe, "{text}");
        }
    }

    #[test]
    fn texts_that_do_something_are_pickles() {
        for text in [
            "cos\nsystem\n(S'true'\ntR.",
            "cos\nsystem\n(S'true'\ntR",
            "N.cos\nsystem\n(S'true'\ntR.",
            "cos\nsystem\n(S'true'\ntRPid\n.",
            "(ios\nsystem\nS'true'\n.",
            "cmy_module\nClass\n.\n",
        ] {
            assert!(verdict("notes.txt", text.as_bytes()) >= Verdict::Suspicious, "{text}");
        }
    }

    #[test]
    fn a_line_end_behind_a_pickle_is_nothing() {
        assert_eq!(verdict("a.pkl", b"\x80\x04N.\n"), Verdict::Safe);
        assert_eq!(verdict("a.pkl", b"\x80\x04N.\nN"), Verdict::Suspicious);
    }
}
