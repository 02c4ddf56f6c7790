//! Opcodes that import, call, build and ask the loader.

use super::super::{CallKind, Global, literal};
use super::{Act, Fault, Halt, Machine, Name, Node, NodeId, NoteKind, Step};

impl<'a> Machine<'a> {
    fn find_class(&mut self, module: Name<'a>, qualname: Name<'a>, extension: Option<i64>) -> Result<NodeId, Halt> {
        let protocol = self.run.protocol;
        if protocol < 4 && qualname.as_str().is_some_and(|name| name.contains('.')) {
            self.note(NoteKind::DottedNameUnderOldProtocol);
        }
        let offset = self.run.at as u64;
        let id = self.make(Node::Global(Box::new(Global { module, qualname, protocol, offset, extension })))?;
        self.event(Act::Imported(id));
        Ok(id)
    }

    fn name_line(&mut self, ascii: bool) -> Result<Name<'a>, Halt> {
        let line = self.line(1)?;
        let text = std::str::from_utf8(line).map_err(|_| Fault::BadText)?;
        if ascii && !text.is_ascii() {
            return Err(Fault::BadText.into());
        }
        Ok(Name::Text(text.into()))
    }

    pub(super) fn load_global(&mut self) -> Step {
        let module = self.name_line(false)?;
        let qualname = self.name_line(false)?;
        let id = self.find_class(module, qualname, None)?;
        self.push_id(id)
    }

    fn name_node(&self, id: NodeId) -> Result<Name<'a>, Fault> {
        match self.graph.get(id) {
            Node::Str(text) => Ok(Name::Text(text.clone())),
            _ if self.is_opaque(id) => Ok(Name::Computed(id)),
            _ => Err(Fault::NameNotString),
        }
    }

    pub(super) fn load_stack_global(&mut self) -> Step {
        let qualname = self.pop()?;
        let module = self.pop()?;
        let module = self.name_node(module)?;
        let qualname = self.name_node(qualname)?;
        let id = self.find_class(module, qualname, None)?;
        self.push_id(id)
    }

    /// Makes the call and records it. The order of the checks is C's.
    fn call(&mut self, kind: CallKind, callee: NodeId, args: NodeId, kwargs: Option<NodeId>) -> Step {
        if !self.is_opaque(callee) {
            let class = matches!(kind, CallKind::NewObj | CallKind::NewObjEx);
            return Err(if class { Fault::NotAClass } else { Fault::NotCallable }.into());
        }
        if !self.is_opaque(args) && !matches!(self.graph.get(args), Node::Tuple(_)) {
            if self.graph.sequence(args).is_some() || matches!(self.graph.get(args), Node::Set(_) | Node::Dict(_)) {
                self.note(NoteKind::ArgumentsOnlyInPython);
                self.call_event(kind, callee, args, kwargs)?;
            }
            return Err(Fault::BadArguments.into());
        }
        if let Some(kwargs) = kwargs
            && !self.is_opaque(kwargs)
            && !matches!(self.graph.get(kwargs), Node::Dict(_))
        {
            return Err(Fault::BadArguments.into());
        }
        let id = self.call_event(kind, callee, args, kwargs)?;
        self.register_extension(callee, args);
        self.push_id(id)
    }

    /// Also used where only the Python unpickler makes the call, so that it is seen.
    fn call_event(
        &mut self,
        kind: CallKind,
        callee: NodeId,
        args: NodeId,
        kwargs: Option<NodeId>,
    ) -> Result<NodeId, Halt> {
        let id = self.make(Node::Call { kind, callee, args, kwargs })?;
        self.event(Act::Called(id));
        Ok(id)
    }

    pub(super) fn load_reduce(&mut self) -> Step {
        let args = self.pop()?;
        let callee = self.pop()?;
        self.call(CallKind::Reduce, callee, args, None)
    }

    pub(super) fn load_newobj(&mut self, with_keywords: bool) -> Step {
        let kwargs = if with_keywords { Some(self.pop()?) } else { None };
        let args = self.pop()?;
        let class = self.pop()?;
        let kind = if with_keywords { CallKind::NewObjEx } else { CallKind::NewObj };
        self.call(kind, class, args, kwargs)
    }

    pub(super) fn load_inst(&mut self) -> Step {
        let start = self.marker()?;
        let module = self.name_line(true)?;
        let qualname = self.name_line(true)?;
        let class = self.find_class(module, qualname, None)?;
        let items = self.pop_from(start)?;
        let args = self.make_tuple(items)?;
        self.call(CallKind::Inst, class, args, None)
    }

    pub(super) fn load_obj(&mut self) -> Step {
        let start = self.marker()?;
        if self.run.stack.len() <= start {
            return Err(self.underflow());
        }
        let items = self.pop_from(start + 1)?;
        let class = self.pop()?;
        let args = self.make_tuple(items)?;
        self.call(CallKind::Obj, class, args, None)
    }

    pub(super) fn load_build(&mut self) -> Step {
        let below = self.run.stack.len().checked_sub(2);
        if below.is_none_or(|below| below < self.fence()) {
            return Err(self.underflow());
        }
        let state = self.pop()?;
        let target = self.top()?;
        if !self.is_opaque(target) {
            return self.build_builtin(state);
        }
        self.graph.effects.entry(target).or_default().states.push(state);
        self.event(Act::Built { target, state });
        if self.joblib { self.read_array(target, state) } else { Ok(()) }
    }

    /// Builtin values have neither `__setstate__` nor `__dict__`: only an empty state passes.
    fn build_builtin(&mut self, state: NodeId) -> Step {
        self.note(NoteKind::BuiltinTarget);
        let is_none = |id: &NodeId| matches!(self.graph.get(*id), Node::None);
        let passes = match self.graph.get(state) {
            Node::None => true,
            Node::Tuple(parts) => match parts.as_slice() {
                [dict, slots] => {
                    is_none(dict)
                        && (is_none(slots)
                            || self.is_opaque(*slots)
                            || matches!(self.graph.get(*slots), Node::Dict(items) if items.is_empty()))
                }
                _ => false,
            },
            _ => self.is_opaque(state),
        };
        if passes { Ok(()) } else { Err(Fault::BadTarget.into()) }
    }

    fn persistent(&mut self, pid: NodeId) -> Step {
        let id = self.make(Node::Persistent(pid))?;
        self.event(Act::PersistentLoaded(id));
        self.push_id(id)
    }

    pub(super) fn load_persid(&mut self) -> Step {
        let line = self.line(0)?;
        if !line.is_ascii() {
            return Err(Fault::BadText.into());
        }
        let text = literal::utf8_with_surrogates(line)?;
        let pid = self.make(Node::Str(text))?;
        self.persistent(pid)
    }

    pub(super) fn load_binpersid(&mut self) -> Step {
        let pid = self.pop()?;
        self.persistent(pid)
    }

    /// `copyreg.add_extension(module, name, code)` makes a later `EXT` of the same file import that name.
    fn register_extension(&mut self, callee: NodeId, args: NodeId) {
        let named = self.graph.global(callee).and_then(|global| {
            let (module, name) = global.resolved()?;
            Some(matches!(module, "copyreg" | "copy_reg") && name == "add_extension")
        });
        let Some(true) = named else { return };
        self.note(NoteKind::ExtensionRegistered);
        if let Some([module, name, code]) = self.graph.sequence(args)
            && let (Ok(module), Ok(name)) = (self.name_node(*module), self.name_node(*name))
            && let Node::Int(code) = self.graph.get(*code)
        {
            let code = *code;
            self.registry.insert(code, (module, name));
        }
    }

    pub(super) fn load_extension(&mut self, width: usize) -> Step {
        let code = if width == 4 { self.signed()? } else { self.unsigned(width)? as i64 };
        if code <= 0 {
            return Err(Fault::BadExtension(code).into());
        }
        let id = if let Some((module, name)) = self.registry.get(&code).cloned() {
            self.find_class(module, name, Some(code))?
        } else {
            // Another file may have registered it: what it stands for is not known here.
            let id = self.make(Node::Extension(code))?;
            self.event(Act::ExtensionUsed(id));
            id
        };
        self.push_id(id)
    }

    pub(super) fn load_next_buffer(&mut self) -> Step {
        let id = self.make(Node::Buffer)?;
        self.event(Act::BufferTaken(id));
        self.push_id(id)
    }

    pub(super) fn load_readonly_buffer(&mut self) -> Step {
        let buffer = self.top()?;
        match self.graph.get(buffer) {
            Node::Bytes(_) => return Ok(()),
            Node::ByteArray(_) => {}
            _ if self.is_opaque(buffer) => {}
            _ => return Err(Fault::BadTarget.into()),
        }
        self.pop()?;
        self.push(Node::ReadOnly(buffer))
    }
}
