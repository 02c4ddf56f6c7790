//! Protobuf's text form, as far as graphs of TensorFlow are written in it: it is turned into the binary one.
//!
//! The form is described at <https://protobuf.dev/reference/protobuf/textformat-spec/>.

use super::Root;

/// Messages inside each other.
const MAX_DEPTH: usize = 100;

/// Text that is no message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextError {
    /// Something else should be there.
    #[error("there is no field or value at {0:#x}")]
    Syntax(usize),
    /// Messages are nested too deeply.
    #[error("the messages at {0:#x} are nested too deeply")]
    Depth(usize),
}

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    Message(Message),
}

/// The messages of which fields are known.
#[derive(Clone, Copy)]
enum Message {
    SavedModel,
    MetaGraph,
    MetaInfo,
    Graph,
    Version,
    Library,
    Function,
    Operator,
    Named,
    Node,
    Attribute,
    Value,
    List,
    Tensor,
    Shape,
    Size,
    Collection,
    CollectionValue,
    Anys,
    Any,
    Signature,
    SignatureValue,
    Info,
    InfoValue,
    Asset,
    Objects,
    Object,
    User,
    /// One of which nothing is kept.
    Other,
}

/// The number and kind of a field, if it is known.
fn field(message: Message, name: &str) -> Option<(u64, Kind)> {
    use Kind::{Message as Inner, Number, Text};
    Some(match (message, name) {
        (Message::SavedModel, "saved_model_schema_version") => (1, Number),
        (Message::SavedModel, "meta_graphs") => (2, Inner(Message::MetaGraph)),
        (Message::MetaGraph, "meta_info_def") => (1, Inner(Message::MetaInfo)),
        (Message::MetaGraph, "graph_def") => (2, Inner(Message::Graph)),
        (Message::MetaGraph, "collection_def") => (4, Inner(Message::Collection)),
        (Message::Collection, "key") => (1, Text),
        (Message::Collection, "value") => (2, Inner(Message::CollectionValue)),
        (Message::CollectionValue, "any_list") => (5, Inner(Message::Anys)),
        (Message::Anys, "value") => (1, Inner(Message::Any)),
        (Message::Any, "value") => (2, Text),
        (Message::MetaGraph, "signature_def") => (5, Inner(Message::Signature)),
        (Message::MetaGraph, "asset_file_def") => (6, Inner(Message::Asset)),
        (Message::MetaGraph, "object_graph_def") => (7, Inner(Message::Objects)),
        (Message::MetaInfo, "tags") => (4, Text),
        (Message::MetaInfo, "tensorflow_version") => (5, Text),
        (Message::Graph, "node") => (1, Inner(Message::Node)),
        (Message::Graph, "library") => (2, Inner(Message::Library)),
        (Message::Graph, "versions") => (4, Inner(Message::Version)),
        (Message::Version, "producer") => (1, Number),
        (Message::Library, "function") => (1, Inner(Message::Function)),
        (Message::Function, "signature") => (1, Inner(Message::Operator)),
        (Message::Function, "node_def") => (3, Inner(Message::Node)),
        (Message::Operator | Message::Named, "name") => (1, Text),
        (Message::Operator, "input_arg") => (2, Inner(Message::Named)),
        (Message::Node, "name") => (1, Text),
        (Message::Node, "op") => (2, Text),
        (Message::Node, "input") => (3, Text),
        (Message::Node, "attr") => (5, Inner(Message::Attribute)),
        (Message::Attribute, "key") => (1, Text),
        (Message::Attribute, "value") => (2, Inner(Message::Value)),
        (Message::Value, "list") => (1, Inner(Message::List)),
        (Message::Value | Message::List, "s") => (2, Text),
        (Message::Value | Message::List, "tensor") => (8, Inner(Message::Tensor)),
        (Message::Value, "func") => (10, Inner(Message::Named)),
        (Message::List, "func") => (9, Inner(Message::Named)),
        (Message::Tensor, "dtype") => (1, Number),
        (Message::Tensor, "tensor_shape") => (2, Inner(Message::Shape)),
        (Message::Tensor, "tensor_content") => (4, Text),
        (Message::Tensor, "string_val") => (8, Text),
        (Message::Shape, "dim") => (2, Inner(Message::Size)),
        (Message::Size, "size") => (1, Number),
        (Message::Signature, "key") => (1, Text),
        (Message::Signature, "value") => (2, Inner(Message::SignatureValue)),
        (Message::SignatureValue, "inputs") => (1, Inner(Message::InfoValue)),
        (Message::SignatureValue, "outputs") => (2, Inner(Message::InfoValue)),
        (Message::InfoValue, "key") => (1, Text),
        (Message::InfoValue, "value") => (2, Inner(Message::Info)),
        (Message::Info, "name") => (1, Text),
        (Message::Info, "dtype") => (2, Number),
        (Message::Info, "tensor_shape") => (3, Inner(Message::Shape)),
        (Message::Asset, "tensor_info") => (1, Inner(Message::Info)),
        (Message::Asset, "filename") => (2, Text),
        (Message::Objects, "nodes") => (1, Inner(Message::Object)),
        (Message::Object, "user_object") => (4, Inner(Message::User)),
        (Message::User, "identifier") => (1, Text),
        (Message::User, "metadata") => (3, Text),
        _ => return None,
    })
}

