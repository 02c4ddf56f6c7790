//! Decompiles nodes to Python-like text, bounded: the graph may be cyclic and huge.

use std::borrow::Cow;

use sealyard_formats::pickle::{BigInt, CallKind, Global, Graph, Name, Node, NodeId, PyStr};

/// Longest text, in bytes, after which `…` stands for the rest.
const MAX_TEXT: usize = 300;
/// Deepest nesting that is written out.
const MAX_DEPTH: usize = 8;
/// Most characters of one string.
const MAX_STRING: usize = 120;

/// The node as Python would write it: `posix.system('env > pwnd.txt')`.
pub(crate) fn render(graph: &Graph<'_>, node: NodeId) -> String {
    let mut out = String::new();
    write(graph, node, 0, &mut out);
    if out.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| out.is_char_boundary(*end)).unwrap_or_default();
        out.truncate(end);
        out.push('…');
    }
    out
}

fn write(graph: &Graph<'_>, node: NodeId, depth: usize, out: &mut String) {
    if depth > MAX_DEPTH || out.len() > MAX_TEXT {
        out.push('…');
        return;
    }
    let below = depth + 1;
    match graph.get(node) {
        Node::None => out.push_str("None"),
        Node::Bool(true) => out.push_str("True"),
        Node::Bool(false) => out.push_str("False"),
        Node::Int(value) => out.push_str(&value.to_string()),
        Node::BigInt(BigInt::Text(text)) => out.extend(text.chars().take(MAX_STRING)),
        Node::BigInt(_) => out.push_str("<big int>"),
        Node::Float(value) => out.push_str(&format!("{value:?}")),
        Node::Str(text) => quote(&shown(text), out),
        Node::Bytes(bytes) => write_bytes(bytes, out),
        Node::ByteArray(bytes) => {
            out.push_str("bytearray(");
            write_bytes(bytes, out);
            out.push(')');
        }
        Node::Tuple(items) => {
            list(graph, items, below, "(", if items.len() == 1 { ",)" } else { ")" }, out);
        }
        Node::List(items) => list(graph, items, below, "[", "]", out),
        Node::Set(items) => list(graph, items, below, "{", "}", out),
        Node::FrozenSet(items) => list(graph, items, below, "frozenset({", "})", out),
        Node::Dict(items) => {
            out.push('{');
            for (place, (key, value)) in items.iter().enumerate() {
                if separate(place, out) {
                    break;
                }
                write(graph, *key, below, out);
                out.push_str(": ");
                write(graph, *value, below, out);
            }
            out.push('}');
        }
        Node::Global(global) => write_global(graph, global, below, out),
        Node::Call { kind, callee, args, kwargs } => {
            write(graph, *callee, below, out);
            let (open, skip) = match kind {
                CallKind::NewObj | CallKind::NewObjEx => (".__new__(", true),
                _ => ("(", false),
            };
            out.push_str(open);
            match graph.get(*args) {
                Node::Tuple(items) => {
                    let class = [*callee];
                    let all = class.iter().take(usize::from(skip)).chain(items);
                    for (place, item) in all.enumerate() {
                        if separate(place, out) {
                            break;
                        }
                        write(graph, *item, below, out);
                    }
                }
                _ => {
                    out.push('*');
                    write(graph, *args, below, out);
                }
            }
            if let Some(kwargs) = kwargs {
                out.push_str(", **");
                write(graph, *kwargs, below, out);
            }
            out.push(')');
        }
        Node::Persistent(id) => {
            out.push_str("persistent_load(");
            write(graph, *id, below, out);
            out.push(')');
        }
        Node::Extension(code) => out.push_str(&format!("<extension code {code}>")),
        Node::Buffer => out.push_str("<buffer>"),
        Node::ReadOnly(_) => out.push_str("<read-only buffer>"),
        Node::Array(array) => out.push_str(&format!("<array {} {:?}>", array.dtype, array.shape)),
        _ => out.push_str("<?>"),
    }
}

fn write_global(graph: &Graph<'_>, global: &Global<'_>, depth: usize, out: &mut String) {
    let is_long = |name: &Name<'_>| matches!(name, Name::Text(text) if text.as_bytes().len() > MAX_STRING);
    let resolved = if is_long(&global.module) || is_long(&global.qualname) { None } else { global.resolved() };
    let resolved = resolved.map(|(module, name)| (Name::Text(module.into()), Name::Text(name.into())));
    let (module, name) = match &resolved {
        Some((module, name)) => (module, name),
        None => (&global.module, &global.qualname),
    };
    for (place, name) in [module, name].into_iter().enumerate() {
        if place > 0 {
            out.push('.');
        }
        match name {
            Name::Text(text) => out.extend(shown(text).chars().take(MAX_STRING)),
            Name::Computed(node) => {
                out.push('<');
                write(graph, *node, depth, out);
                out.push('>');
            }
        }
    }
}

fn list(graph: &Graph<'_>, items: &[NodeId], depth: usize, open: &str, close: &str, out: &mut String) {
    out.push_str(open);
    for (place, item) in items.iter().enumerate() {
        if separate(place, out) {
            break;
        }
        write(graph, *item, depth, out);
    }
    out.push_str(close);
}

/// Writes a comma between items; gives true when the text is long enough.
fn separate(place: usize, out: &mut String) -> bool {
    if place > 0 {
        out.push_str(", ");
    }
    let full = out.len() > MAX_TEXT;
    if full {
        out.push('…');
    }
    full
}

/// As much of a text as is written, and a little more: a long one may be an argument of every call of a file.
fn shown<'t>(text: &'t PyStr<'_>) -> Cow<'t, str> {
    let bytes = text.as_bytes();
    // No character has more than four bytes.
    String::from_utf8_lossy(bytes.get(..4 * (MAX_STRING + 2)).unwrap_or(bytes))
}

fn quote(text: &str, out: &mut String) {
    out.push('\'');
    let mut characters = text.chars();
    for character in characters.by_ref().take(MAX_STRING) {
        match character {
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            control if control.is_control() => out.extend(control.escape_default()),
            plain => out.push(plain),
        }
    }
    if characters.next().is_some() {
        out.push('…');
    }
    out.push('\'');
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    out.push_str("b'");
    out.push_str(
        &bytes
            .iter()
            .take(MAX_STRING)
            .copied()
            .map(std::ascii::escape_default)
            .map(|byte| byte.to_string())
            .collect::<String>(),
    );
    if bytes.len() > MAX_STRING {
        out.push('…');
    }
    out.push('\'');
}
