use sealyard_formats::pickle::{Graph, Name, Node, NodeId};

use super::{Wrong, torch};
use crate::allow::{self, Shape};

/// Longest module or name that is looked up.
const MAX_NAME: usize = 512;
/// Longest chain of calls of calls that is followed.
const MAX_CHAIN: usize = 64;

/// What the lists say about a node that is imported or called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// It is on a list.
    Listed(Shape),
    /// It is on no list, or on that of the dangerous ones.
    Refused(Wrong),
    /// Nobody can know what it is without running the file.
    Computed,
}

impl Class {
    /// The class of `node`; anything that is not imported is computed.
    pub(super) fn of(graph: &Graph<'_>, node: NodeId) -> Self {
        let Some(global) = graph.global(module_of(graph, node)) else {
            return derived(graph, node).map_or(Self::Computed, Self::Listed);
        };
        let (Name::Text(module), Name::Text(name)) = (&global.module, &global.qualname) else { return Self::Computed };
        if module.as_bytes().len() > MAX_NAME || name.as_bytes().len() > MAX_NAME {
            // No list holds such a name, and to look for its parts on each call would take long.
            return Self::Refused(Wrong::UnlistedGlobal);
        }
        let Some((module, name)) = global.resolved() else {
            // A lone surrogate: no list holds one.
            let dangerous = allow::is_dangerous(&module.to_string_lossy(), &name.to_string_lossy());
            return Self::Refused(if dangerous { Wrong::DangerousGlobal } else { Wrong::UnlistedGlobal });
        };
        if let Some(shape) = allow::shape(module, name) {
            return Self::Listed(shape);
        }
        if let Some(shape) = torch::shape(module, name) {
            return Self::Listed(shape);
        }
        Self::Refused(match (module, name) {
            (_, dotted) if dotted.contains('.') => Wrong::DottedTraversal,
            ("copyreg" | "copy_reg", "add_extension" | "remove_extension" | "clear_extension_cache") => {
                Wrong::ExtensionRegistry
            }
            ("copyreg" | "copy_reg", "_extension_registry" | "_inverted_registry" | "_extension_cache") => {
                Wrong::ExtensionRegistry
            }
            (module, name) => {
                // A loader may map the names of Python 2 or not, so the name as written counts too.
                let written = match (&global.module, &global.qualname) {
                    (Name::Text(module), Name::Text(name)) => {
                        allow::is_dangerous(&module.to_string_lossy(), &name.to_string_lossy())
                    }
                    _ => true,
                };
                if written || allow::is_dangerous(module, name) {
                    Wrong::DangerousGlobal
                } else {
                    Wrong::UnlistedGlobal
                }
            }
        })
    }
}

/// What pickles of functions that scipy makes for each distribution ask for by name.
const METHODS: &[&str] =
    &["_cdf_single", "_ppf_single", "_entropy", "_mom_integ0", "_mom_integ1", "_mom0_sc", "_mom1_sc"];

/// In files of before PyTorch 1.6 a class of modules may be a persistent id: `('module', cls, file, source)`.
fn module_of(graph: &Graph<'_>, node: NodeId) -> NodeId {
    let Node::Persistent(id) = graph.get(node) else { return node };
    torch_module(graph, *id).unwrap_or(node)
}

/// The class in the persistent id of a module.
pub(super) fn torch_module(graph: &Graph<'_>, id: NodeId) -> Option<NodeId> {
    let Node::Tuple(parts) = graph.get(id) else { return None };
    let [kind, class, file, source] = parts.as_slice() else { return None };
    let is_text = |id: NodeId| matches!(graph.get(id), Node::Str(_) | Node::None);
    let is_module = graph.str(*kind) == Some("module") && graph.global(*class).is_some();
    (is_module && is_text(*file) && is_text(*source)).then_some(*class)
}

