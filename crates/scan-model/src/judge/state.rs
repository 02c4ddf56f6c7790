//! The state that `BUILD` gives to an object.

use std::collections::HashSet;

use sealyard_formats::pickle::{Graph, Node, NodeId};

use super::class::{self, Class};
use super::torch;
use crate::allow::Shape;

/// Most parts of a state that are looked at; no listed class takes as many.
const MAX_PARTS: usize = 64;

/// Why a state is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum StateError {
    /// Setting it changes what a later opcode, or Python itself, calls.
    #[error("sets the special attribute {0}")]
    Special(String),
    /// What it sets is only known while loading.
    #[error("is computed while loading")]
    Computed,
    /// It is a tuple longer than any.
    #[error("has too many parts")]
    TooLong,
}

/// Whether `state` can only set plain attributes of `target`. `BUILD` looks up `__setstate__` on the instance, and
/// `setattr` takes `__class__`, so a state that holds such names can make any listed object call another.
///
/// `seen` holds the tables that have passed, so that one that many objects share costs its length only once.
pub(super) fn check(
    graph: &Graph<'_>,
    target: NodeId,
    state: NodeId,
    seen: &mut HashSet<(NodeId, bool)>,
) -> Result<(), StateError> {
    let is_container = matches!(class::made(graph, target), Some(Class::Listed(Shape::Mapping | Shape::Sequence)));
    let parts = match graph.get(state) {
        Node::Tuple(parts) if parts.len() > MAX_PARTS => return Err(StateError::TooLong),
        Node::Tuple(parts) => parts.as_slice(),
        _ => std::slice::from_ref(&state),
    };
    // Only in these places would the unpickler itself take it for a table of attributes.
    let is_attributes = parts.len() <= 2 && !is_made_by_cython(graph, target) && !torch::is_of_program(graph, target);
    for part in parts {
        match graph.get(*part) {
            Node::Dict(items) if seen.insert((*part, is_container)) => {
                items.iter().try_for_each(|(key, _)| check_key(graph, *key, is_container))?;
            }
            Node::Call { .. } if is_table(graph, *part) || is_attributes && !is_plain(graph, *part) => {
                return Err(StateError::Computed);
            }
            Node::Persistent(_) | Node::Extension(_) if is_attributes => return Err(StateError::Computed),
            _ => {}
        }
    }
    Ok(())
}

/// Whether a function of Cython's makes the object: its state is a tuple of fields, with a table of attributes last.
fn is_made_by_cython(graph: &Graph<'_>, target: NodeId) -> bool {
    graph.called(target).is_some_and(|(_, name)| name.starts_with("__pyx_unpickle_"))
}

fn check_key(graph: &Graph<'_>, key: NodeId, is_container: bool) -> Result<(), StateError> {
    match graph.get(key) {
        Node::Str(_) => match graph.str(key) {
            Some(name) if is_special(name) || is_container && matches!(name, "append" | "extend" | "add") => {
                Err(StateError::Special(name.to_owned()))
            }
            _ => Ok(()),
        },
        // The object could turn out to be any text.
        Node::Call { .. } | Node::Persistent(_) | Node::Extension(_) => Err(StateError::Computed),
        _ => Ok(()),
    }
}

fn is_special(name: &str) -> bool {
    name.len() > 4 && name.starts_with("__") && name.ends_with("__")
}

/// Whether the call gives something with keys, or a tuple that may hold such a thing.
fn is_table(graph: &Graph<'_>, call: NodeId) -> bool {
    match class::made(graph, call) {
        Some(Class::Listed(shape)) => matches!(shape, Shape::Mapping | Shape::Sequence),
        _ => false,
    }
}

/// Whether the call makes an object that is no table of attributes: numpy's bit generators have a seed beside their
/// own state.
fn is_plain(graph: &Graph<'_>, call: NodeId) -> bool {
    let Node::Call { callee, args, .. } = graph.get(call) else { return false };
    let first = graph.sequence(*args).and_then(|args| args.first().copied());
    [Some(*callee), first].into_iter().flatten().any(|id| {
        let global = graph.global(id).and_then(|global| global.resolved());
        global.is_some_and(|(module, name)| module == "numpy.random.bit_generator" && name == "SeedSequence")
    })
}
