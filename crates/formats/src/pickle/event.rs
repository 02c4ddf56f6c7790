use super::NodeId;

/// One thing that a stream does which reaches beyond plain builtin values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Offset of the opcode in the input.
    pub offset: u64,
    /// Which stream of the file does it, from 0.
    pub stream: usize,
    /// What it does.
    pub act: Act,
}

/// What an [`Event`] is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Act {
    /// A name is imported: the node is a [`super::Node::Global`].
    Imported(NodeId),
    /// A code of the `copyreg` extension registry that nothing in the file registered: a [`super::Node::Extension`].
    ExtensionUsed(NodeId),
    /// Something is called: the node is a [`super::Node::Call`].
    Called(NodeId),
    /// `BUILD`: `__setstate__`, or an update of `__dict__` and `setattr` of slots.
    Built {
        /// Whose state is set.
        target: NodeId,
        /// To what.
        state: NodeId,
    },
    /// `SETITEM(S)` on something that is no builtin dict: its `__setitem__` runs.
    ItemsSet {
        /// On what.
        target: NodeId,
        /// Key and value, in order.
        items: Vec<(NodeId, NodeId)>,
    },
    /// `APPEND(S)` on something that is no builtin list: its `extend` or `append` runs.
    Appended {
        /// To what.
        target: NodeId,
        /// The values, in order.
        items: Vec<NodeId>,
    },
    /// `ADDITEMS` on something that is no builtin set: its `add` runs.
    Added {
        /// To what.
        target: NodeId,
        /// The values, in order.
        items: Vec<NodeId>,
    },
    /// The loader's `persistent_load` runs: the node is a [`super::Node::Persistent`].
    PersistentLoaded(NodeId),
    /// An out-of-band buffer is taken: the node is a [`super::Node::Buffer`].
    BufferTaken(NodeId),
    /// Raw array bytes follow a joblib wrapper: the node is a [`super::Node::Array`].
    ArrayRead(NodeId),
}

/// Something odd about a stream that does not stop the C unpickler, or that other unpicklers see differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// Offset of the opcode.
    pub offset: u64,
    /// What is odd.
    pub kind: NoteKind,
}

/// What a [`Note`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoteKind {
    /// A number in a text opcode that only the C unpickler accepts (`010`, a NUL after the digits).
    NumberOnlyInC,
    /// A number in a text opcode that only the Python unpickler accepts.
    NumberOnlyInPython,
    /// A Python 2 string that is not ASCII: what it becomes depends on the loader's `encoding`.
    StringNotAscii,
    /// `REDUCE` or another call with arguments that are no tuple: C stops, Python goes on.
    ArgumentsOnlyInPython,
    /// An opcode or its argument crosses the end of its frame, or frames overlap: C goes on when it loads bytes, skips
    /// what is left of the frame when it loads a file, and Python stops. No one reading is right.
    FrameIgnored,
    /// A memo index so large that C runs out of memory where Python goes on.
    MemoIndexHuge,
    /// `PROTO` that is not the first opcode, or a second one.
    ProtocolChanged,
    /// A name with dots under a protocol below 4, where it can't be found.
    DottedNameUnderOldProtocol,
    /// `BUILD` or another opcode on a builtin value, which stops C or depends on the key.
    BuiltinTarget,
    /// The value below `STOP` is not the only one left on the stack.
    StackLeft,
    /// The file registers an extension code with `copyreg.add_extension`.
    ExtensionRegistered,
    /// Padding before raw array bytes that is not all `0xff`.
    ArrayPadding,
    /// An opcode that a newer protocol brought, under an older `PROTO`; unpicklers do not mind.
    OpcodeNewerThanProtocol,
}
