use sealyard_core::ReadAt;
use sealyard_formats::pickle::{Act, Fault, Graph, Limits, Node, NodeId, Options, Pickle, Stop, interpret};

use crate::judge::{Concern, Persistence, is_dangerous, judge};
use crate::rules::pickle::{self as rules, Artifact};
use crate::sink::Sink;

/// Largest pickle that is read into memory.
pub(super) const MAX_BYTES: u64 = 1 << 30;
/// How much of a file without a known magic is read to see whether it is a pickle after all.
const PROBE_BYTES: u64 = 1 << 20;
const MAX_OPCODES: u64 = 20_000_000;
const MAX_NODES: usize = 8_000_000;

/// An interpreted file of pickle streams and what no list covers in it.
#[derive(Debug)]
pub(crate) struct PickleFile<'p, 'a> {
    pub(crate) pickle: &'p Pickle<'a>,
    pub(crate) size: u64,
    pub(crate) concerns: Vec<Concern>,
}

fn options(joblib: bool) -> Options {
    let limits = Limits { bytes: MAX_BYTES, opcodes: MAX_OPCODES, nodes: MAX_NODES, ..Limits::default() };
    Options { limits, joblib }
}

/// Pickles inside pickles inside pickles that are followed.
const MAX_NESTING: usize = 3;
/// Most concerns that are kept of all of them.
const MAX_NESTED: usize = 64;
/// Most opcodes of one of them.
const MAX_NESTED_OPCODES: u64 = 1_000_000;

/// What no list covers in byte strings of `pickle` that are pickles themselves, at the offsets of these strings.
fn nested(pickle: &Pickle<'_>, depth: usize) -> Vec<Concern> {
    let mut found = Vec::new();
    let limits = Limits { opcodes: MAX_NESTED_OPCODES, nodes: MAX_NODES, ..Limits::default() };
    let options = Options { limits, joblib: false };
    for (id, node) in pickle.graph.iter() {
        let (Node::Bytes(bytes) | Node::ByteArray(bytes)) = node else { continue };
        if !matches!(bytes.as_ref(), [0x80, 0..=5, ..]) || found.len() >= MAX_NESTED {
            continue;
        }
        let inner = interpret(bytes, &options);
        let mut concerns = judge(&inner, Persistence::Refused);
        concerns.retain(acts);
        if depth > 0 {
            concerns.extend(nested(&inner, depth - 1));
        }
        for concern in &mut concerns {
            concern.offset = pickle.graph.offset(id);
        }
        found.extend(concerns);
    }
    found.truncate(MAX_NESTED);
    found
}

/// Reads and looks at a whole pickle file.
pub(super) fn inspect(data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    match data.read_all(MAX_BYTES) {
        Ok(bytes) => inspect_bytes(&bytes, Persistence::Refused, sink),
        Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
            sink.miss(format!("the pickle is larger than {MAX_BYTES} bytes"));
            "pickle"
        }
        Err(error) => {
            sink.miss(format!("could not be read: {error}"));
            "pickle"
        }
    }
}

/// Looks at the bytes of a pickle file.
pub(super) fn inspect_bytes(bytes: &[u8], persistence: Persistence, sink: &mut Sink) -> &'static str {
    let options_joblib = options(true);
    let pickle = interpret(bytes, &options_joblib);
    let size = bytes.len() as u64;
    report(&pickle, size, judge(&pickle, persistence), sink);
    let arrays = pickle.events.iter().any(|event| matches!(event.act, Act::ArrayRead(_)));
    if !arrays {
        return "pickle";
    }
    // `pickle.load` does not know that raw bytes follow and runs them as opcodes.
    let options_plain = options(false);
    let plain = interpret(bytes, &options_plain);
    let seen: Vec<_> = judge(&pickle, persistence);
    let mut hidden: Vec<_> =
        judge(&plain, persistence).into_iter().filter(|concern| !seen.contains(concern) && acts(concern)).collect();
    for concern in &mut hidden {
        concern.message.push_str(" (where pickle.load reads raw array bytes as opcodes)");
    }
    if !hidden.is_empty() {
        rules::run(&Artifact::Concerns(&hidden), sink);
    }
    "joblib"
}