/// The shape of what some calls give that stand for a name: pandas 1.3 makes its blocks by a partial, old versions of
/// numpy look up their universal functions, and for `getattr` see [`attribute_of`].
fn derived(graph: &Graph<'_>, node: NodeId) -> Option<Shape> {
    if graph.called(node) == Some(("functools", "partial")) {
        let [function] = graph.arguments(node)? else { return None };
        let (module, name) = graph.global(*function)?.resolved()?;
        return allow::shape(module, name).filter(|shape| *shape == Shape::PandasBlock);
    }
    let args = graph.arguments(node)?;
    match graph.called(node)? {
        ("builtins", "getattr") => attribute_of(graph, args),
        (module, name) if allow::shape(module, name) == Some(Shape::NumpyUfunc) => ufunc(graph, args),
        _ => None,
    }
}

/// Whether `node` makes a distribution. Only looks at names: a chain of objects made of each other may be long.
fn is_distribution(graph: &Graph<'_>, node: NodeId) -> bool {
    let shape = |id: NodeId| {
        let (module, name) = graph.global(id)?.resolved()?;
        allow::shape(module, name)
    };
    let Node::Call { callee, args, .. } = graph.get(node) else { return false };
    let class = match shape(*callee) {
        Some(Shape::Reconstructor | Shape::Newobj) => graph.sequence(*args).and_then(|args| shape(*args.first()?)),
        other => other,
    };
    class == Some(Shape::Distribution)
}

/// The shape of the universal function that numpy finds by these arguments.
pub(super) fn ufunc(graph: &Graph<'_>, args: &[NodeId]) -> Option<Shape> {
    let [module, name] = args else { return None };
    let (module, name) = (graph.str(*module)?, graph.str(*name)?);
    let is_short = module.len() <= MAX_NAME && name.len() <= MAX_NAME;
    allow::shape(module, name).filter(|shape| is_short && *shape == Shape::Function)
}

/// The shape of what a listed call of `getattr` with these arguments gives, as protocols below 4 write dotted names,
/// and Python 3.11 the members of enumerations.
pub(super) fn attribute_of(graph: &Graph<'_>, args: &[NodeId]) -> Option<Shape> {
    let [owner, name] = args else { return None };
    let name = graph.str(*name).filter(|name| name.len() <= MAX_NAME)?;
    let Some(global) = graph.global(*owner) else {
        let is_distribution = is_distribution(graph, *owner);
        return (is_distribution && METHODS.contains(&name)).then_some(Shape::Reference);
    };
    let (module, qualname) = global.resolved().filter(|(_, qualname)| qualname.len() <= MAX_NAME)?;
    if allow::shape(module, qualname) == Some(Shape::Enum) {
        let is_member = name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
        return is_member.then_some(Shape::Reference);
    }
    allow::shape(module, &format!("{qualname}.{name}"))
}

/// Follows calls of calls down to what is called first: `getattr(x, 'y')(z)` leads to `getattr`, unless that is listed.
pub(super) fn root(graph: &Graph<'_>, callee: NodeId) -> NodeId {
    let mut node = callee;
    for _ in 0..MAX_CHAIN {
        match graph.get(node) {
            Node::Call { callee, .. } if derived(graph, node).is_none() => node = *callee,
            _ => break,
        }
    }
    node
}

/// The class of what the call at `node` makes; `None` if `node` is no call.
pub(super) fn made(graph: &Graph<'_>, node: NodeId) -> Option<Class> {
    let Node::Call { callee, args, .. } = graph.get(node) else { return None };
    let class = Class::of(graph, root(graph, *callee));
    Some(match class {
        Class::Listed(
            Shape::Reconstructor | Shape::Newobj | Shape::PyxUnpickle | Shape::Factory | Shape::PandasIndex,
        ) => {
            let first = graph.sequence(*args).and_then(|args| args.first());
            match first {
                Some(first) => Class::of(graph, *first),
                None => Class::Listed(Shape::Reference),
            }
        }
        other => other,
    })
}

/// Whether `node` imports a name that is known to run code or to reach out.
pub(crate) fn is_dangerous(graph: &Graph<'_>, node: NodeId) -> bool {
    Class::of(graph, node) == Class::Refused(Wrong::DangerousGlobal)
}
