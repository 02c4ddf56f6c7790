//! The machine itself: one method an opcode, each doing what the C function of that opcode does.

mod array;
mod calls;
mod containers;
mod memo;
mod read;
mod scalars;
mod stack;

use std::collections::{HashMap, HashSet};

use super::{
    Act, Bound, Event, Execution, Fault, Graph, Limits, Name, Node, NodeId, Note, NoteKind, Opcode, Options, Pickle,
    Stop,
};
use memo::Memo;

/// Oddities beyond this many are not listed; one of each kind is enough to judge a file.
const MAX_NOTES: usize = 4096;

/// Why an opcode did not succeed.
enum Halt {
    Fault(Fault),
    Bound(Bound),
    /// A pickle inside this one ended early.
    Nested(Box<Stop>),
}

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

type Step = Result<(), Halt>;

/// What belongs to one stream: the C `UnpicklerObject`.
#[derive(Default)]
struct Run {
    start: usize,
    /// Offset of the opcode at work.
    at: usize,
    opcodes: u64,
    protocol: u8,
    highest_protocol: u8,
    newer_noted: bool,
    stack: Vec<NodeId>,
    marks: Vec<usize>,
    memo: Memo,
    frame_end: Option<usize>,
}

struct Machine<'a> {
    input: &'a [u8],
    position: usize,
    limits: &'a Limits,
    joblib: bool,
    run: Run,
    stream: usize,
    nested: usize,
    opcodes: u64,
    graph: Graph<'a>,
    events: Vec<Event>,
    notes: Vec<Note>,
    /// `copyreg._inverted_registry`, as far as the file itself fills it. It outlives a stream.
    registry: HashMap<i64, (Name<'a>, Name<'a>)>,
    /// Tuples that hold something unhashable.
    unhashable: HashSet<NodeId>,
    none: Option<NodeId>,
    booleans: [Option<NodeId>; 2],
    small: Vec<Option<NodeId>>,
}

/// Runs every stream in `input`, each up to its `STOP` or its first error.
///
/// A stream follows the `STOP` of the one before it; the first that does not complete ends the run, and
/// [`Pickle::trailing`] is where it began.
#[must_use]
pub fn interpret<'a>(input: &'a [u8], options: &'a Options) -> Pickle<'a> {
    let mut machine = Machine::new(input, options);
    let mut streams = Vec::new();
    let mut trailing = 0;
    if input.len() as u64 > options.limits.bytes {
        streams.push(Execution {
            start: 0,
            end: 0,
            opcodes: 0,
            protocol: 0,
            stop: Stop::Bound { offset: 0, bound: Bound::Bytes },
        });
    } else {
        while streams.is_empty() || machine.position < input.len() {
            machine.stream = streams.len();
            let execution = machine.stream();
            let complete = execution.stop.value().is_some();
            if complete {
                trailing = execution.end;
            }
            streams.push(execution);
            if !complete {
                break;
            }
            if streams.len() >= options.limits.streams && machine.position < input.len() {
                let offset = machine.position as u64;
                let stop = Stop::Bound { offset, bound: Bound::Streams };
                streams.push(Execution { start: offset, end: offset, opcodes: 0, protocol: 0, stop });
                break;
            }
        }
    }
    Pickle {
        graph: machine.graph,
        events: machine.events,
        notes: machine.notes,
        streams,
        trailing,
        opcodes: machine.opcodes,
    }
}

impl<'a> Machine<'a> {
    fn new(input: &'a [u8], options: &'a Options) -> Self {
        Self {
            input,
            position: 0,
            limits: &options.limits,
            joblib: options.joblib,
            run: Run::default(),
            stream: 0,
            nested: 0,
            opcodes: 0,
            graph: Graph::default(),
            events: Vec::new(),
            notes: Vec::new(),
            registry: HashMap::new(),
            unhashable: HashSet::new(),
            none: None,
            booleans: [None; 2],
            small: vec![None; 256],
        }
    }

    /// One stream from the current position with a stack and memo of its own.
    fn stream(&mut self) -> Execution {
        self.run = Run { start: self.position, at: self.position, ..Run::default() };
        let stop = match self.execute() {
            Ok(value) => Stop::Complete(value),
            Err(halt) => {
                let offset = self.run.at as u64;
                let opcode = self.input.get(self.run.at).copied().and_then(Opcode::of);
                match halt {
                    Halt::Fault(fault) => Stop::Fault { offset, opcode, fault },
                    Halt::Bound(bound) => Stop::Bound { offset, bound },
                    Halt::Nested(stop) => *stop,
                }
            }
        };
        Execution {
            start: self.run.start as u64,
            end: self.position as u64,
            opcodes: self.run.opcodes,
            protocol: self.run.highest_protocol,
            stop,
        }
    }

