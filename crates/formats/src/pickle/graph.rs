use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Effects, PyStr, compat};

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub(super) u32);

impl NodeId {
    /// Its place in the arena.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// An abstract value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Node<'a> {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An `int` of at most 64 bits.
    Int(i64),
    /// A larger `int`.
    BigInt(BigInt<'a>),
    /// A `float`.
    Float(f64),
    /// A constant `str`.
    Str(PyStr<'a>),
    /// A constant `bytes`.
    Bytes(Cow<'a, [u8]>),
    /// A `bytearray`.
    ByteArray(Cow<'a, [u8]>),
    /// A `tuple`.
    Tuple(Vec<NodeId>),
    /// A `list`, with all that was appended.
    List(Vec<NodeId>),
    /// A `dict`: keys and values in order, a key as often as it was set; the last one counts.
    Dict(Vec<(NodeId, NodeId)>),
    /// A `set`, with all that was added.
    Set(Vec<NodeId>),
    /// A `frozenset`.
    FrozenSet(Vec<NodeId>),
    /// Something that is imported.
    Global(Box<Global<'a>>),
    /// What a call gives back.
    Call {
        /// Which opcode calls.
        kind: CallKind,
        /// What is called.
        callee: NodeId,
        /// The arguments: a [`Node::Tuple`], or something computed.
        args: NodeId,
        /// The keyword arguments of `NEWOBJ_EX`: a [`Node::Dict`], or something computed.
        kwargs: Option<NodeId>,
    },
    /// What the loader gives for a persistent id.
    Persistent(NodeId),
    /// What an extension code stands for that nothing in the file registered.
    Extension(i64),
    /// An out-of-band buffer.
    Buffer,
    /// A read-only view of a buffer.
    ReadOnly(NodeId),
    /// An array whose raw bytes lie in the file (joblib). It stands where its wrapper stood.
    Array(Box<Array<'a>>),
}

/// A Python `int` that does not fit 64 bits.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum BigInt<'a> {
    /// Two's complement, least significant byte first.
    Binary(Cow<'a, [u8]>),
    /// A literal of Python, `0x` and underscores included.
    Text(Cow<'a, str>),
}

/// Where a module's or an attribute's name comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name<'a> {
    /// A constant.
    Text(PyStr<'a>),
    /// The result of a call or of another opaque thing: nobody can know it without running it.
    Computed(NodeId),
}

impl Name<'_> {
    /// The constant, if it is one and holds no lone surrogates.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => text.as_str(),
            Self::Computed(_) => None,
        }
    }
}

/// Something that is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Global<'a> {
    /// The module as it is written.
    pub module: Name<'a>,
    /// The attribute as it is written, with dots if it has some.
    pub qualname: Name<'a>,
    /// The protocol in force: below 3 names of Python 2 are mapped, below 4 dots are not walked.
    pub protocol: u8,
    /// Offset of the opcode that imports it.
    pub offset: u64,
    /// The extension code it was reached by, if it was.
    pub extension: Option<i64>,
}

impl Global<'_> {
    /// Module and name as Python 3 looks them up: below protocol 3 the names of Python 2 are mapped. `None` if either
    /// is computed or holds a lone surrogate.
    #[must_use]
    pub fn resolved(&self) -> Option<(&str, &str)> {
        let module = self.module.as_str()?;
        let name = self.qualname.as_str()?;
        // The registry of extensions holds names that the opcode passes on unchanged, but they meet the same mapping.
        Some(if self.protocol < 3 { compat::python3(module, name) } else { (module, name) })
    }
}

/// Which opcode makes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallKind {
    /// `callee(*args)`.
    Reduce,
    /// `callee.__new__(callee, *args)`.
    NewObj,
    /// `callee.__new__(callee, *args, **kwargs)`.
    NewObjEx,
    /// `callee(*args)`, or `__new__` alone if there are no arguments and it is a class.
    Inst,
    /// As `Inst`, with the class from the stack.
    Obj,
}

/// What a call calls, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Callee<'g, 'a> {
    /// Something imported.
    Global(&'g Global<'a>),
    /// The result of something else.
    Computed(NodeId),
}

/// Raw array bytes behind a joblib wrapper.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<'a> {
    /// Which wrapper introduced it.
    pub wrapper: ArrayWrapper,
    /// The node that stood here before: the [`Node::Call`] that made the wrapper.
    pub call: (NodeId, NodeId),
    /// The state that described it.
    pub state: NodeId,
    /// The dtype's text, such as `<f8`.
    pub dtype: PyStr<'a>,
    /// Bytes per element.
    pub item_size: u64,
    /// The shape.
    pub shape: Vec<u64>,
    /// Memory order.
    pub order: Order,
    /// Offset of the first raw byte, padding skipped.
    pub offset: u64,
    /// How many raw bytes.
    pub len: u64,
    /// The raw bytes.
    pub data: &'a [u8],
    /// For arrays of objects, the value of the pickle that follows in place of raw bytes.
    pub objects: Option<NodeId>,
}

