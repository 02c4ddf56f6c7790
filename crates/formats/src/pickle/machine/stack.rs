//! The value stack and the marks: C's `Pdata`, whose fence is the topmost mark.

use super::{Bound, Fault, Halt, Machine, Node, NodeId, Step};

impl<'a> Machine<'a> {
    pub(super) fn fence(&self) -> usize {
        self.run.marks.last().copied().unwrap_or_default()
    }

    pub(super) fn underflow(&self) -> Halt {
        let fault = if self.run.marks.is_empty() { Fault::StackUnderflow } else { Fault::UnexpectedMark };
        fault.into()
    }

    /// Makes a node without pushing it.
    pub(super) fn make(&mut self, node: Node<'a>) -> Result<NodeId, Halt> {
        let index = self.graph.nodes.len();
        let id = match u32::try_from(index) {
            Ok(id) if index < self.limits.nodes => NodeId(id),
            _ => return Err(Halt::Bound(Bound::Nodes)),
        };
        self.graph.nodes.push(node);
        self.graph.offsets.push(self.run.at as u64);
        Ok(id)
    }

    pub(super) fn push_id(&mut self, id: NodeId) -> Step {
        if self.run.stack.len() + self.run.marks.len() >= self.limits.stack {
            return Err(Halt::Bound(Bound::Stack));
        }
        self.run.stack.push(id);
        Ok(())
    }

    pub(super) fn push(&mut self, node: Node<'a>) -> Step {
        let id = self.make(node)?;
        self.push_id(id)
    }

    pub(super) fn pop(&mut self) -> Result<NodeId, Halt> {
        if self.run.stack.len() <= self.fence() {
            return Err(self.underflow());
        }
        self.run.stack.pop().ok_or_else(|| Fault::StackUnderflow.into())
    }

    pub(super) fn top(&self) -> Result<NodeId, Halt> {
        if self.run.stack.len() <= self.fence() {
            return Err(self.underflow());
        }
        self.run.stack.last().copied().ok_or_else(|| Fault::StackUnderflow.into())
    }

    /// The values from `start` on, in order; they leave the stack.
    pub(super) fn pop_from(&mut self, start: usize) -> Result<Vec<NodeId>, Halt> {
        if start < self.fence() || start > self.run.stack.len() {
            return Err(self.underflow());
        }
        Ok(self.run.stack.split_off(start))
    }

    pub(super) fn mark(&mut self) -> Step {
        if self.run.stack.len() + self.run.marks.len() >= self.limits.stack {
            return Err(Halt::Bound(Bound::Stack));
        }
        self.run.marks.push(self.run.stack.len());
        Ok(())
    }

    /// Takes the topmost mark off and says where on the stack it was.
    pub(super) fn marker(&mut self) -> Result<usize, Halt> {
        self.run.marks.pop().ok_or_else(|| Fault::NoMark.into())
    }

    /// `POP` takes a mark off if one is on top, as C has it.
    pub(super) fn load_pop(&mut self) -> Step {
        if self.run.marks.last() == Some(&self.run.stack.len()) {
            self.run.marks.pop();
            return Ok(());
        }
        self.pop().map(|_| ())
    }
}
