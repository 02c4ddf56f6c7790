use super::{Bound, NodeId, Opcode};

/// How one stream ran.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Offset of the first opcode.
    pub start: u64,
    /// Offset behind the last byte that was used.
    pub end: u64,
    /// Opcodes run.
    pub opcodes: u64,
    /// Highest protocol that a `PROTO` named; 0 if none did.
    pub protocol: u8,
    /// Why it ended.
    pub stop: Stop,
}

/// Why a stream ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stop {
    /// It came to its `STOP` with this value.
    Complete(NodeId),
    /// An error, as the C unpickler would raise; everything before it has run.
    Fault {
        /// Offset of the opcode that failed.
        offset: u64,
        /// That opcode, unless the byte is none.
        opcode: Option<Opcode>,
        /// What is wrong.
        fault: Fault,
    },
    /// A bound of [`super::Limits`] was met; what follows is unknown.
    Bound {
        /// Offset of the opcode that met it.
        offset: u64,
        /// Which bound.
        bound: Bound,
    },
}

impl Stop {
    /// The value, if the stream is complete.
    #[must_use]
    pub const fn value(&self) -> Option<NodeId> {
        match self {
            Self::Complete(value) => Some(*value),
            _ => None,
        }
    }
}

/// What stops the C unpickler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// No byte is left where an opcode should be.
    #[error("the stream ends without STOP")]
    NoStop,
    /// The argument of an opcode goes past the end.
    #[error("the stream is truncated within an opcode")]
    Truncated,
    /// A byte that is no opcode.
    #[error("the byte {0:#04x} is no opcode")]
    InvalidOpcode(u8),
    /// A pop from an empty stack.
    #[error("the stack is empty")]
    StackUnderflow,
    /// A pop that would go below the topmost mark.
    #[error("a mark lies where a value is needed")]
    UnexpectedMark,
    /// An opcode needs a mark and there is none.
    #[error("there is no mark")]
    NoMark,
    /// `GET` of an index that nothing was put under.
    #[error("the memo has no entry {0}")]
    MemoMissing(u64),
    /// `PUT` of a negative index.
    #[error("a negative memo index")]
    MemoNegative,
    /// `PROTO` above 5.
    #[error("the protocol {0} is unknown")]
    UnsupportedProtocol(u8),
    /// A length that is negative or exceeds the address space.
    #[error("a length that is negative or far too large")]
    BadLength,
    /// Text that is no number.
    #[error("the text is not a number")]
    BadNumber,
    /// Text that is not encoded as the opcode asks.
    #[error("the text is not encoded as the opcode asks")]
    BadText,
    /// `STRING` without quotes around it, or a bad escape in it.
    #[error("the STRING argument is malformed")]
    BadString,
    /// `STACK_GLOBAL` with something that is no string.
    #[error("a module or name is not a string")]
    NameNotString,
    /// A call whose arguments are no tuple, or keywords no dict.
    #[error("the arguments of a call are not a tuple, or its keywords not a dict")]
    BadArguments,
    /// A call of a value that can't be called.
    #[error("a value is called that is not callable")]
    NotCallable,
    /// `NEWOBJ` of something that is no class.
    #[error("NEWOBJ of something that is not a class")]
    NotAClass,
    /// An odd number of keys and values.
    #[error("an odd number of keys and values")]
    OddItems,
    /// A list, dict, set or byte array as a key.
    #[error("an unhashable value is used as a key")]
    Unhashable,
    /// The target of an opcode does not support it.
    #[error("the target does not support the operation")]
    BadTarget,
    /// An extension code that is zero or negative.
    #[error("the extension code {0} is not positive")]
    BadExtension(i64),
    /// The array that should follow a joblib wrapper is described wrongly, or goes past the end.
    #[error("the array behind a joblib wrapper can't be sized or goes past the end")]
    BadArray,
}