/// Turns a text into the binary form of the message `root`. Fields that the scanner does not look at are left out; the
/// result is empty for a text of another message.
///
/// # Errors
/// When it is no such text.
pub fn encode(text: &[u8], root: Root) -> Result<Vec<u8>, TextError> {
    let message = match root {
        Root::SavedModel => Message::SavedModel,
        Root::MetaGraph => Message::MetaGraph,
        Root::GraphDef => Message::Graph,
        Root::Node => Message::Node,
        Root::KerasMetadata => Message::Other,
    };
    let mut parser = Parser { text, place: 0 };
    let mut out = Vec::new();
    parser.message(message, None, 0, &mut out)?;
    Ok(out)
}

struct Parser<'t> {
    text: &'t [u8],
    place: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.get(self.place..).unwrap_or_default()
    }

    fn wrong<T>(&self) -> Result<T, TextError> {
        Err(TextError::Syntax(self.place))
    }

    /// The next byte that is neither space nor comment.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.rest() {
                [b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c, ..] => self.place += 1,
                [b'#', rest @ ..] => {
                    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
                    self.place += 1 + end;
                }
                [byte, ..] => return Some(*byte),
                [] => return None,
            }
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.place += usize::from(is_there);
        is_there
    }

    /// Letters, digits and what else names and numbers have.
    fn word(&mut self) -> &'t [u8] {
        self.peek();
        let rest = self.rest();
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'+' | b'-' | b'/');
        let end = rest.iter().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.place += end;
        rest.get(..end).unwrap_or_default()
    }

    fn message(&mut self, message: Message, end: Option<u8>, depth: usize, out: &mut Vec<u8>) -> Result<(), TextError> {
        if depth > MAX_DEPTH {
            return Err(TextError::Depth(self.place));
        }
        loop {
            match (self.peek(), end) {
                (None, None) => return Ok(()),
                (Some(byte), Some(end)) if byte == end => {
                    self.place += 1;
                    return Ok(());
                }
                (None, Some(_)) => return self.wrong(),
                (Some(b',' | b';'), _) => self.place += 1,
                (Some(_), _) => self.field(message, depth, out)?,
            }
        }
    }

    fn field(&mut self, message: Message, depth: usize, out: &mut Vec<u8>) -> Result<(), TextError> {
        let name = if self.take(b'[') {
            // The name of an extension or of a message's type.
            self.word();
            if !self.take(b']') {
                return self.wrong();
            }
            &[]
        } else {
            match self.word() {
                [] => return self.wrong(),
                name => name,
            }
        };
        let known = std::str::from_utf8(name).ok().and_then(|name| field(message, name));
        self.take(b':');
        if self.take(b'[') {
            while !self.take(b']') {
                self.value(known, depth, out)?;
                if !self.take(b',') && self.peek() != Some(b']') {
                    return self.wrong();
                }
            }
            return Ok(());
        }
        self.value(known, depth, out)
    }

    fn value(&mut self, known: Option<(u64, Kind)>, depth: usize, out: &mut Vec<u8>) -> Result<(), TextError> {
        match self.peek() {
            Some(open @ (b'{' | b'<')) => {
                self.place += 1;
                let inner = if let Some((_, Kind::Message(inner))) = known { inner } else { Message::Other };
                let mut bytes = Vec::new();
                self.message(inner, Some(if open == b'{' { b'}' } else { b'>' }), depth + 1, &mut bytes)?;
                if let Some((number, Kind::Message(_))) = known {
                    put_bytes(number, &bytes, out);
                }
            }
            Some(b'"' | b'\'') => {
                let bytes = self.strings()?;
                if let Some((number, Kind::Text)) = known {
                    put_bytes(number, &bytes, out);
                }
            }
            Some(_) => match self.word() {
                [] => return self.wrong(),
                word => {
                    if let (Some((number, Kind::Number)), Some(value)) = (known, number(word)) {
                        put(number << 3, out);
                        put(value, out);
                    }
                }
            },
            None => return self.wrong(),
        }
        Ok(())
    }

    /// Texts behind each other, which are one.
    fn strings(&mut self) -> Result<Vec<u8>, TextError> {
        let mut bytes = Vec::new();
        while let Some(quote @ (b'"' | b'\'')) = self.peek() {
            self.place += 1;
            loop {
                let (byte, length) = match self.rest() {
                    [byte, ..] if *byte == quote => {
                        self.place += 1;
                        break;
                    }
                    [b'\\', rest @ ..] => match escape(rest) {
                        Some((byte, length)) => (byte, 1 + length),
                        None => return self.wrong(),
                    },
                    [b'\n', ..] | [] => return self.wrong(),
                    [byte, ..] => (*byte, 1),
                };
                bytes.push(byte);
                self.place += length;
            }
        }
        Ok(bytes)
    }
}

