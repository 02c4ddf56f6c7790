//! Exclusive XML canonicalisation without comments (<https://www.w3.org/TR/xml-exc-c14n/>).
//!
//! A mistake in here can refuse a good document. It can't let a bad one in: what it writes is what the signature is checked
//! over, and what is read afterwards.

use std::collections::{BTreeMap, BTreeSet};

use roxmltree::{Node, NodeId};

use crate::SamlError;

/// The canonical text of `node`, without the subtree `without`. Namespaces of the prefixes `inclusive` (`#default` for none)
/// are written wherever they are in scope.
pub(crate) fn exclusive(node: Node<'_, '_>, without: Option<NodeId>, inclusive: &[&str]) -> Result<String, SamlError> {
    let mut out = String::new();
    let inclusive = inclusive.iter().map(|prefix| if *prefix == "#default" { "" } else { prefix }).collect();
    element(&mut out, node, &Options { without, inclusive }, &BTreeMap::new())?;
    Ok(out)
}

struct Options<'o> {
    without: Option<NodeId>,
    inclusive: BTreeSet<&'o str>,
}

/// `written` is what the elements around it, as they were written, say of prefixes.
fn element<'a>(
    out: &mut String,
    node: Node<'a, 'a>,
    options: &Options<'_>,
    written: &BTreeMap<&'a str, &'a str>,
) -> Result<(), SamlError> {
    let name = tag(node).ok_or_else(odd)?;
    let mut used = BTreeSet::from([prefix(name)]);
    let mut attributes = Vec::new();
    for attribute in node.attributes() {
        let name = node.document().input_text().get(attribute.range_qname()).ok_or_else(odd)?;
        if name.contains(':') {
            used.insert(prefix(name));
        }
        attributes.push((attribute.namespace().unwrap_or(""), attribute.name(), name, attribute.value()));
    }
    attributes.sort_unstable();
    let scope = |prefix: &str| node.lookup_namespace_uri((!prefix.is_empty()).then_some(prefix));
    let in_scope = node.namespaces().map(|namespace| namespace.name().unwrap_or(""));
    used.extend(in_scope.filter(|prefix| options.inclusive.contains(prefix)));
    out.push('<');
    out.push_str(name);
    let mut written = written.clone();
    for prefix in used {
        let uri = scope(prefix).unwrap_or("");
        if prefix == "xml" || written.get(prefix).copied().unwrap_or("") == uri {
            continue;
        }
        if prefix.is_empty() {
            out.push_str(" xmlns=\"");
        } else if uri.is_empty() {
            return Err(odd());
        } else {
            out.push_str(" xmlns:");
            out.push_str(prefix);
            out.push_str("=\"");
        }
        escape(out, uri, true);
        out.push('"');
        written.insert(prefix, uri);
    }
    for (_, _, name, value) in attributes {
        out.push(' ');
        out.push_str(name);
        out.push_str("=\"");
        escape(out, value, true);
        out.push('"');
    }
    out.push('>');
    for child in node.children() {
        if Some(child.id()) == options.without {
            continue;
        }
        if child.is_element() {
            element(out, child, options, &written)?;
        } else if child.is_text() {
            escape(out, child.text().unwrap_or_default(), false);
        } else if let Some(instruction) = child.pi() {
            out.push_str("<?");
            out.push_str(instruction.target);
            if let Some(value) = instruction.value {
                out.push(' ');
                out.push_str(value);
            }
            out.push_str("?>");
        }
    }
    out.push_str("</");
    out.push_str(name);
    out.push('>');
    Ok(())
}

fn odd() -> SamlError {
    SamlError::document("it can't be canonicalised")
}

/// The name as it is written, with its prefix.
fn tag<'a>(node: Node<'a, 'a>) -> Option<&'a str> {
    let text = node.document().input_text().get(node.range())?.strip_prefix('<')?;
    text.split([' ', '\t', '\r', '\n', '/', '>']).next().filter(|name| !name.is_empty())
}

fn prefix(name: &str) -> &str {
    name.split_once(':').map_or("", |(prefix, _)| prefix)
}

fn escape(out: &mut String, text: &str, attribute: bool) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' if !attribute => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\t' if attribute => out.push_str("&#x9;"),
            '\n' if attribute => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::parse;

    /// What libxml2 makes of the same documents.
    #[test]
    fn it_is_what_libxml2_does() {
        let vectors: Vec<serde_json::Value> = serde_json::from_str(include_str!("../tests/c14n.json")).unwrap();
        assert!(vectors.len() > 10);
        for vector in vectors {
            let text = vector["text"].as_str().unwrap();
            let document = parse(text).unwrap();
            let name = vector["element"].as_str().unwrap();
            let node = document.descendants().find(|node| node.is_element() && node.tag_name().name() == name);
            let node = if name.is_empty() { document.root_element() } else { node.unwrap() };
            let inclusive: Vec<_> =
                vector["inclusive"].as_array().unwrap().iter().map(|prefix| prefix.as_str().unwrap()).collect();
            assert_eq!(exclusive(node, None, &inclusive).unwrap(), vector["expected"].as_str().unwrap(), "{text}");
        }
    }

    #[test]
    fn the_default_namespace_can_be_an_inclusive_one() {
        let document = parse("<p:r xmlns:p='urn:p' xmlns='urn:d'><p:s><t/></p:s></p:r>").unwrap();
        let node = document.root_element().first_element_child().unwrap();
        let text = exclusive(node, None, &["#default"]).unwrap();
        assert_eq!(text, "<p:s xmlns=\"urn:d\" xmlns:p=\"urn:p\"><t></t></p:s>");
    }

    #[test]
    fn it_is_its_own_canonical_form() {
        for text in ["<a:b xmlns:a='urn:x' a:c='\"'>&#13;<!---->&lt;<d/></a:b>", "<a b='&#10;' xml:lang='e'/>"] {
            let once = exclusive(parse(text).unwrap().root_element(), None, &[]).unwrap();
            assert_eq!(exclusive(parse(&once).unwrap().root_element(), None, &[]).unwrap(), once);
        }
    }
}
