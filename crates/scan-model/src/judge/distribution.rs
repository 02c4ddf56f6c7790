//! The state of a distribution of `scipy.stats`: since scipy 1.6 it holds the source text of three functions, which
//! `__setstate__` executes. The text must be the one that scipy writes.

use sealyard_formats::pickle::{Graph, Node, NodeId};

use super::state::StateError;

/// The key of the text.
const TEMPLATE: &str = "_parse_arg_template";
/// Longest list of parameters that is looked at.
const MAX_PARAMETERS: usize = 400;

/// Whether `state` is a table of attributes whose template is scipy's own, or what versions before 1.6 wrote.
pub(super) fn check(graph: &Graph<'_>, state: NodeId) -> Result<(), StateError> {
    match graph.get(state) {
        Node::Dict(_) if graph.item(state, TEMPLATE).is_none() => Err(StateError::Template),
        Node::Dict(items) => items.iter().try_for_each(|(key, value)| match graph.str(*key) {
            // A later value replaces an earlier one, and a look at each costs little.
            Some(TEMPLATE) if !graph.str(*value).is_some_and(is_template) => Err(StateError::Template),
            Some(_) => Ok(()),
            None => Err(StateError::Template),
        }),
        // Newer versions try `dict.update` on this tuple first. That takes its parts for pairs of key and value, and a
        // table of two keys would pass for such a pair; three keys make it fail.
        Node::Tuple(parts) if matches!(parts.as_slice(), [table, _] if is_parameters(graph, *table)) => Ok(()),
        _ => Err(StateError::Template),
    }
}

/// What the constructor of a distribution takes.
fn is_parameters(graph: &Graph<'_>, table: NodeId) -> bool {
    let Node::Dict(items) = graph.get(table) else { return false };
    items.iter().all(|(key, _)| graph.str(*key).is_some())
        && ["name", "shapes", "badvalue"].iter().all(|key| graph.item(table, key).is_some())
}

/// Whether `text` is scipy's template, filled with names of parameters.
fn is_template(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("\ndef _parse_args(self, ") else { return false };
    let Some((head, _)) = rest.split_once("):") else { return false };
    let Some(parameters) = head.find(" loc=0").and_then(|end| head.get(..end)) else { return false };
    let are_names = parameters.len() <= MAX_PARAMETERS
        && parameters.chars().all(|character| character.is_ascii_alphanumeric() || "_, ".contains(character));
    are_names
        && [("loc=0, scale=1", "loc, scale"), ("loc=0", "loc, 1")].iter().any(|(given, taken)| {
            text == format!(
                "\ndef _parse_args(self, {parameters} {given}):\n    return ({parameters}), {taken}\n\n\
                 def _parse_args_rvs(self, {parameters} {given}, size=None):\n    \
                 return self._argcheck_rvs({parameters} {taken}, size=size)\n\n\
                 def _parse_args_stats(self, {parameters} {given}, moments='mv'):\n    \
                 return ({parameters}), {taken}, moments\n"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NORM: &str = "\ndef _parse_args(self,  loc=0, scale=1):\n    return (), loc, scale\n\ndef _parse_args_rvs(self,  loc=0, \
                        scale=1, size=None):\n    return self._argcheck_rvs( loc, scale, size=size)\n\ndef \
                        _parse_args_stats(self,  loc=0, scale=1, moments='mv'):\n    return (), loc, scale, moments\n";

    #[test]
    fn only_the_template_of_scipy_passes() {
        assert!(is_template(NORM));
        let beta = NORM
            .replace("self,  loc", "self, a, b,  loc")
            .replace("()", "(a, b, )")
            .replace("rvs( loc", "rvs(a, b,  loc");
        assert!(is_template(&beta), "{beta}");
        for changed in [
            format!("{NORM}import os\n"),
            NORM.replace("scale=1", "scale=print()"),
            NORM.replace("return ()", "return (print(),)"),
            beta.replace("a, b", "a=id(), b"),
            String::new(),
        ] {
            assert!(!is_template(&changed), "{changed}");
        }
    }
}
