//! XML with bounds: no DTD, so neither entities nor anything from elsewhere; so long, so many nodes, so deep.

use std::collections::BTreeSet;

use roxmltree::{Document, Node, ParsingOptions};

use crate::SamlError;

/// A response with hundreds of groups is a tenth of this.
pub(crate) const LONGEST: usize = 512 * 1024;
const MOST_NODES: u32 = 20_000;
const DEEPEST: usize = 32;
/// Prefixes that are declared anywhere; parsing and canonicalising cost as many steps for each element.
const MOST_PREFIXES: usize = 64;
/// Attributes of an element, which are compared with one another.
const MOST_ATTRIBUTES: usize = 256;

/// Parses `text`, or says why not.
pub(crate) fn parse(text: &str) -> Result<Document<'_>, SamlError> {
    if text.len() > LONGEST {
        return Err(SamlError::document("it is too long"));
    }
    if is_crowded(text) {
        return Err(SamlError::document("it has too many prefixes or attributes"));
    }
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| match error {
        roxmltree::Error::DtdDetected => SamlError::document("it has a DTD"),
        // The parser's words may quote what is in it.
        _ => SamlError::document("it is no XML, or too much of it"),
    })?;
    // What is built on it recurses.
    if document.descendants().any(|node| node.ancestors().nth(DEEPEST).is_some()) {
        return Err(SamlError::document("it is nested too deeply"));
    }
    Ok(document)
}

/// Whether it would cost more than a response may, looked at before it is parsed and by nothing that could be costly itself. It may
/// see too many, where a text looks like markup.
fn is_crowded(text: &str) -> bool {
    let mut prefixes = BTreeSet::new();
    for (at, _) in text.match_indices("xmlns:") {
        let name = text.get(at + "xmlns:".len()..).unwrap_or_default();
        let ends = name.find(|character: char| character == '=' || character.is_ascii_whitespace());
        prefixes.insert(name.get(..ends.unwrap_or(name.len())));
        if prefixes.len() > MOST_PREFIXES {
            return true;
        }
    }
    // No attribute's value has a `<`, but a `>` ends nothing in one.
    text.split('<').any(|part| part.bytes().filter(|byte| *byte == b'=').count() > MOST_ATTRIBUTES)
}

/// Whether this is the element of that name.
pub(crate) fn is(node: Node<'_, '_>, namespace: &str, name: &str) -> bool {
    node.is_element() && node.tag_name().namespace() == Some(namespace) && node.tag_name().name() == name
}

/// Its children of that name.
pub(crate) fn children<'a, 'i>(
    node: Node<'a, 'i>,
    namespace: &'a str,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    node.children().filter(move |child| is(*child, namespace, name))
}

/// The one child of that name; `None` also when there are several.
pub(crate) fn only<'a, 'i>(node: Node<'a, 'i>, namespace: &'a str, name: &'a str) -> Option<Node<'a, 'i>> {
    let mut all = children(node, namespace, name);
    all.next().filter(|_| all.next().is_none())
}

/// All of an element's text, if it holds nothing else; white space around it is layout.
pub(crate) fn text(node: Node<'_, '_>) -> Option<String> {
    let mut whole = String::new();
    for child in node.children() {
        if child.is_element() {
            return None;
        }
        if child.is_text() {
            whole.push_str(child.text().unwrap_or_default());
        }
    }
    Some(whole.trim_matches([' ', '\t', '\r', '\n']).to_owned())
}

/// Refuses a document in which two elements have the same ID, in any of the ways of writing that: then "the element with this
/// ID" means different things to different readers.
pub(crate) fn unique_ids(document: &Document<'_>) -> Result<(), SamlError> {
    let mut seen = BTreeSet::new();
    for attribute in document.descendants().flat_map(|node| node.attributes()) {
        if attribute.name().eq_ignore_ascii_case("id") && !seen.insert(attribute.value()) {
            return Err(SamlError::document("two elements have the same ID"));
        }
    }
    Ok(())
}

/// For a text or an attribute's value that goes into a document.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_costly_is_not_even_parsed() {
        let prefixes: String = (0..=MOST_PREFIXES).map(|at| format!(" xmlns:p{at}=\"u\"")).collect();
        let attributes: String = (0..=MOST_ATTRIBUTES).map(|at| format!(" a{at}=\"v\"")).collect();
        for text in [format!("<a{prefixes}/>"), format!("<a{attributes}/>"), format!("<a b=\">\"{attributes}/>")] {
            assert_eq!(parse(&text).unwrap_err().what, "it has too many prefixes or attributes");
        }
        let few: String = (0..MOST_PREFIXES.min(MOST_ATTRIBUTES)).map(|at| format!("<b xmlns:p{at}=\"u\"/>")).collect();
        parse(&format!("<a>{few}{few}</a>")).unwrap();
    }

    #[test]
    fn entities_and_dtds_are_refused() {
        for text in [
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>",
            "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
            "<!DOCTYPE a [<!ENTITY x \"xx\"><!ENTITY y \"&x;&x;\">]><a>&y;</a>",
            "<!DOCTYPE a><a/>",
        ] {
            assert_eq!(parse(text).unwrap_err().what, "it has a DTD", "{text}");
        }
        assert!(parse("<a>&x;</a>").is_err());
    }

    #[test]
    fn documents_have_bounds() {
        let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
        assert_eq!(parse(&deep).unwrap_err().rule, "saml.document");
        let nested = format!("{}{}", "<a>".repeat(40), "</a>".repeat(40));
        assert_eq!(parse(&nested).unwrap_err().what, "it is nested too deeply");
        assert!(parse(&format!("<a>{}</a>", "<b/>".repeat(30_000))).is_err());
        assert!(parse(&format!("<a>{}</a>", "x".repeat(LONGEST))).is_err());
        for text in ["", "a", "<a>", "<a></b>", "<a b=1/>", "<a b='1' b='2'/>", "<x:a/>", "<a/><b/>", "<a>\u{0}</a>"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn ids_are_unique_however_they_are_written() {
        assert!(unique_ids(&parse("<a ID='x'><b Id='y'/></a>").unwrap()).is_ok());
        for text in ["<a ID='x'><b ID='x'/></a>", "<a ID='x'><b id='x'/></a>", "<a ID='x'><b xml:id='x'/></a>"] {
            assert!(unique_ids(&parse(text).unwrap()).is_err(), "{text}");
        }
    }
}