    fn execute(&mut self) -> Result<NodeId, Halt> {
        loop {
            self.run.at = self.position;
            let Some(byte) = self.input.get(self.position).copied() else { return Err(Fault::NoStop.into()) };
            self.position += 1;
            let Some(opcode) = Opcode::of(byte) else { return Err(Fault::InvalidOpcode(byte).into()) };
            if self.opcodes >= self.limits.opcodes {
                return Err(Halt::Bound(Bound::Opcodes));
            }
            self.opcodes += 1;
            self.run.opcodes += 1;
            if opcode == Opcode::Stop {
                let value = self.pop()?;
                if !self.run.stack.is_empty() || !self.run.marks.is_empty() {
                    self.note(NoteKind::StackLeft);
                }
                return Ok(value);
            }
            let step = self.step(opcode);
            // Also after a fault: where a frame is crossed, another reading may not fail there.
            self.check_frame();
            step?;
            if opcode.protocol() > self.run.protocol && self.run.protocol > 0 && !self.run.newer_noted {
                self.run.newer_noted = true;
                self.note(NoteKind::OpcodeNewerThanProtocol);
            }
        }
    }

    fn step(&mut self, opcode: Opcode) -> Step {
        match opcode {
            Opcode::Stop => Ok(()),
            Opcode::Mark => self.mark(),
            Opcode::Pop => self.load_pop(),
            Opcode::PopMark => self.marker().map(|start| self.run.stack.truncate(start)),
            Opcode::Dup => self.top().and_then(|top| self.push_id(top)),
            Opcode::None => self.load_none(),
            Opcode::Newtrue => self.load_bool(true),
            Opcode::Newfalse => self.load_bool(false),
            Opcode::Int => self.load_int(),
            Opcode::Long => self.load_long(),
            Opcode::Binint => self.load_binint(),
            Opcode::Binint1 => self.load_unsigned(1),
            Opcode::Binint2 => self.load_unsigned(2),
            Opcode::Long1 => self.load_counted_long(1),
            Opcode::Long4 => self.load_counted_long(4),
            Opcode::Float => self.load_float(),
            Opcode::Binfloat => self.load_binfloat(),
            Opcode::String => self.load_string(),
            Opcode::Binstring => self.load_binstring(4),
            Opcode::ShortBinstring => self.load_binstring(1),
            Opcode::Unicode => self.load_unicode(),
            Opcode::ShortBinunicode => self.load_binunicode(1),
            Opcode::Binunicode => self.load_binunicode(4),
            Opcode::Binunicode8 => self.load_binunicode(8),
            Opcode::ShortBinbytes => self.load_binbytes(1),
            Opcode::Binbytes => self.load_binbytes(4),
            Opcode::Binbytes8 => self.load_binbytes(8),
            Opcode::Bytearray8 => self.load_bytearray(),
            Opcode::EmptyTuple => self.push(Node::Tuple(Vec::new())),
            Opcode::EmptyList => self.push(Node::List(Vec::new())),
            Opcode::EmptyDict => self.push(Node::Dict(Vec::new())),
            Opcode::EmptySet => self.push(Node::Set(Vec::new())),
            Opcode::Tuple => self.marker().and_then(|start| self.load_tuple(start)),
            Opcode::Tuple1 => self.load_counted_tuple(1),
            Opcode::Tuple2 => self.load_counted_tuple(2),
            Opcode::Tuple3 => self.load_counted_tuple(3),
            Opcode::List => self.load_list(),
            Opcode::Dict => self.load_dict(),
            Opcode::Frozenset => self.load_frozenset(),
            Opcode::Append => self.load_append(),
            Opcode::Appends => self.marker().and_then(|start| self.append_from(start)),
            Opcode::Setitem => self.load_setitem(),
            Opcode::Setitems => self.marker().and_then(|start| self.set_from(start)),
            Opcode::Additems => self.load_additems(),
            Opcode::Global => self.load_global(),
            Opcode::StackGlobal => self.load_stack_global(),
            Opcode::Inst => self.load_inst(),
            Opcode::Obj => self.load_obj(),
            Opcode::Reduce => self.load_reduce(),
            Opcode::Newobj => self.load_newobj(false),
            Opcode::NewobjEx => self.load_newobj(true),
            Opcode::Build => self.load_build(),
            Opcode::Persid => self.load_persid(),
            Opcode::Binpersid => self.load_binpersid(),
            Opcode::Ext1 => self.load_extension(1),
            Opcode::Ext2 => self.load_extension(2),
            Opcode::Ext4 => self.load_extension(4),
            Opcode::NextBuffer => self.load_next_buffer(),
            Opcode::ReadonlyBuffer => self.load_readonly_buffer(),
            Opcode::Get => self.load_get(),
            Opcode::Binget => self.load_binget(1),
            Opcode::LongBinget => self.load_binget(4),
            Opcode::Put => self.load_put(),
            Opcode::Binput => self.load_binput(1),
            Opcode::LongBinput => self.load_binput(4),
            Opcode::Memoize => self.load_memoize(),
            Opcode::Proto => self.load_proto(),
            Opcode::Frame => self.load_frame(),
        }
    }

    fn note(&mut self, kind: NoteKind) {
        if self.notes.len() < MAX_NOTES {
            self.notes.push(Note { offset: self.run.at as u64, kind });
        }
    }

    fn event(&mut self, act: Act) {
        self.events.push(Event { offset: self.run.at as u64, stream: self.stream, act });
    }
}