/// What stands behind a backslash, and how long it is. Of `\u` only that it is there matters: such letters are in no
/// path or name that counts.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    let digits = |from: usize, most: usize, radix: u32| {
        let digits = rest.get(from..)?.iter().take(most).map_while(|byte| char::from(*byte).to_digit(radix));
        let (value, count) = digits.fold((0, 0), |(value, count), digit| (value * radix + digit, count + 1));
        (count > 0).then(|| (u8::try_from(value & 0xff).unwrap_or_default(), from + count))
    };
    Some(match rest.first()? {
        b'n' => (b'\n', 1),
        b'r' => (b'\r', 1),
        b't' => (b'\t', 1),
        b'a' => (7, 1),
        b'b' => (8, 1),
        b'f' => (12, 1),
        b'v' => (11, 1),
        b'x' | b'X' => digits(1, 2, 16)?,
        b'u' => digits(1, 4, 16)?,
        b'U' => digits(1, 8, 16)?,
        b'0'..=b'7' => digits(0, 3, 8)?,
        other => (*other, 1),
    })
}

/// A number, or the number that the name of an element type stands for.
fn number(word: &[u8]) -> Option<u64> {
    let word = std::str::from_utf8(word).ok()?;
    if word == "DT_STRING" {
        return Some(7);
    }
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return u64::from_str_radix(digits, 16).ok();
    }
    if word.len() > 1 && word.starts_with('0') {
        return u64::from_str_radix(word, 8).ok();
    }
    word.parse().ok().or_else(|| word.parse::<i64>().ok().map(i64::cast_unsigned))
}

fn put(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

fn put_bytes(number: u64, bytes: &[u8], out: &mut Vec<u8>) {
    put(number << 3 | 2, out);
    put(bytes.len() as u64, out);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::Limits;
    use crate::tensorflow::Graphs;

    #[test]
    fn a_graph_is_read_in_every_spelling() {
        let text = br#"# a graph
            node { name: "p" op: 'Con' "st" attr < key: "value" value: { tensor { dtype: DT_STRING string_val: "/\145tc\x2fpasswd" } } > }
            node: [{ name: "r", op: "ReadFile"; input: ["p", "^q"] }, {}]
            library { function { signature { name: "f" } node_def { op: "WriteFile" } } }
            versions { producer: 27 } [some.extension] { a: 1 } other: -1.5e3"#;
        let bytes = encode(text, Root::GraphDef).unwrap();
        let graphs = Graphs::parse(&bytes, Root::GraphDef, Limits::default(), &|operator| operator == "ReadFile");
        assert!(graphs.broken.is_none());
        let operators: Vec<_> = graphs.operators.keys().map(String::as_str).collect();
        assert_eq!(operators, ["", "Const", "ReadFile", "WriteFile"]);
        let node = graphs.nodes.iter().find(|node| node.operator == "ReadFile").unwrap();
        let texts = graphs.texts_into(node, Some(0), &mut 100);
        assert_eq!(texts.texts.into_iter().collect::<Vec<_>>(), [("p", "/etc/passwd")]);
        assert_eq!(graphs.producer, 27);
        assert_eq!(encode(text, Root::SavedModel).unwrap(), b"");
    }

    #[test]
    fn hostile_text_ends_in_an_error() {
        for text in
            [&b"node {"[..], b"node }", b"a: \"x", b"a: \"\\", b"a: [1", b"a: [1 2]", b"a:", b"[a", b"=", b"a: 1 }"]
        {
            assert!(encode(text, Root::GraphDef).is_err(), "{}", text.escape_ascii());
        }
        assert!(matches!(encode(&b"node {".repeat(100_000), Root::GraphDef), Err(TextError::Depth(_))));
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[a-z{}<>:\\[\\]\"' \\\\,;0-9#]{0,200}") {
            let _ = encode(text.as_bytes(), Root::GraphDef);
        }
    }
}