/// Whether a concern is more than what random bytes, or the pickle of an object array read in the wrong place, amount
/// to: they may name something, or confuse the memo, but that they also call it is no accident.
fn acts(concern: &Concern) -> bool {
    use crate::judge::Wrong;
    match concern.wrong {
        Wrong::DangerousGlobal | Wrong::DottedTraversal => true,
        Wrong::UnlistedCall | Wrong::ComputedCallable => concern.called,
        _ => false,
    }
}

fn report(pickle: &Pickle<'_>, size: u64, concerns: Vec<Concern>, sink: &mut Sink) {
    for stream in &pickle.streams {
        if let Stop::Bound { offset, bound } = &stream.stop {
            sink.miss(format!("a bound was met at offset {offset:#x}: {bound:?}"));
        }
    }
    if let Some(Stop::Fault { fault: fault @ (Fault::NoStop | Fault::Truncated), .. }) =
        pickle.streams.first().map(|stream| &stream.stop)
    {
        sink.miss(fault.to_string());
    }
    let nested = nested(pickle, MAX_NESTING);
    if !nested.is_empty() {
        rules::run(&Artifact::Nested(&nested), sink);
    }
    let file = PickleFile { pickle, size, concerns };
    rules::run(&Artifact::Concerns(&file.concerns), sink);
    rules::run(&Artifact::File(&file), sink);
}

/// Looks at a file without a known magic as a pickle, if it is one: protocols 0 and 1 begin with any opcode, and
/// protocol 0 is plain text. Gives whether it was one.
pub(super) fn inspect_if_pickle(data: &dyn ReadAt, sink: &mut Sink) -> std::io::Result<bool> {
    let length = usize::try_from(data.size().min(PROBE_BYTES)).unwrap_or_default();
    let mut head = vec![0; length];
    data.read_exact_at(0, &mut head)?;
    if data.size() <= PROBE_BYTES {
        return Ok(inspect_if_it_runs(&head, sink));
    }
    let options = options(true);
    let probe = interpret(&head, &options);
    let cut = matches!(
        probe.streams.first().map(|stream| &stream.stop),
        Some(Stop::Fault { fault: Fault::NoStop | Fault::Truncated | Fault::BadArray, .. } | Stop::Bound { .. })
    );
    if !cut && !runs(&probe) {
        return Ok(false);
    }
    if data.size() > MAX_BYTES {
        // What begins like a pickle and is too large to follow is no harmless text.
        sink.miss(format!("it may be a pickle of more than {MAX_BYTES} bytes"));
        return Ok(true);
    }
    Ok(inspect_if_it_runs(&data.read_all(MAX_BYTES)?, sink))
}

fn inspect_if_it_runs(bytes: &[u8], sink: &mut Sink) -> bool {
    let options = options(true);
    let pickle = interpret(bytes, &options);
    // What goes on for longer than is followed may come to anything.
    let is_bounded = matches!(pickle.streams.first().map(|stream| &stream.stop), Some(Stop::Bound { .. }));
    let is_pickle = is_bounded || runs(&pickle);
    if is_pickle {
        inspect_bytes(bytes, Persistence::Refused, sink);
    }
    is_pickle
}

/// Whether the bytes do anything as a pickle: they come to a `STOP`, or call something before they break, or import
/// something dangerous and go on for a while. Text that happens to begin with `c` and two lines only imports, and breaks.
fn runs(pickle: &Pickle<'_>) -> bool {
    let goes_on = pickle.streams.first().is_some_and(|stream| stream.opcodes >= 3);
    pickle.value().is_some()
        || pickle.events.iter().any(|event| match event.act {
            Act::Imported(node) => {
                goes_on && is_dangerous(&pickle.graph, node) || is_run_by_import(&pickle.graph, node)
            }
            // An extension code that nobody registered ends the load; one that is registered and called is an act too.
            Act::PersistentLoaded(_) | Act::ExtensionUsed(_) => false,
            _ => true,
        })
}

/// Packages of the standard library with modules that act as soon as they are imported.
const RUN_BY_IMPORT: &[&str] = &["antigravity", "idlelib", "test", "this", "turtledemo"];

/// Whether a module acts as soon as it is imported: for these a name alone is enough, whatever follows it.
fn is_run_by_import(graph: &Graph<'_>, node: NodeId) -> bool {
    let Some((module, _)) = graph.global(node).and_then(|global| global.resolved()) else { return false };
    let mut parts = module.split('.');
    parts.clone().next().is_some_and(|first| RUN_BY_IMPORT.contains(&first)) || parts.any(|part| part == "__main__")
}
