//! The argument shapes of listed names.

use sealyard_formats::pickle::{CallKind, Graph, Node, NodeId};

use super::{Class, Wrong, class};
use crate::allow::Shape;

/// Most dimensions of an array.
const MAX_DIMENSIONS: usize = 64;
/// Most arguments of a call that are looked at. A tuple may be shared by every call of a file, so a long one would
/// cost its length each time.
const MAX_ARGUMENTS: usize = 64;

/// How the names of the functions of torch end that also set attributes.
const WITH_STATE: &str = "_with_state";

/// Why a call of a listed name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Its arguments have another shape.
    Arguments,
    /// It would make an instance of this class, which is refused for this.
    Class(NodeId, Wrong),
    /// It could be turned against the reader, and only these arguments make it harmless.
    Callee(Wrong),
}

/// Whether a name of `shape` may be called so.
pub(super) fn check(
    graph: &Graph<'_>,
    shape: Shape,
    kind: CallKind,
    args: NodeId,
    kwargs: Option<NodeId>,
) -> Result<(), Refusal> {
    let Node::Tuple(args) = graph.get(args) else { return Err(Refusal::Arguments) };
    let keywords = match kwargs.map(|kwargs| graph.get(kwargs)) {
        None => false,
        Some(Node::Dict(items)) => !items.is_empty(),
        Some(_) => true,
    };
    let call = Call { graph, args, is_new: kind != CallKind::Reduce };
    let fits = !keywords && args.len() <= MAX_ARGUMENTS && call.fits(shape)?;
    match (fits, shape.is_only_called()) {
        (true, _) => Ok(()),
        (false, true) if shape == Shape::NumpyUfunc => Err(Refusal::Callee(Wrong::UnlistedCall)),
        (false, true) => Err(Refusal::Callee(Wrong::DangerousGlobal)),
        (false, false) => Err(Refusal::Arguments),
    }
}

/// Which argument of a call of `name` becomes the state of what it makes.
pub(super) fn state_place(shape: Shape, name: &str) -> Option<usize> {
    match shape {
        Shape::PyxUnpickle => Some(2),
        Shape::TorchFromType => Some(3),
        Shape::TorchRebuild if name.ends_with(WITH_STATE) => Some(3),
        _ => None,
    }
}

struct Call<'g, 'a> {
    graph: &'g Graph<'a>,
    args: &'g [NodeId],
    /// Whether `__new__` of a class is called, not the class itself.
    is_new: bool,
}

impl<'g, 'a> Call<'g, 'a> {
    fn get(&self, place: usize) -> Option<&'g Node<'a>> {
        self.args.get(place).map(|id| self.graph.get(*id))
    }

