//! A bounded walk through XML that expands nothing: it tells elements with their attributes, and what makes a parser look
//! at other documents.

use std::collections::HashSet;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// How much of a document is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlLimits {
    /// Elements inside each other.
    pub depth: usize,
    /// Elements, instructions, comments and pieces of text.
    pub events: u64,
    /// Attributes of one element.
    pub attributes: usize,
}

impl Default for XmlLimits {
    fn default() -> Self {
        Self { depth: 10_000, events: 50_000_000, attributes: 10_000 }
    }
}

/// Why a document could not be walked through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// It is not well-formed.
    #[error("it is not well-formed at byte {0}")]
    Broken(u64),
    /// It has no element at all, or more than one that is in no other.
    #[error("it has not one root")]
    Root,
    /// It is in an encoding that is not read.
    #[error("its encoding is not read")]
    Encoding,
    /// One of [`XmlLimits`] was met.
    #[error("it has too many {0}")]
    Bound(&'static str),
}

/// An element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    /// Its prefix, if it has one.
    pub prefix: Option<String>,
    /// Its attributes with their whole names, the usual entities replaced.
    pub attributes: Vec<(String, String)>,
    /// How many elements it is in.
    pub depth: usize,
}

impl Element {
    /// The value of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// An element begins.
    Element(Element),
    /// A `DOCTYPE`, with all that it holds, and where it is.
    Doctype {
        /// Its content.
        content: String,
        /// Where it ends.
        offset: u64,
    },
    /// An instruction for a program.
    Instruction {
        /// Its content, the program's name first.
        content: String,
        /// Where it ends.
        offset: u64,
    },
    /// A reference to an entity that XML itself does not define.
    Entity(String),
    /// Text of more than a few letters.
    Text {
        /// The name of the element that it is in.
        element: String,
        /// The text.
        content: String,
        /// Where it ends.
        offset: u64,
    },
}

/// Texts that are shorter say nothing.
const MIN_TEXT: usize = 8;

/// Entities that every parser knows.
const KNOWN: &[&str] = &["amp", "apos", "gt", "lt", "quot"];

/// Walks through a document and gives its parts to `see`.
///
/// # Errors
/// Where it is not well-formed, or goes over a bound.
pub fn walk(bytes: &[u8], limits: &XmlLimits, see: &mut dyn FnMut(&Part)) -> Result<(), XmlError> {
    let decoded = match bytes {
        [0xff, 0xfe, rest @ ..] => Some(decode(u16::from_le_bytes, rest)?),
        [0xfe, 0xff, rest @ ..] => Some(decode(u16::from_be_bytes, rest)?),
        [b'<', 0, _, ..] => Some(decode(u16::from_le_bytes, bytes)?),
        [0, b'<', ..] => Some(decode(u16::from_be_bytes, bytes)?),
        _ => None,
    };
    let is_decoded = decoded.is_some();
    let mut reader = Reader::from_reader(decoded.as_deref().map_or(bytes, str::as_bytes));
    let (mut open, mut events, mut has_root) = (Vec::new(), 0, false);
    loop {
        let event = reader.read_event().map_err(|_| XmlError::Broken(reader.error_position()))?;
        let offset = reader.buffer_position();
        events += 1;
        if events > limits.events {
            return Err(XmlError::Bound("parts"));
        }
        match event {
            Event::Start(_) | Event::Empty(_) if open.is_empty() && has_root => return Err(XmlError::Root),
            Event::Start(start) => {
                has_root = true;
                let element = element(&start, open.len(), offset, limits)?;
                if open.len() >= limits.depth {
                    return Err(XmlError::Bound("elements inside each other"));
                }
                open.push(element.name.clone());
                see(&Part::Element(element));
            }
            Event::Empty(start) => {
                has_root = true;
                see(&Part::Element(element(&start, open.len(), offset, limits)?));
            }
            Event::End(_) => {
                open.pop();
            }
            Event::DocType(content) => see(&Part::Doctype { content: text(&content), offset }),
            Event::PI(content) => see(&Part::Instruction { content: text(&content), offset }),
            Event::GeneralRef(name) => {
                let name = text(&name);
                if !name.starts_with('#') && !KNOWN.contains(&name.as_str()) {
                    see(&Part::Entity(name));
                }
            }
            Event::Text(content) => {
                let content: &[u8] = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
                piece(content, open.last(), offset, see)?;
            }
            Event::CData(content) => piece(&content, open.last(), offset, see)?,
            Event::Decl(declaration) => {
                if let Some(Ok(encoding)) = declaration.encoding()
                    && !is_read(&encoding)
                    && !(is_decoded && encoding.to_ascii_lowercase().starts_with(b"utf-16"))
                {
                    return Err(XmlError::Encoding);
                }
            }
            Event::Eof if !open.is_empty() => return Err(XmlError::Broken(offset)),
            Event::Eof => return if has_root { Ok(()) } else { Err(XmlError::Root) },
            Event::Comment(_) => {}
        }
    }
}

/// A piece of text, which only white space may be outside of the root.
fn piece(content: &[u8], element: Option<&String>, offset: u64, see: &mut dyn FnMut(&Part)) -> Result<(), XmlError> {
    let content = content.trim_ascii();
    match element {
        None if !content.is_empty() => return Err(XmlError::Broken(offset)),
        Some(element) if content.len() >= MIN_TEXT => {
            see(&Part::Text { element: element.clone(), content: text(content), offset });
        }
        _ => {}
    }
    Ok(())
}

