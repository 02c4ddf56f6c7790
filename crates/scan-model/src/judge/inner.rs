//! Bytes that a listed function unpickles: torch writes a tensor so where it is pickled by something else than
//! `torch.save`.

use std::borrow::Cow;
use std::collections::HashSet;

use sealyard_formats::pickle::{Graph, Limits, NodeId, Options, interpret};

use super::legacy::STREAMS;
use super::{Persistence, judge_within};

/// Pickles inside pickles that are followed.
const MAX_DEPTH: usize = 3;
/// Most bytes that are decoded from text, and most opcodes, of all of them.
const MAX_BYTES: u64 = 32 << 20;
const MAX_OPCODES: u64 = 4_000_000;
const MAX_NODES: usize = 4_000_000;

/// What may still be spent on the bytes inside one file.
#[derive(Debug)]
pub(super) struct Budget {
    depth: usize,
    bytes: u64,
    opcodes: u64,
    /// The bytes that were found harmless.
    seen: HashSet<NodeId>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, bytes: MAX_BYTES, opcodes: MAX_OPCODES, seen: HashSet::new() }
    }
}

/// Whether the bytes that are the only argument in `args` do nothing that a file may not do.
pub(super) fn is_harmless(graph: &Graph<'_>, args: NodeId, budget: &mut Budget) -> bool {
    let Some([argument]) = graph.sequence(args) else { return false };
    if budget.seen.contains(argument) {
        return true;
    }
    let is_harmless = look(graph, *argument, budget).unwrap_or(false);
    if is_harmless {
        budget.seen.insert(*argument);
    }
    is_harmless
}

fn look(graph: &Graph<'_>, argument: NodeId, budget: &mut Budget) -> Option<bool> {
    if budget.depth == 0 || budget.bytes == 0 || budget.opcodes == 0 {
        return None;
    }
    let Some(bytes) = graph.bytes(argument) else {
        // No library writes such a text, and to find that out may have cost its length.
        budget.bytes = 0;
        return None;
    };
    if matches!(bytes, Cow::Owned(_)) {
        budget.bytes = budget.bytes.saturating_sub(bytes.len() as u64);
    }
    // Only what begins as a pickle is read as one: torch also knows archives, which other eyes must look at.
    if !matches!(bytes.as_ref(), [0x80, 2..=5, ..]) {
        return Some(false);
    }
    let limits = Limits { opcodes: budget.opcodes, nodes: MAX_NODES, streams: STREAMS, ..Limits::default() };
    let options = Options { limits, joblib: false };
    let inner = interpret(&bytes, &options);
    let spent: u64 = inner.streams.iter().map(|stream| stream.opcodes).sum();
    budget.opcodes = budget.opcodes.saturating_sub(spent);
    let end = inner.streams.iter().take(STREAMS).next_back().map_or(0, |stream| stream.end);
    let is_complete =
        inner.streams.iter().take(STREAMS).filter(|stream| stream.stop.value().is_some()).count() == STREAMS;
    let mut below =
        Budget { depth: budget.depth - 1, bytes: budget.bytes, opcodes: budget.opcodes, seen: HashSet::new() };
    let concerns = judge_within(&inner, Persistence::Torch, &mut below, end);
    (budget.bytes, budget.opcodes) = (below.bytes, below.opcodes);
    Some(is_complete && concerns.is_empty())
}