    fn text(&self, place: usize) -> Option<&'g str> {
        self.args.get(place).and_then(|id| self.graph.str(*id))
    }

    fn fits(&self, shape: Shape) -> Result<bool, Refusal> {
        let count = self.args.len();
        Ok(match shape {
            Shape::Reference | Shape::Function | Shape::NumpySubclass => false,
            Shape::Instance | Shape::Distribution => self.is_new && count == 0,
            // What the arguments hold has been judged at its own place.
            Shape::Values | Shape::Fields | Shape::PandasBlock => true,
            Shape::Constants => self.args.iter().all(|id| self.is_constant(*id)),
            Shape::Enum => count == 1 && !self.is_new && self.args.iter().all(|id| self.is_constant(*id)),
            Shape::TimeZone => {
                self.text(0).is_some_and(is_zone) && self.args.iter().skip(1).all(|id| self.is_constant(*id))
            }
            Shape::Getattr => class::attribute_of(self.graph, self.args).is_some(),
            Shape::Partial => {
                count == 1 && !self.is_new && matches!(self.shape_at(0), Some(Shape::Function | Shape::PandasBlock))
            }
            Shape::ArrayList => {
                count == 2
                    && self.text(0).is_some_and(|code| code.len() == 1)
                    && matches!(self.get(1), Some(Node::List(_)))
            }
            Shape::NumpyUfunc => !self.is_new && class::ufunc(self.graph, self.args).is_some(),
            Shape::TorchRebuild => self.rebuilds(),
            Shape::TorchFromType => self.rebuilds_a_type(),
            Shape::TorchLoadFromBytes => count == 1 && !self.is_new && self.args.iter().all(|id| self.is_bytes(*id)),
            // A computed argument may have more items than there is memory for: `deque(range(10**12))`.
            Shape::Mapping => !self.args.iter().any(|id| matches!(self.graph.get(*id), Node::Call { .. })),
            Shape::Fraction => self.args.iter().all(|id| match self.graph.get(*id) {
                Node::Int(_) => true,
                Node::Str(_) => self.graph.str(*id).is_some_and(is_fraction),
                _ => false,
            }),
            Shape::Scalars => self.args.iter().all(|id| is_scalar(self.graph.get(*id))),
            Shape::Sequence => {
                count == 0 || count == 1 && matches!(self.get(0), Some(Node::List(_) | Node::Tuple(_) | Node::Dict(_)))
            }
            Shape::None | Shape::Default => count == 0,
            Shape::Bytes => match count {
                0 => true,
                1 => self.args.iter().all(|id| self.is_bytes(*id)),
                2 => matches!(self.get(0), Some(Node::Str(_))) && self.is_latin1(1),
                _ => false,
            },
            Shape::ArrowArray => count == 1 && !self.is_new,
            Shape::ArrowBuffer => {
                let is_bytearray =
                    || self.args.iter().all(|id| self.graph.called(*id) == Some(("builtins", "bytearray")));
                count == 1 && !self.is_new && (self.args.iter().all(|id| self.is_bytes(*id)) || is_bytearray())
            }
            Shape::CodecsEncode => count == 2 && matches!(self.get(0), Some(Node::Str(_))) && self.is_latin1(1),
            Shape::Reconstructor => count == 3 && self.reconstructs()?,
            Shape::Newobj => count == 1 && (self.class_at(0)? || self.is_distribution()),
            Shape::Factory => count == 1 && self.class_at(0)?,
            Shape::PyxUnpickle => {
                (2..=3).contains(&count) && matches!(self.get(1), Some(Node::Int(_))) && self.class_at(0)?
            }
            Shape::Array => {
                count == 4
                    && self.is_named(0, "array", "array")
                    && self.text(1).is_some_and(|code| code.len() == 1)
                    && matches!(self.get(2), Some(Node::Int(0..=21)))
                    && matches!(self.get(3), Some(Node::Bytes(_)) | Some(Node::Call { .. }))
            }
            Shape::NumpyReconstruct => {
                count == 3
                    && (self.is_named(0, "numpy", "ndarray") || self.shape_at(0) == Some(Shape::NumpySubclass))
                    && self.is_shape(1, 0)
                    && (matches!(self.get(2), Some(Node::Bytes(code)) if code.as_ref() == b"b")
                        || self.text(2) == Some("b")
                        || matches!(self.get(2), Some(Node::Call { .. })))
            }
            Shape::NumpyDtype => {
                matches!(self.get(0), Some(Node::Str(_)) | Some(Node::Global(_)))
                    && (1..=3).contains(&count)
                    && self
                        .args
                        .iter()
                        .skip(1)
                        .all(|id| matches!(self.graph.get(*id), Node::Bool(_) | Node::Int(0..=1)))
            }
            Shape::NumpyScalar => (1..=2).contains(&count) && matches!(self.get(0), Some(Node::Call { .. })),
            Shape::NumpyFrombuffer => {
                count == 4
                    && matches!(
                        self.get(0),
                        Some(
                            Node::Bytes(_) | Node::ByteArray(_) | Node::Buffer | Node::ReadOnly(_) | Node::Call { .. }
                        )
                    )
                    && matches!(self.get(1), Some(Node::Call { .. }))
                    && self.is_shape(2, usize::MAX)
                    && matches!(self.text(3), Some("C" | "F"))
            }
            Shape::NumpyMasked => {
                count == 4
                    && (self.is_named(0, "numpy.ma.core", "MaskedArray") || self.is_named(0, "numpy.ma", "MaskedArray"))
                    && (self.is_named(1, "numpy", "ndarray") || self.shape_at(1) == Some(Shape::NumpySubclass))
                    && self.is_shape(2, 0)
                    && (matches!(self.get(3), Some(Node::Bytes(_) | Node::Call { .. })) || self.text(3).is_some())
            }
            Shape::PandasIndex => count == 2 && matches!(self.get(1), Some(Node::Dict(_))) && self.class_at(0)?,
            Shape::NumpyRandom => {
                for place in 0..count {
                    let fits = self.text(place).is_some_and(is_bit_generator)
                        || matches!(self.get(place), Some(Node::Call { .. }))
                        || self.is_named(place, "numpy.random._pickle", "__bit_generator_ctor")
                        || self.class_at(place)?;
                    if !fits {
                        return Ok(false);
                    }
                }
                count <= 2
            }
        })
    }

    fn is_latin1(&self, place: usize) -> bool {
        matches!(self.text(place), Some("latin1" | "latin-1" | "iso-8859-1"))
    }

    fn is_named(&self, place: usize, module: &str, name: &str) -> bool {
        let global = self.args.get(place).and_then(|id| self.graph.global(*id));
        global.and_then(|global| global.resolved()) == Some((module, name))
    }

    /// A tuple of sizes whose product is at most `largest`, so that nothing is allocated for it here.
    fn is_shape(&self, place: usize, largest: usize) -> bool {
        let Some(Node::Tuple(sizes)) = self.get(place) else { return false };
        if sizes.len() > MAX_DIMENSIONS {
            return false;
        }
        let mut product = 1_usize;
        for size in sizes {
            let Node::Int(size) = self.graph.get(*size) else { return false };
            let Ok(size) = usize::try_from(*size) else { return false };
            product = product.saturating_mul(size);
        }
        product <= largest
    }

    /// Bytes, also as protocols below 3 write them. What these calls are given is judged at its own place; to decode it
    /// here would cost its length each time.
    fn is_bytes(&self, id: NodeId) -> bool {
        match self.graph.get(id) {
            Node::Bytes(_) | Node::ByteArray(_) => true,
            Node::Call { .. } => matches!(self.graph.called(id), Some(("_codecs", "encode") | ("builtins", "bytes"))),
            _ => false,
        }
    }

    /// The shape of an argument that is imported.
    fn shape_at(&self, place: usize) -> Option<Shape> {
        match Class::of(self.graph, *self.args.get(place)?) {
            Class::Listed(shape) => Some(shape),
            _ => None,
        }
    }

    /// Other functions that make an instance of a class don't say so to those who look at its state.
    fn is_distribution(&self) -> bool {
        self.shape_at(0) == Some(Shape::Distribution)
    }

    fn is_constant(&self, id: NodeId) -> bool {
        match self.graph.get(id) {
            Node::Call { .. } => self.is_bytes(id),
            Node::Tuple(items) => {
                items.len() <= MAX_ARGUMENTS
                    && items.iter().all(|item| {
                        is_scalar(self.graph.get(*item))
                            && !matches!(self.graph.get(*item), Node::Call { .. } | Node::Tuple(_))
                    })
            }
            node => is_scalar(node),
        }
    }

    /// What torch makes tensors of: storages and other tensors, sizes, flags, types and tables of hooks.
    fn rebuilds(&self) -> bool {
        let fits = |id: &NodeId| match self.graph.get(*id) {
            Node::Global(_) => matches!(Class::of(self.graph, *id), Class::Listed(Shape::Reference)),
            _ => true,
        };
        !self.is_new && (2..=16).contains(&self.args.len()) && self.args.iter().all(fits)
    }

    /// `(function, cls, arguments, state)`, where the function is one that makes a tensor of these arguments.
    fn rebuilds_a_type(&self) -> bool {
        let [function, _, arguments, _] = self.args else { return false };
        let Node::Tuple(args) = self.graph.get(*arguments) else { return false };
        let name = self.graph.global(*function).and_then(|global| global.resolved());
        let inner = Call { graph: self.graph, args, is_new: false };
        !self.is_new
            && self.shape_at(0) == Some(Shape::TorchRebuild)
            && name.is_some_and(|(_, name)| !name.ends_with(WITH_STATE))
            && self.shape_at(1) == Some(Shape::Reference)
            && args.len() <= MAX_ARGUMENTS
            && inner.rebuilds()
    }

    /// Whether the argument is a listed class.
    fn class_at(&self, place: usize) -> Result<bool, Refusal> {
        let Some(id) = self.args.get(place) else { return Ok(false) };
        match Class::of(self.graph, *id) {
            Class::Listed(shape) => Ok(shape.is_class()),
            Class::Refused(wrong) => Err(Refusal::Class(*id, wrong)),
            Class::Computed => Ok(false),
        }
    }

    /// `(cls, object, None)`, or `(cls, dict, {…})` for a container.
    fn reconstructs(&self) -> Result<bool, Refusal> {
        let plain = self.is_named(1, "builtins", "object") && matches!(self.get(2), Some(Node::None));
        let based = ["dict", "list", "tuple", "set", "float", "int", "str"]
            .iter()
            .any(|base| self.is_named(1, "builtins", base));
        if self.shape_at(0) == Some(Shape::Fields) {
            return Ok(self.is_named(1, "builtins", "tuple") && matches!(self.get(2), Some(Node::Tuple(_))));
        }
        Ok(self.class_at(0)? && (plain || based) || self.is_distribution() && plain)
    }
}

/// Digits of a fraction as `str` writes it.
fn is_fraction(text: &str) -> bool {
    text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'-'))
}

fn is_scalar(node: &Node<'_>) -> bool {
    matches!(
        node,
        Node::None
            | Node::Bool(_)
            | Node::Int(_)
            | Node::BigInt(_)
            | Node::Float(_)
            | Node::Str(_)
            | Node::Bytes(_)
            | Node::ByteArray(_)
    ) || matches!(node, Node::Call { .. } | Node::Tuple(_))
}

/// Whether a name of a time zone stays below the folder of the time zones.
fn is_zone(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !name.starts_with('/')
        && name.chars().all(|character| character.is_ascii_alphanumeric() || "_-+/".contains(character))
}

fn is_bit_generator(name: &str) -> bool {
    matches!(name, "MT19937" | "PCG64" | "PCG64DXSM" | "Philox" | "SFC64")
}