/// Text whose letters have two bytes.
fn decode(convert: fn([u8; 2]) -> u16, bytes: &[u8]) -> Result<String, XmlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let text: Result<String, _> = char::decode_utf16(pairs.iter().map(|pair| convert(*pair))).collect();
    text.ok().filter(|_| rest.is_empty()).ok_or(XmlError::Encoding)
}

/// Encodings in which the letters of names are those of ASCII.
fn is_read(encoding: &[u8]) -> bool {
    let encoding = encoding.to_ascii_lowercase();
    [b"utf-8".as_slice(), b"utf8", b"us-ascii", b"ascii"].contains(&encoding.as_slice())
        || encoding.starts_with(b"iso-8859-")
        || encoding.starts_with(b"windows-125")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn element(start: &BytesStart<'_>, depth: usize, offset: u64, limits: &XmlLimits) -> Result<Element, XmlError> {
    let mut attributes = Vec::new();
    // What the reader's own check for doubles would do again for each attribute.
    let mut names = HashSet::new();
    for attribute in start.attributes().with_checks(false) {
        let attribute = attribute.map_err(|_| XmlError::Broken(offset))?;
        if attributes.len() >= limits.attributes {
            return Err(XmlError::Bound("attributes of an element"));
        }
        let name = text(attribute.key.as_ref());
        if !names.insert(name.clone()) {
            return Err(XmlError::Broken(offset));
        }
        let value = text(&attribute.value);
        let value = quick_xml::escape::unescape(&value).map_or_else(|_| value.clone(), std::borrow::Cow::into_owned);
        attributes.push((name, value));
    }
    let prefix = start.name().prefix().map(|prefix| text(prefix.as_ref()));
    Ok(Element { name: text(start.local_name().as_ref()), prefix, attributes, depth })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(document: &str) -> Result<Vec<Part>, XmlError> {
        let mut parts = Vec::new();
        walk(document.as_bytes(), &XmlLimits::default(), &mut |part| parts.push(part.clone())).map(|()| parts)
    }

    #[test]
    fn parts_are_told() {
        let document = "\u{feff}<?xml version='1.0' encoding='UTF-8'?>\n<?xml-stylesheet href='http://h/x.xsl'?>\
            <!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><!-- c --><a x='1 &amp; 2'><p:b/>&e;&amp;</a>\n";
        let parts = parts(document).unwrap();
        let [
            Part::Instruction { content, .. },
            Part::Doctype { content: doctype, .. },
            Part::Element(a),
            Part::Element(b),
            Part::Entity(entity),
        ] = parts.as_slice()
        else {
            panic!("{parts:?}")
        };
        assert!(content.starts_with("xml-stylesheet"));
        assert!(doctype.contains("SYSTEM"));
        assert_eq!((a.name.as_str(), a.attribute("x"), a.depth), ("a", Some("1 & 2"), 0));
        assert_eq!((b.name.as_str(), b.prefix.as_deref(), b.depth), ("b", Some("p"), 1));
        assert_eq!(entity, "e");
    }

    #[test]
    fn what_is_not_well_formed_is_told() {
        for document in ["", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "<a x='1' x='2'/>", "<a", "<!-- <a/>"] {
            assert!(parts(document).is_err(), "{document}");
        }
        assert_eq!(parts("<?xml version='1.0' encoding='UTF-7'?><a/>"), Err(XmlError::Encoding));
        assert_eq!(walk(b"\xff\xfe<\0a", &XmlLimits::default(), &mut |_| {}), Err(XmlError::Encoding));
    }

    #[test]
    fn other_encodings_hide_nothing() {
        let document = "<?xml version='1.0' encoding='UTF-16'?><!DOCTYPE a [<!ENTITY e 'x'>]><a>&e; some text</a>";
        for is_marked in [true, false] {
            for convert in [u16::to_le_bytes, u16::to_be_bytes] {
                let mark = is_marked.then_some(0xfeff);
                let bytes: Vec<u8> = mark.into_iter().chain(document.encode_utf16()).flat_map(convert).collect();
                let mut parts = Vec::new();
                walk(&bytes, &XmlLimits::default(), &mut |part| parts.push(part.clone())).unwrap();
                let [Part::Doctype { .. }, Part::Element(_), Part::Entity(_), Part::Text { element, content, .. }] =
                    parts.as_slice()
                else {
                    panic!("{parts:?}")
                };
                assert_eq!((element.as_str(), content.as_str()), ("a", "some text"));
            }
        }
    }

    #[test]
    fn bounds_end_the_walk() {
        let deep = format!("{}{}", "<a>".repeat(20_000), "</a>".repeat(20_000));
        assert!(matches!(parts(&deep), Err(XmlError::Bound(_))));
        let wide: String = (0..20_000).map(|number| format!(" a{number}=''")).collect();
        assert!(matches!(parts(&format!("<a{wide}/>")), Err(XmlError::Bound(_))));
        let limits = XmlLimits { events: 10, ..XmlLimits::default() };
        let many = format!("<a>{}</a>", "<b/>".repeat(10));
        assert!(matches!(walk(many.as_bytes(), &limits, &mut |_| {}), Err(XmlError::Bound(_))));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'<'), Just(b'>'), Just(b'!'), Just(b'['), Just(b'&'), Just(b'a'), Just(b'/'), any::<u8>()], 0..200)) {
            let _ = walk(&bytes, &XmlLimits::default(), &mut |_| {});
        }
    }
}
