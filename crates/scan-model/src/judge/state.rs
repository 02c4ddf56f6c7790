//! The state that `BUILD` gives to an object.

use std::collections::HashSet;

use sealyard_formats::pickle::{Graph, Node, NodeId};

use super::class::{self, Class};
use super::{distribution, torch};
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
    /// A distribution would run something else than the functions that scipy writes.
    #[error("holds code that scipy does not write")]
    Template,
    /// A partial function would get another function than the one it was made with.
    #[error("changes the function that is wrapped")]
    Wrapped,
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
    match class::made(graph, target) {
        Some(Class::Listed(Shape::Distribution)) => {
            distribution::check(graph, state)?;
            if matches!(graph.get(state), Node::Tuple(_)) {
                // The parameters of a constructor, and a generator of random numbers.
                return Ok(());
            }
        }
        Some(Class::Listed(Shape::Partial)) => partial(graph, target, state)?,
        _ => {}
    }
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
                items.iter().try_for_each(|(key, value)| check_key(graph, *key, *value, is_container))?;
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

fn check_key(graph: &Graph<'_>, key: NodeId, value: NodeId, is_container: bool) -> Result<(), StateError> {
    match graph.get(key) {
        Node::Str(_) => match graph.str(key) {
            // Texts that nothing but a person reads.
            Some("__doc__" | "__name__") if matches!(graph.get(value), Node::Str(_) | Node::None) => Ok(()),
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

/// `(function, arguments, keywords, attributes)`, where the function is the one that the partial was made with.
fn partial(graph: &Graph<'_>, target: NodeId, state: NodeId) -> Result<(), StateError> {
    let resolved = |id: NodeId| graph.global(id).and_then(|global| global.resolved());
    let Node::Tuple(parts) = graph.get(state) else { return Err(StateError::Wrapped) };
    let [function, args, keywords, attributes] = parts.as_slice() else { return Err(StateError::Wrapped) };
    let made_with = graph.arguments(target).and_then(|args| args.first().copied());
    let is_same = |made_with: NodeId| {
        made_with == *function || resolved(*function).is_some() && resolved(made_with) == resolved(*function)
    };
    let fits = made_with.is_some_and(is_same)
        && matches!(graph.get(*args), Node::Tuple(_))
        && matches!(graph.get(*keywords), Node::Dict(_) | Node::None)
        && matches!(graph.get(*attributes), Node::Dict(_) | Node::None);
    // It is called while loading, so its arguments are looked at more closely.
    let fits = fits
        && match class::Class::of(graph, *function) {
            Class::Listed(Shape::PandasBlock) => is_of_block(graph, *args, *keywords),
            _ => true,
        };
    if fits { Ok(()) } else { Err(StateError::Wrapped) }
}

/// No arguments, and how many dimensions the block has.
fn is_of_block(graph: &Graph<'_>, args: NodeId, keywords: NodeId) -> bool {
    graph.sequence(args).is_some_and(<[NodeId]>::is_empty)
        && matches!(graph.get(keywords), Node::Dict(items) if items.iter().all(|(key, value)| {
            graph.str(*key) == Some("ndim") && matches!(graph.get(*value), Node::Int(1..=2))
        }))
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

/// Objects without an attribute `items`: numpy's bit generators have a seed beside their own state, and scipy's
/// splines what their C code works on.
const PLAIN: &[(&str, &str)] = &[
    ("numpy.random.bit_generator", "SeedSequence"),
    ("numpy.random._bit_generator", "SeedSequence"),
    ("scipy.interpolate._bsplines", "_BSpline"),
];

/// Whether the call makes an array of numpy's own class.
fn is_array(graph: &Graph<'_>, call: NodeId) -> bool {
    let resolved = |id: NodeId| graph.global(id).and_then(|global| global.resolved());
    let of = graph.arguments(call).and_then(|args| resolved(*args.first()?));
    match class::made(graph, call) {
        Some(Class::Listed(Shape::NumpyReconstruct)) => of == Some(("numpy", "ndarray")),
        Some(Class::Listed(Shape::NumpyFrombuffer)) => true,
        _ => false,
    }
}

/// Whether the call makes an object that is no table of attributes.
fn is_plain(graph: &Graph<'_>, call: NodeId) -> bool {
    let Node::Call { callee, args, .. } = graph.get(call) else { return false };
    if is_array(graph, call) {
        return true;
    }
    let first = graph.sequence(*args).and_then(|args| args.first().copied());
    [Some(*callee), first].into_iter().flatten().any(|id| {
        let global = graph.global(id).and_then(|global| global.resolved());
        global.is_some_and(|(module, name)| PLAIN.contains(&(module, name)))
    })
}
