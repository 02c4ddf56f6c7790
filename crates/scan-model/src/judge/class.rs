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
        let Some(global) = graph.global(node) else { return Self::Computed };
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

/// Follows calls of calls down to what is called first: `getattr(x, 'y')(z)` leads to `getattr`.
pub(super) fn root(graph: &Graph<'_>, callee: NodeId) -> NodeId {
    let mut node = callee;
    for _ in 0..MAX_CHAIN {
        match graph.get(node) {
            Node::Call { callee, .. } => node = *callee,
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
