//! A pickle machine that acts like C's `_pickle` over abstract values.
//!
//! [`interpret`] runs every opcode up to the first error and leaves an object graph ([`Graph`]), an ordered list of
//! what the stream did ([`Event`]), what differs between the C and the Python unpickler ([`Note`]), and where and why
//! each stream ended ([`Execution`]). Nothing is ever imported or called.
//!
//! The graph may hold cycles and shared nodes: whoever walks it keeps a set of visited nodes
//! ([`Graph::reachable`] does).

mod compat;
mod effects;
mod event;
mod fault;
mod graph;
mod limits;
mod literal;
mod machine;
mod numpy;
mod opcode;
mod pystr;

pub use effects::Effects;
pub use event::{Act, Event, Note, NoteKind};
pub use fault::{Execution, Fault, Stop};
pub use graph::{Array, ArrayWrapper, BigInt, CallKind, Callee, Global, Graph, Name, Node, NodeId, Order};
pub use limits::{Bound, Limits, Options};
pub use machine::interpret;
pub use numpy::{ArrayError, Dtype};
pub use opcode::Opcode;
pub use pystr::PyStr;

/// All that is known about one file of pickle streams.
#[derive(Debug)]
pub struct Pickle<'a> {
    /// The objects that the streams make.
    pub graph: Graph<'a>,
    /// What the streams do, in the order in which they do it.
    pub events: Vec<Event>,
    /// Where unpicklers would differ, and other oddities.
    pub notes: Vec<Note>,
    /// One entry a stream, in order; the last one may have ended in a fault.
    pub streams: Vec<Execution>,
    /// First byte that no stream which ran to its `STOP` has used. Equals the input's length if nothing is left.
    pub trailing: u64,
    /// Opcodes that were run, over all streams and the pickles of object arrays in them.
    pub opcodes: u64,
}

impl Pickle<'_> {
    /// The value of the first stream, if that ran to its `STOP`.
    #[must_use]
    pub fn value(&self) -> Option<NodeId> {
        self.streams.first().and_then(|stream| stream.stop.value())
    }

    /// Whether the first stream ran to its `STOP` and nothing follows it.
    #[must_use]
    pub fn is_clean(&self, size: u64) -> bool {
        self.value().is_some() && self.streams.len() == 1 && self.trailing == size
    }
}
