//! Raw array bytes behind a joblib `NumpyArrayWrapper`.

use super::super::{Array, ArrayWrapper, Order, PyStr};
use super::{Act, Bound, Fault, Halt, Machine, Node, NodeId, NoteKind, Step};

impl<'a> Machine<'a> {
    /// If `target` is a joblib wrapper, reads the array that follows its `BUILD` and puts it in the wrapper's place.
    pub(super) fn read_array(&mut self, target: NodeId, state: NodeId) -> Step {
        let Some(call) = self.wrapper_call(target) else { return Ok(()) };
        // joblib reads frames ahead: were this one not used up, the raw bytes would be those behind it.
        if self.run.frame_end.take().is_some_and(|end| self.position < end) {
            return Err(Fault::BadArray.into());
        }
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
        let dtype = self.graph.dtype(item("dtype")?).ok_or(Fault::BadArray)?;
        let shape = self.graph.shape(item("shape")?).ok_or(Fault::BadArray)?;
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

    /// The pickle that stands in place of raw bytes for an array of objects: `pickle.load` on the same file.
    fn nested(&mut self) -> Result<NodeId, Halt> {
        if self.nested >= self.limits.nested {
            return Err(Halt::Bound(Bound::Nested));
        }
        self.nested += 1;
        let outer = std::mem::take(&mut self.run);
        // The unpickler of the elements is a plain one: to it a wrapper is an object, and no raw bytes follow.
        let joblib = std::mem::replace(&mut self.joblib, false);
        let inner = self.stream();
        self.joblib = joblib;
        self.run = outer;
        self.nested -= 1;
        match inner.stop.value() {
            Some(value) => Ok(value),
            None => Err(Halt::Nested(Box::new(inner.stop))),
        }
    }
}
