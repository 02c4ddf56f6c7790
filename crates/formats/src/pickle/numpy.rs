//! Arrays and scalars of numpy as they stand in a graph: their numbers, read from data alone.

use std::borrow::Cow;

use super::{Graph, Node, NodeId, Order};
use crate::numeric::{self, Dense, NumericError, Values};

/// More dimensions than numpy has.
const MAX_DIMENSIONS: usize = 64;

/// A dtype as far as the size and kind of its elements need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dtype {
    /// Such as `<f8` or `|O`.
    pub text: String,
    /// Bytes per element.
    pub item_size: u64,
    /// Whether elements, or fields of them, are objects.
    pub objects: bool,
}

/// A node that is no array, or one that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArrayError {
    /// Not made as numpy's pickles make arrays and scalars.
    #[error("the value is not an array or number")]
    NotAnArray,
    /// Its description is incomplete, computed or contradicts itself.
    #[error("the array's description is incomplete or contradicts itself")]
    Description,
    /// Its elements can't be read.
    #[error(transparent)]
    Elements(#[from] NumericError),
}

impl Graph<'_> {
    /// The dtype that `numpy.dtype(text, align, copy)` and the state that `BUILD` gave it describe. `None` if there is
    /// anything about it that is not constant and consistent.
    #[must_use]
    pub fn dtype(&self, id: NodeId) -> Option<Dtype> {
        if self.called(id)? != ("numpy", "dtype") {
            return None;
        }
        let text = self.str(*self.arguments(id)?.first()?)?;
        let mut base = text.trim_start_matches(['<', '>', '=', '|']);
        let mut order = text.chars().next().filter(|first| "<>|".contains(*first)).unwrap_or('<');
        if base == "?" {
            base = "b1";
        }
        let kind = base.chars().next()?;
        let digits = base.get(kind.len_utf8()..)?;
        let width: u64 = match (kind, digits) {
            ('O', "") => 8,
            (_, digits) if digits.len() <= 12 => digits.split('[').next()?.parse().ok()?,
            _ => return None,
        };
        let (mut item_size, mut objects) = match kind {
            'b' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' | 'S' | 'a' | 'V' => (width, false),
            'U' => (width.checked_mul(4)?, false),
            'O' => (8, true),
            _ => return None,
        };
        let states = self.effects(id).map(|effects| effects.states.as_slice()).unwrap_or_default();
        match states {
            [] => {}
            [state] => {
                let state = self.sequence(*state)?;
                let sign = self.str(*state.get(1)?)?;
                order = sign.chars().next().filter(|sign| "<>|=".contains(*sign))?;
                let int = |place: usize| match state.get(place).map(|id| self.get(*id)) {
                    Some(Node::Int(value)) => Some(*value),
                    _ => None,
                };
                let flagged = int(7)? & 1 == 1;
                // numpy believes the flags of the state; where they and the kind differ, nobody knows what is read.
                if kind == 'V' {
                    objects = flagged;
                } else if flagged != objects {
                    return None;
                }
                if matches!(kind, 'U' | 'S' | 'a' | 'V')
                    && let size @ 0.. = int(5)?
                {
                    item_size = u64::try_from(size).ok()?;
                }
            }
            _ => return None,
        }
        if order == '=' {
            order = '<';
        }
        let text = match kind {
            'O' => "|O".to_owned(),
            'U' => format!("{order}U{}", item_size / 4),
            _ => format!("{order}{base}"),
        };
        Some(Dtype { text, item_size, objects })
    }

    /// A tuple of extents, none negative.
    #[must_use]
    pub fn shape(&self, id: NodeId) -> Option<Vec<u64>> {
        if let Node::Int(extent) = self.get(id) {
            return Some(vec![u64::try_from(*extent).ok()?]);
        }
        let extents = self.sequence(id).filter(|extents| extents.len() <= MAX_DIMENSIONS)?;
        extents
            .iter()
            .map(|extent| match self.get(*extent) {
                Node::Int(extent) => u64::try_from(*extent).ok(),
                _ => None,
            })
            .collect()
    }

    /// Module and name of what a call calls.
    #[must_use]
    pub fn called(&self, id: NodeId) -> Option<(&str, &str)> {
        let Node::Call { callee, .. } = self.get(id) else { return None };
        self.global(*callee)?.resolved()
    }

    /// The arguments of a call, if they are a constant tuple.
    #[must_use]
    pub fn arguments(&self, id: NodeId) -> Option<&[NodeId]> {
        let Node::Call { args, kwargs: None, .. } = self.get(id) else { return None };
        match self.get(*args) {
            Node::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// Constant bytes, also as protocols below 3 write them: `_codecs.encode(text, 'latin1')`.
    #[must_use]
    pub fn bytes(&self, id: NodeId) -> Option<Cow<'_, [u8]>> {
        match self.get(id) {
            Node::Bytes(bytes) | Node::ByteArray(bytes) if self.effects(id).is_none() => Some(Cow::Borrowed(bytes)),
            Node::ReadOnly(buffer) => match self.get(*buffer) {
                Node::Bytes(bytes) | Node::ByteArray(bytes) => Some(Cow::Borrowed(bytes)),
                _ => None,
            },
            Node::Call { .. } => match (self.called(id)?, self.arguments(id)?) {
                (("_codecs", "encode"), [text, codec]) if self.str(*codec)? == "latin1" => {
                    let bytes = self.str(*text)?.chars().map(|letter| u8::try_from(u32::from(letter)).ok());
                    Some(Cow::Owned(bytes.collect::<Option<_>>()?))
                }
                (("builtins", "bytes"), []) => Some(Cow::Borrowed(&[])),
                _ => None,
            },
            _ => None,
        }
    }

    /// The numbers or texts of an array, a numpy scalar or a plain number, however the pickle writes them.
    ///
    /// # Errors
    /// [`ArrayError`] when it is none of these, or not exactly described by constants.
    pub fn dense(&self, id: NodeId) -> Result<Dense, ArrayError> {
        let scalar = |values| Ok(Dense { shape: Vec::new(), values });
        match self.get(id) {
            Node::Bool(value) => scalar(Values::Bool(vec![*value])),
            Node::Int(value) => scalar(Values::Int(vec![*value])),
            Node::Float(value) => scalar(Values::Float(vec![*value])),
            Node::Array(array) => match array.objects {
                Some(objects) => self.dense_call(objects),
                None => {
                    let dtype = array.dtype.as_str().unwrap_or_default();
                    Ok(numeric::read(dtype, &array.shape, array.order == Order::F, array.data)?)
                }
            },
            Node::Call { .. } => self.dense_call(id),
            _ => Err(ArrayError::NotAnArray),
        }
    }

    fn dense_call(&self, id: NodeId) -> Result<Dense, ArrayError> {
        let (module, name) = self.called(id).ok_or(ArrayError::NotAnArray)?;
        let arguments = self.arguments(id).ok_or(ArrayError::NotAnArray)?;
        match (module, name) {
            ("numpy.core.multiarray" | "numpy._core.multiarray", "_reconstruct") => self.reconstructed(id, arguments),
            ("numpy.core.multiarray" | "numpy._core.multiarray", "scalar") => {
                let [dtype, bytes] = arguments else { return Err(ArrayError::Description) };
                let dtype = self.dtype(*dtype).ok_or(ArrayError::Description)?;
                let bytes = self.bytes(*bytes).ok_or(ArrayError::Description)?;
                self.untouched(id)?;
                Ok(numeric::read(&dtype.text, &[], false, &bytes)?)
            }
            ("numpy.core.numeric" | "numpy._core.numeric", "_frombuffer") => {
                let [bytes, dtype, shape, order] = arguments else { return Err(ArrayError::Description) };
                let dtype = self.dtype(*dtype).ok_or(ArrayError::Description)?;
                let bytes = self.bytes(*bytes).ok_or(ArrayError::Description)?;
                let shape = self.shape(*shape).ok_or(ArrayError::Description)?;
                let fortran = match self.str(*order) {
                    Some("C") => false,
                    Some("F") => true,
                    _ => return Err(ArrayError::Description),
                };
                self.untouched(id)?;
                Ok(numeric::read(&dtype.text, &shape, fortran, &bytes)?)
            }
            _ => Err(ArrayError::NotAnArray),
        }
    }

    fn untouched(&self, id: NodeId) -> Result<(), ArrayError> {
        if self.effects(id).is_none() { Ok(()) } else { Err(ArrayError::Description) }
    }

    /// `_reconstruct(ndarray, (0,), b'b')` and its state `(version, shape, dtype, columns first, elements)`.
    fn reconstructed(&self, id: NodeId, arguments: &[NodeId]) -> Result<Dense, ArrayError> {
        let class = arguments.first().and_then(|class| self.global(*class)?.resolved());
        let effects = self.effects(id).ok_or(ArrayError::Description)?;
        let [state] = effects.states.as_slice() else { return Err(ArrayError::Description) };
        let only_built = effects.items.is_empty() && effects.appended.is_empty() && effects.added.is_empty();
        if class != Some(("numpy", "ndarray")) || !only_built {
            return Err(ArrayError::Description);
        }
        let Some([_, shape, dtype, fortran, elements]) = self.sequence(*state) else {
            return Err(ArrayError::Description);
        };
        let shape = self.shape(*shape).ok_or(ArrayError::Description)?;
        let dtype = self.dtype(*dtype).ok_or(ArrayError::Description)?;
        let fortran = match self.get(*fortran) {
            Node::Bool(fortran) => *fortran,
            Node::Int(fortran) => *fortran != 0,
            _ => return Err(ArrayError::Description),
        };
        if dtype.objects {
            return self.texts(&shape, *elements);
        }
        let bytes = self.bytes(*elements).ok_or(ArrayError::Description)?;
        Ok(numeric::read(&dtype.text, &shape, fortran, &bytes)?)
    }

    /// An array of objects all of which are strings, in one dimension: names of columns and classes.
    fn texts(&self, shape: &[u64], elements: NodeId) -> Result<Dense, ArrayError> {
        let items = self.sequence(elements).ok_or(ArrayError::Description)?;
        if shape != [items.len() as u64] {
            return Err(ArrayError::Description);
        }
        let texts = items.iter().map(|item| self.str(*item).map(str::to_owned)).collect::<Option<Vec<_>>>();
        let texts = texts.ok_or(ArrayError::Description)?;
        Ok(Dense { shape: vec![texts.len()], values: Values::Text(texts) })
    }
}
