//! Opcodes that make and fill tuples, lists, dicts and sets.

use super::{Act, Fault, Machine, Node, NodeId, NoteKind, Step};

impl Machine<'_> {
    /// Whether `hash()` of a value works, as far as that is known without running anything.
    fn is_hashable(&self, id: NodeId) -> bool {
        match self.graph.get(id) {
            Node::List(_) | Node::Dict(_) | Node::Set(_) | Node::ByteArray(_) => false,
            Node::Tuple(_) => !self.unhashable.contains(&id),
            _ => true,
        }
    }

    fn all_hashable<'i>(&self, items: impl IntoIterator<Item = &'i NodeId>) -> Result<(), Fault> {
        let hashable = items.into_iter().all(|item| self.is_hashable(*item));
        if hashable { Ok(()) } else { Err(Fault::Unhashable) }
    }

    /// Whether the value has a type of which nothing is known: an import, a call's result and the like.
    pub(super) fn is_opaque(&self, id: NodeId) -> bool {
        matches!(
            self.graph.get(id),
            Node::Global(_)
                | Node::Call { .. }
                | Node::Persistent(_)
                | Node::Extension(_)
                | Node::Buffer
                | Node::ReadOnly(_)
                | Node::Array(_)
        )
    }

    pub(super) fn make_tuple(&mut self, items: Vec<NodeId>) -> Result<NodeId, super::Halt> {
        let hashable = self.all_hashable(&items).is_ok();
        let id = self.make(Node::Tuple(items))?;
        if !hashable {
            self.unhashable.insert(id);
        }
        Ok(id)
    }

    pub(super) fn load_tuple(&mut self, start: usize) -> Step {
        let items = self.pop_from(start)?;
        let id = self.make_tuple(items)?;
        self.push_id(id)
    }

    pub(super) fn load_counted_tuple(&mut self, count: usize) -> Step {
        match self.run.stack.len().checked_sub(count) {
            Some(start) => self.load_tuple(start),
            None => Err(self.underflow()),
        }
    }

    pub(super) fn load_list(&mut self) -> Step {
        let start = self.marker()?;
        let items = self.pop_from(start)?;
        self.push(Node::List(items))
    }

    pub(super) fn load_dict(&mut self) -> Step {
        let start = self.marker()?;
        let items = self.pop_from(start)?;
        let pairs = pairs(&items)?;
        self.all_hashable(pairs.iter().map(|(key, _)| key))?;
        self.push(Node::Dict(pairs))
    }

    pub(super) fn load_frozenset(&mut self) -> Step {
        let start = self.marker()?;
        let items = self.pop_from(start)?;
        self.all_hashable(&items)?;
        self.push(Node::FrozenSet(items))
    }

    /// The value right below `start`, to which what lies above is given; `None` if nothing lies above.
    fn target(&self, start: usize) -> Result<Option<NodeId>, super::Halt> {
        if start > self.run.stack.len() || start <= self.fence() {
            return Err(self.underflow());
        }
        if start == self.run.stack.len() {
            return Ok(None);
        }
        Ok(start.checked_sub(1).and_then(|place| self.run.stack.get(place)).copied())
    }

    pub(super) fn load_append(&mut self) -> Step {
        match self.run.stack.len().checked_sub(1) {
            Some(start) => self.append_from(start),
            None => Err(self.underflow()),
        }
    }

    pub(super) fn append_from(&mut self, start: usize) -> Step {
        let Some(target) = self.target(start)? else { return Ok(()) };
        let items = self.run.stack.split_off(start);
        if let Some(Node::List(list)) = self.graph.nodes.get_mut(target.index()) {
            list.extend(items);
            return Ok(());
        }
        if matches!(self.graph.get(target), Node::ByteArray(_)) {
            self.note(NoteKind::BuiltinTarget);
            self.all_bytes(&items)?;
        } else if !self.is_opaque(target) {
            return Err(Fault::BadTarget.into());
        }
        self.graph.effects.entry(target).or_default().appended.extend(&items);
        self.event(Act::Appended { target, items });
        Ok(())
    }

    pub(super) fn load_setitem(&mut self) -> Step {
        match self.run.stack.len().checked_sub(2) {
            Some(start) => self.set_from(start),
            None => Err(self.underflow()),
        }
    }

    pub(super) fn set_from(&mut self, start: usize) -> Step {
        let Some(target) = self.target(start)? else { return Ok(()) };
        let items = self.run.stack.split_off(start);
        let pairs = pairs(&items)?;
        match self.graph.get(target) {
            Node::Dict(_) => {
                // C sets them one by one: those before a bad key are there, but no one can look at them any more.
                self.all_hashable(pairs.iter().map(|(key, _)| key))?;
                if let Some(Node::Dict(dict)) = self.graph.nodes.get_mut(target.index()) {
                    dict.extend(pairs);
                }
                return Ok(());
            }
            Node::List(_) => return self.set_in_list(target, &pairs),
            Node::ByteArray(bytes) => {
                let len = bytes.len() as i64;
                self.note(NoteKind::BuiltinTarget);
                for (key, value) in &pairs {
                    let within = match self.graph.get(*key) {
                        Node::Int(index) => (-len..len).contains(index),
                        Node::Bool(index) => i64::from(*index) < len,
                        _ => self.is_opaque(*key),
                    };
                    if !within {
                        return Err(Fault::BadTarget.into());
                    }
                    self.all_bytes(&[*value])?;
                }
            }
            _ if self.is_opaque(target) => {}
            _ => return Err(Fault::BadTarget.into()),
        }
        self.set_opaque(target, pairs);
        Ok(())
    }

    fn set_opaque(&mut self, target: NodeId, items: Vec<(NodeId, NodeId)>) {
        self.graph.effects.entry(target).or_default().items.extend(&items);
        self.event(Act::ItemsSet { target, items });
    }

    /// Whether values can be put into a byte array, as far as they are known.
    fn all_bytes(&self, items: &[NodeId]) -> Result<(), Fault> {
        let fits = |id: &NodeId| match self.graph.get(*id) {
            Node::Int(value) => (0..256).contains(value),
            Node::Bool(_) => true,
            _ => self.is_opaque(*id),
        };
        if items.iter().all(fits) { Ok(()) } else { Err(Fault::BadTarget) }
    }

    /// `list[key] = value`, which `SETITEM` does on a list. The values it replaces are still in the arena.
    fn set_in_list(&mut self, target: NodeId, pairs: &[(NodeId, NodeId)]) -> Step {
        self.note(NoteKind::BuiltinTarget);
        for (key, value) in pairs {
            let index = match self.graph.get(*key) {
                Node::Int(index) => *index,
                Node::Bool(index) => i64::from(*index),
                _ if self.is_opaque(*key) => {
                    self.set_opaque(target, vec![(*key, *value)]);
                    continue;
                }
                _ => return Err(Fault::BadTarget.into()),
            };
            let Some(Node::List(list)) = self.graph.nodes.get_mut(target.index()) else { return Ok(()) };
            let place = if index < 0 { index.saturating_add(list.len() as i64) } else { index };
            let slot = usize::try_from(place).ok().and_then(|place| list.get_mut(place));
            *slot.ok_or(Fault::BadTarget)? = *value;
        }
        Ok(())
    }

    pub(super) fn load_additems(&mut self) -> Step {
        let start = self.marker()?;
        let Some(target) = self.target(start)? else { return Ok(()) };
        let items = self.run.stack.split_off(start);
        if matches!(self.graph.get(target), Node::Set(_)) {
            self.all_hashable(&items)?;
            if let Some(Node::Set(set)) = self.graph.nodes.get_mut(target.index()) {
                set.extend(items);
            }
            return Ok(());
        }
        if !self.is_opaque(target) {
            return Err(Fault::BadTarget.into());
        }
        self.graph.effects.entry(target).or_default().added.extend(&items);
        self.event(Act::Added { target, items });
        Ok(())
    }
}

fn pairs(items: &[NodeId]) -> Result<Vec<(NodeId, NodeId)>, Fault> {
    let chunks = items.chunks_exact(2);
    if !chunks.remainder().is_empty() {
        return Err(Fault::OddItems);
    }
    Ok(chunks.filter_map(|pair| if let [key, value] = pair { Some((*key, *value)) } else { None }).collect())
}
