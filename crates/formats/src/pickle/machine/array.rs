//! Raw array bytes behind a joblib `NumpyArrayWrapper`.

use super::super::{Array, ArrayWrapper, Order, PyStr};
use super::{Act, Bound, Fault, Halt, Machine, Node, NodeId, NoteKind, Run, Step};

/// More dimensions than numpy has.
const MAX_DIMENSIONS: usize = 64;

/// A dtype as far as the size of its elements needs it.
struct Dtype {
    text: String,
    item_size: u64,
    objects: bool,
}

impl<'a> Machine<'a> {
    /// If `target` is a joblib wrapper, reads the array that follows its `BUILD` and puts it in the wrapper's place.
    pub(super) fn read_array(&mut self, target: NodeId, state: NodeId) -> Step {
        let Some(call) = self.wrapper_call(target) else { return Ok(()) };
        let array = self.sized_array(call, state)?;
        let id = self.make(Node::Array(Box::new(array)))?;
        self.pop()?;
        self.event(Act::ArrayRead(id));
        self.push_id(id)
    }

    fn is_wrapper_class(&self, id: NodeId) -> bool {
        self.graph.global(id).and_then(super::super::Global::resolved).is_some_and(|(module, name)| {
            // sklearn once shipped joblib inside itself; a dotted name may carry part of the module.
            format!("{module}.{name}").ends_with("joblib.numpy_pickle.NumpyArrayWrapper")
        })
    }

    /// The callee and arguments, if the node is an instance of the wrapper however it was made.
    fn wrapper_call(&self, id: NodeId) -> Option<(NodeId, NodeId)> {
        let Node::Call { callee, args, .. } = self.graph.get(id) else { return None };
        let first = self.graph.sequence(*args).and_then(|args| args.first().copied());
        let through = self.graph.global(*callee).is_some() && first.is_some_and(|first| self.is_wrapper_class(first));
        (self.is_wrapper_class(*callee) || through).then_some((*callee, *args))
    }

    fn sized_array(&mut self, call: (NodeId, NodeId), state: NodeId) -> Result<Array<'a>, Halt> {
        let item = |key| self.graph.item(state, key).ok_or(Fault::BadArray);
        let dtype = self.dtype(item("dtype")?).ok_or(Fault::BadArray)?;
        let shape = self.shape(item("shape")?).ok_or(Fault::BadArray)?;
        let order = match self.graph.str(item("order")?) {
            Some("F") => Order::F,
            Some(_) => Order::C,
            None => return Err(Fault::BadArray.into()),
        };
        let padded = match self.graph.item(state, "numpy_array_alignment_bytes").map(|id| self.graph.get(id)) {
            None | Some(Node::None) => false,
            Some(Node::Int(_)) => true,
            Some(_) => return Err(Fault::BadArray.into()),
        };
        let count = shape.iter().try_fold(1_u64, |count, extent| count.checked_mul(*extent)).ok_or(Fault::BadArray)?;
        let mut array = Array {
            wrapper: ArrayWrapper::NumpyArrayWrapper,
            call,
            state,
            dtype: PyStr::from(dtype.text),
            item_size: dtype.item_size,
            shape,
            order,
            offset: self.position as u64,
            len: 0,
            data: &[],
            objects: None,
        };
        if dtype.objects {
            array.objects = Some(self.nested()?);
            return Ok(array);
        }
        if padded {
            let count = self.bytes(1)?.first().copied().unwrap_or_default();
            if self.bytes(u64::from(count))?.iter().any(|byte| *byte != 0xff) {
                self.note(NoteKind::ArrayPadding);
            }
        }
        array.offset = self.position as u64;
        array.len = count.checked_mul(dtype.item_size).ok_or(Fault::BadArray)?;
        array.data = self.bytes(array.len).map_err(|_| Fault::BadArray)?;
        Ok(array)
    }

    fn shape(&self, id: NodeId) -> Option<Vec<u64>> {
        let extents = self.graph.sequence(id).filter(|extents| extents.len() <= MAX_DIMENSIONS)?;
        extents
            .iter()
            .map(|extent| match self.graph.get(*extent) {
                Node::Int(extent) => u64::try_from(*extent).ok(),
                _ => None,
            })
            .collect()
    }

    /// `numpy.dtype(text, align, copy)` and the state that `BUILD` gave it.
    fn dtype(&self, id: NodeId) -> Option<Dtype> {
        let Node::Call { callee, args, .. } = self.graph.get(id) else { return None };
        if self.graph.global(*callee)?.resolved()? != ("numpy", "dtype") {
            return None;
        }
        let text = self.graph.str(*self.graph.sequence(*args)?.first()?)?;
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
            'b' | 'i' | 'u' | 'f' | 'c' | 'm' | 'M' => (width, false),
            'S' | 'a' | 'V' => (width, false),
            'U' => (width.checked_mul(4)?, false),
            'O' => (8, true),
            _ => return None,
        };
        let states = self.graph.effects(id).map(|effects| effects.states.as_slice()).unwrap_or_default();
        match states {
            [] => {}
            [state] => {
                let state = self.graph.sequence(*state)?;
                if let Some(Node::Str(sign)) = state.get(1).map(|id| self.graph.get(*id)) {
                    order = sign.as_str().and_then(|sign| sign.chars().next()).filter(|sign| "<>|=".contains(*sign))?;
                }
                let int = |place: usize| match state.get(place).map(|id| self.graph.get(*id)) {
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
        let text = if kind == 'O' { "|O".to_owned() } else { format!("{order}{base}") };
        Some(Dtype { text, item_size, objects })
    }

    /// The pickle that stands in place of raw bytes for an array of objects: `pickle.load` on the same file.
    fn nested(&mut self) -> Result<NodeId, Halt> {
        if self.nested >= self.limits.nested {
            return Err(Halt::Bound(Bound::Nested));
        }
        self.nested += 1;
        let outer = std::mem::take(&mut self.run);
        let inner = self.stream();
        self.run = outer;
        self.nested -= 1;
        // The raw part is not within the frame of the pickle around it.
        self.run.frame_end = None;
        match inner.stop.value() {
            Some(value) => Ok(value),
            None => Err(Halt::Nested(Box::new(inner.stop))),
        }
    }
}
