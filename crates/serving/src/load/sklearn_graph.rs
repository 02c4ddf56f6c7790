//! Objects in a pickle's graph.

use sealyard_formats::numeric::{Dense, Values};
use sealyard_formats::pickle::{ArrayError, CallKind, Graph, Node, NodeId};

use super::{Attribute, Object};

/// An instance: a class that was called without arguments of its own, and one state.
pub(super) struct PickleObject<'g, 'a> {
    graph: &'g Graph<'a>,
    class: (String, String),
    /// `None` if the object has no state of plain attributes.
    state: Option<NodeId>,
}

impl<'g, 'a> PickleObject<'g, 'a> {
    pub(super) fn new(graph: &'g Graph<'a>, id: NodeId) -> Option<Self> {
        let Node::Call { kind, .. } = graph.get(id) else { return None };
        let called = graph.called(id)?;
        let arguments = graph.arguments(id)?;
        let class = match kind {
            // Protocols 0 and 1: `copyreg._reconstructor(class, object, None)`.
            CallKind::Reduce if called == ("copyreg", "_reconstructor") => {
                let [class, base, state] = arguments else { return None };
                let is_object = graph.global(*base)?.resolved()? == ("builtins", "object");
                let plain = is_object && matches!(graph.get(*state), Node::None);
                plain.then(|| graph.global(*class)?.resolved()).flatten()?
            }
            _ => called,
        };
        let effects = graph.effects(id);
        let state = effects.and_then(|effects| match effects.states.as_slice() {
            [state] if effects.items.is_empty() && effects.appended.is_empty() => Some(*state),
            _ => None,
        });
        let state = state.filter(|state| matches!(graph.get(*state), Node::Dict(_)));
        Some(Self { graph, class: (class.0.to_owned(), class.1.to_owned()), state })
    }

    fn get(&self, name: &str) -> Option<NodeId> {
        self.graph.item(self.state?, name)
    }
}

impl Object for PickleObject<'_, '_> {
    fn class(&self) -> (String, String) {
        self.class.clone()
    }

    fn attribute(&self, name: &str) -> Result<Attribute, String> {
        let Some(id) = self.get(name) else { return Ok(Attribute::Absent) };
        match self.graph.get(id) {
            Node::None => return Ok(Attribute::Absent),
            Node::Str(text) => {
                return Ok(text.as_str().map_or(Attribute::Other, |text| Attribute::Text(text.to_owned())));
            }
            Node::List(items) => return Ok(texts(self.graph, items)),
            _ => {}
        }
        match self.graph.dense(id) {
            Ok(dense) => Ok(Attribute::Dense(dense)),
            Err(ArrayError::NotAnArray) => Ok(Attribute::Other),
            Err(error) => Err(error.to_string()),
        }
    }

    fn object(&self, name: &str) -> Option<Box<dyn Object + '_>> {
        Some(Box::new(PickleObject::new(self.graph, self.get(name)?)?))
    }
}

fn texts(graph: &Graph<'_>, items: &[NodeId]) -> Attribute {
    let texts: Option<Vec<String>> = items.iter().map(|item| graph.str(*item).map(str::to_owned)).collect();
    match texts {
        Some(texts) => Attribute::Dense(Dense { shape: vec![texts.len()], values: Values::Text(texts) }),
        None => Attribute::Other,
    }
}
