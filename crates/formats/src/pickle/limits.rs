/// How much of a stream is interpreted. Going over any bound ends the run with [`super::Stop::Bound`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: u64,
    /// Opcodes, over all streams of the file.
    pub opcodes: u64,
    /// Nodes of the graph.
    pub nodes: usize,
    /// Values on the stack, marks included.
    pub stack: usize,
    /// Entries of the memo.
    pub memo: usize,
    /// Streams in one file.
    pub streams: usize,
    /// Object arrays (pickles within a joblib pickle) inside each other.
    pub nested: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 4 << 30,
            opcodes: 50_000_000,
            nodes: 20_000_000,
            stack: 10_000_000,
            memo: 10_000_000,
            streams: 1024,
            nested: 16,
        }
    }
}

/// Which bound was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bound {
    /// [`Limits::bytes`].
    Bytes,
    /// [`Limits::opcodes`].
    Opcodes,
    /// [`Limits::nodes`].
    Nodes,
    /// [`Limits::stack`].
    Stack,
    /// [`Limits::memo`].
    Memo,
    /// [`Limits::streams`].
    Streams,
    /// [`Limits::nested`].
    Nested,
}

/// How [`super::interpret`] reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bounds.
    pub limits: Limits,
    /// Whether `BUILD` of a joblib `NumpyArrayWrapper` is followed by raw array bytes, as `joblib.load` has it.
    /// `pickle.load` would go on with the opcodes at that place instead: a careful reader tries both.
    pub joblib: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), joblib: true }
    }
}