/// Which class of joblib describes an [`Array`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ArrayWrapper {
    /// `joblib.numpy_pickle.NumpyArrayWrapper`: the bytes follow inline.
    NumpyArrayWrapper,
}

/// Memory order of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Rows first.
    C,
    /// Columns first.
    F,
}

/// An arena of [`Node`]s.
#[derive(Debug, Default)]
pub struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) offsets: Vec<u64>,
    pub(super) effects: BTreeMap<NodeId, Effects>,
}

impl<'a> Graph<'a> {
    /// The node of an id of this graph; [`Node::None`] for an id of another.
    #[must_use]
    pub fn get(&self, id: NodeId) -> &Node<'a> {
        self.nodes.get(id.index()).unwrap_or(&Node::None)
    }

    /// Offset of the opcode that made the node. `None`, `True`, `False` and small ints are shared, so theirs is that of
    /// the first use.
    #[must_use]
    pub fn offset(&self, id: NodeId) -> u64 {
        self.offsets.get(id.index()).copied().unwrap_or_default()
    }

    /// What was done to the object after it was made.
    #[must_use]
    pub fn effects(&self, id: NodeId) -> Option<&Effects> {
        self.effects.get(&id)
    }

    /// The state that the last `BUILD` of this object set.
    #[must_use]
    pub fn state(&self, id: NodeId) -> Option<NodeId> {
        self.effects(id)?.states.last().copied()
    }

    /// How many nodes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is no node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All nodes in the order in which they were made.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, &Node<'a>)> {
        (0_u32..).map(NodeId).zip(&self.nodes)
    }

    /// The constant string at `id`.
    #[must_use]
    pub fn str(&self, id: NodeId) -> Option<&str> {
        match self.get(id) {
            Node::Str(text) => text.as_str(),
            _ => None,
        }
    }

    /// The items of the tuple or list at `id`.
    #[must_use]
    pub fn sequence(&self, id: NodeId) -> Option<&[NodeId]> {
        match self.get(id) {
            Node::Tuple(items) | Node::List(items) => Some(items),
            _ => None,
        }
    }

    /// The value under the string `key` in the dict at `id`; the one set last.
    #[must_use]
    pub fn item(&self, id: NodeId, key: &str) -> Option<NodeId> {
        let Node::Dict(items) = self.get(id) else { return None };
        items.iter().rev().find(|(name, _)| self.str(*name) == Some(key)).map(|(_, value)| *value)
    }

    /// What `id` is imported as, if it is a global.
    #[must_use]
    pub fn global(&self, id: NodeId) -> Option<&Global<'a>> {
        match self.get(id) {
            Node::Global(global) => Some(global),
            _ => None,
        }
    }

    /// What is called, if `id` is a call.
    #[must_use]
    pub fn callee(&self, id: NodeId) -> Option<Callee<'_, 'a>> {
        let Node::Call { callee, .. } = self.get(id) else { return None };
        Some(self.global(*callee).map_or(Callee::Computed(*callee), Callee::Global))
    }

    /// The nodes that `id` refers to directly, what was done to it later included.
    #[must_use]
    pub fn children(&self, id: NodeId) -> Vec<NodeId> {
        let mut children = match self.get(id) {
            Node::Tuple(items) | Node::List(items) | Node::Set(items) | Node::FrozenSet(items) => items.clone(),
            Node::Dict(items) => items.iter().flat_map(|(key, value)| [*key, *value]).collect(),
            Node::Call { callee, args, kwargs, .. } => {
                [Some(*callee), Some(*args), *kwargs].into_iter().flatten().collect()
            }
            Node::Persistent(pid) => vec![*pid],
            Node::ReadOnly(buffer) => vec![*buffer],
            Node::Global(global) => [&global.module, &global.qualname]
                .into_iter()
                .filter_map(|name| if let Name::Computed(node) = name { Some(*node) } else { None })
                .collect(),
            Node::Array(array) => [Some(array.call.0), Some(array.call.1), Some(array.state), array.objects]
                .into_iter()
                .flatten()
                .collect(),
            _ => Vec::new(),
        };
        if let Some(effects) = self.effects(id) {
            children.extend(&effects.states);
            children.extend(effects.items.iter().flat_map(|(key, value)| [*key, *value]));
            children.extend(&effects.appended);
            children.extend(&effects.added);
        }
        children
    }

    /// Every node that can be reached from `root`, each once, parents before the children they were first met from.
    #[must_use]
    pub fn reachable(&self, root: NodeId) -> Vec<NodeId> {
        let mut seen = vec![false; self.nodes.len()];
        let mut order = Vec::new();
        let mut pending = vec![root];
        while let Some(id) = pending.pop() {
            match seen.get_mut(id.index()) {
                Some(seen) if !*seen => *seen = true,
                _ => continue,
            }
            order.push(id);
            pending.extend(self.children(id).into_iter().rev());
        }
        order
    }
}
