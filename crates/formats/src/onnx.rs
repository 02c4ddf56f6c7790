//! ONNX: a protobuf `ModelProto`. Graphs, subgraphs and functions are walked; tensors are stepped over.
//!
//! Field numbers are those of <https://github.com/onnx/onnx/blob/main/onnx/onnx.proto>.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use sealyard_core::ReadAt;

use crate::message::{Limits, MessageError, Walk};
use crate::protobuf::{Field, Value};
use crate::window::Window;

/// Longest part of an attribute's text that is kept.
const MAX_ATTRIBUTE: u64 = 4096;
/// Dimensions of a tensor that are looked at.
const MAX_DIMENSIONS: usize = 64;
/// Inputs and outputs that are kept.
const MAX_VALUES: usize = 256;

/// What an ONNX file holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Onnx {
    /// Version of the format.
    pub ir_version: u64,
    /// What wrote the file.
    pub producer: String,
    /// Its version.
    pub producer_version: String,
    /// The model's own domain, such as `org.example`.
    pub domain: String,
    /// The author's version of the model.
    pub model_version: u64,
    /// Operator sets: domain and version.
    pub opsets: BTreeMap<String, u64>,
    /// Operators: domain and name, and how many nodes there are of each.
    pub operators: BTreeMap<(String, String), Uses>,
    /// Functions that the file itself defines: domain and name.
    pub functions: BTreeSet<(String, String)>,
    /// Nodes that the caller asked for.
    pub nodes: Vec<Node>,
    /// Files that tensors lie in, each once.
    pub external: BTreeMap<String, External>,
    /// Keys of external tensors other than those of the format.
    pub odd_keys: BTreeMap<String, u64>,
    /// Names, types and shapes of the main graph's inputs and outputs.
    pub values: Vec<(&'static str, String, String)>,
    /// By element type: how many tensors, and how many numbers in them.
    pub tensors: BTreeMap<u64, (u64, u64)>,
    /// The author's own properties: key, and where the value lies.
    pub metadata: Vec<(String, Range<u64>)>,
    /// Fields that were looked at.
    pub fields: u64,
    /// Why the file was not walked to its end.
    pub broken: Option<MessageError>,
}

/// How often something occurs.
#[derive(Debug, Clone, Copy)]
pub struct Uses {
    /// How often.
    pub count: u64,
    /// Where it is for the first time.
    pub offset: u64,
}

/// A node with its attributes.
#[derive(Debug)]
#[non_exhaustive]
pub struct Node {
    /// Domain of the operator, empty for ONNX's own.
    pub domain: String,
    /// The operator.
    pub operator: String,
    /// The node's own name.
    pub name: String,
    /// Where it lies.
    pub offset: u64,
    /// Attributes that are texts or numbers. A long text is cut.
    pub attributes: Vec<(String, String)>,
}

/// A file that a tensor lies in.
#[derive(Debug)]
#[non_exhaustive]
pub struct External {
    /// The first tensor that lies there.
    pub tensor: String,
    /// Where the file is named for the first time.
    pub offset: u64,
    /// How many tensors lie there.
    pub count: u64,
}

impl Onnx {
    /// Walks a file. The nodes for which `keeps` is true, given domain and operator, are kept with their attributes.
    #[must_use]
    pub fn parse(source: &dyn ReadAt, limits: Limits, keeps: &dyn Fn(&str, &str) -> bool) -> Self {
        let window = Window::new(source);
        let mut walk = Walk::new(&window, limits);
        let mut reader = Reader { model: Self::default(), keeps };
        let whole = walk.whole();
        let result = reader.model(&mut walk, whole);
        let mut model = reader.model;
        model.broken = result.err();
        model.fields = walk.fields();
        model
    }
}

struct Reader<'k> {
    model: Onnx,
    keeps: &'k dyn Fn(&str, &str) -> bool,
}

type Done = Result<(), MessageError>;

impl Reader<'_> {
    fn model(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| {
            match field.number {
                1 => self.model.ir_version = field.varint()?,
                2 => self.model.producer = walk.text(field.bytes()?)?,
                3 => self.model.producer_version = walk.text(field.bytes()?)?,
                4 => self.model.domain = walk.text(field.bytes()?)?,
                5 => self.model.model_version = field.varint()?,
                7 => self.graph(walk, field.bytes()?, true)?,
                8 => self.opset(walk, field.bytes()?)?,
                14 => self.property(walk, field.bytes()?)?,
                20 => walk.each(field.bytes()?, |walk, field| match field.number {
                    1 | 2 => self.graph(walk, field.bytes()?, false),
                    _ => Ok(()),
                })?,
                25 => self.function(walk, field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })
    }

    fn opset(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let (mut domain, mut version) = (String::new(), 0);
        walk.each(range, |walk, field| {
            match field.number {
                1 => domain = walk.text(field.bytes()?)?,
                2 => version = field.varint()?,
                _ => {}
            }
            Ok(())
        })?;
        walk.keep(domain.len() + 32)?;
        self.model.opsets.insert(domain, version);
        Ok(())
    }

    fn property(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let mut key = String::new();
        let mut value = None;
        walk.each(range, |walk, field| {
            match field.number {
                1 => key = walk.text(field.bytes()?)?,
                2 => value = Some(field.bytes()?),
                _ => {}
            }
            Ok(())
        })?;
        if let Some(value) = value {
            walk.keep(key.len() + 64)?;
            self.model.metadata.push((key, value));
        }
        Ok(())
    }

    fn graph(&mut self, walk: &mut Walk<'_>, range: Range<u64>, is_main: bool) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 => self.node(walk, field),
            5 => self.tensor(walk, field.bytes()?),
            11 if is_main => self.value("input", walk, field.bytes()?),
            12 if is_main => self.value("output", walk, field.bytes()?),
            15 => self.sparse_tensor(walk, field.bytes()?),
            16 => self.property(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    fn function(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let (mut name, mut domain) = (String::new(), String::new());
        walk.each(range, |walk, field| {
            match field.number {
                1 => name = walk.text(field.bytes()?)?,
                7 => self.node(walk, field)?,
                9 => self.opset(walk, field.bytes()?)?,
                10 => domain = walk.text(field.bytes()?)?,
                // Values that attributes have where the caller gives none.
                11 => self.attribute(walk, field.bytes()?, None)?,
                14 => self.property(walk, field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        walk.keep(name.len() + domain.len() + 64)?;
        self.model.functions.insert((domain, name));
        Ok(())
    }

    fn node(&mut self, walk: &mut Walk<'_>, node: &Field) -> Done {
        let (mut name, mut operator, mut domain) = (String::new(), String::new(), String::new());
        walk.each(node.bytes()?, |walk, field| {
            match field.number {
                3 => name = walk.text(field.bytes()?)?,
                4 => operator = walk.text(field.bytes()?)?,
                7 => domain = walk.text(field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        // The two names of ONNX's own domain.
        if domain == "ai.onnx" {
            domain.clear();
        }
        let mut kept = (self.keeps)(&domain, &operator).then(Vec::new);
        walk.each(node.bytes()?, |walk, field| match field.number {
            5 => self.attribute(walk, field.bytes()?, kept.as_mut()),
            9 => self.property(walk, field.bytes()?),
            _ => Ok(()),
        })?;
        if let Some(attributes) = kept {
            walk.keep(name.len() + operator.len() + domain.len() + 128)?;
            let (domain, operator) = (domain.clone(), operator.clone());
            self.model.nodes.push(Node { domain, operator, name, offset: node.offset, attributes });
        }
        let key = (domain, operator);
        if let Some(uses) = self.model.operators.get_mut(&key) {
            uses.count += 1;
        } else {
            walk.keep(key.0.len() + key.1.len() + 96)?;
            self.model.operators.insert(key, Uses { count: 1, offset: node.offset });
        }
        Ok(())
    }

    /// Looks into what an attribute holds, and keeps its texts and numbers if they are asked for.
    fn attribute(&mut self, walk: &mut Walk<'_>, range: Range<u64>, kept: Option<&mut Vec<(String, String)>>) -> Done {
        let mut name = String::new();
        let mut texts = Vec::new();
        walk.each(range, |walk, field| {
            match field.number {
                1 => name = walk.text(field.bytes()?)?,
                3 if kept.is_some() => texts.push(field.varint()?.to_string()),
                4 | 9 if kept.is_some() => {
                    let text = walk.start(field.bytes()?, MAX_ATTRIBUTE)?;
                    walk.keep(text.len() + 64)?;
                    texts.push(text);
                }
                5 | 10 => self.tensor(walk, field.bytes()?)?,
                6 | 11 => self.graph(walk, field.bytes()?, false)?,
                22 | 23 => self.sparse_tensor(walk, field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        if let Some(kept) = kept {
            walk.keep(name.len() * texts.len())?;
            kept.extend(texts.into_iter().map(|text| (name.clone(), text)));
        }
        Ok(())
    }

    fn sparse_tensor(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 | 2 => self.tensor(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    fn tensor(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let (mut name, mut kind, mut numbers) = (String::new(), 0, 1_u64);
        let mut places = Vec::new();
        walk.each(range, |walk, field| {
            match field.number {
                1 => {
                    let sizes = walk.numbers(field, MAX_DIMENSIONS)?;
                    numbers = sizes.into_iter().fold(numbers, u64::saturating_mul);
                }
                2 => kind = field.varint()?,
                8 => name = walk.text(field.bytes()?)?,
                13 => {
                    let (mut key, mut value) = (String::new(), None);
                    walk.each(field.bytes()?, |walk, field| {
                        match field.number {
                            1 => key = walk.text(field.bytes()?)?,
                            2 => value = Some(field.bytes()?),
                            _ => {}
                        }
                        Ok(())
                    })?;
                    match (key.as_str(), value) {
                        ("location", Some(value)) => places.push((walk.text(value)?, field.offset)),
                        ("location" | "offset" | "length" | "checksum" | "basepath", _) => {}
                        _ => {
                            walk.keep(key.len() + 64)?;
                            self.model.odd_keys.entry(key).or_insert(field.offset);
                        }
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        for (place, offset) in places {
            if let Some(external) = self.model.external.get_mut(&place) {
                external.count += 1;
            } else {
                walk.keep(place.len() + name.len() + 96)?;
                self.model.external.insert(place, External { tensor: name.clone(), offset, count: 1 });
            }
        }
        walk.keep(if self.model.tensors.contains_key(&kind) { 0 } else { 96 })?;
        let (tensors, total) = self.model.tensors.entry(kind).or_default();
        (*tensors, *total) = (*tensors + 1, total.saturating_add(numbers));
        Ok(())
    }

    fn value(&mut self, direction: &'static str, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let mut name = String::new();
        let mut text = String::new();
        walk.each(range, |walk, field| {
            match field.number {
                1 => name = walk.text(field.bytes()?)?,
                2 => text = type_of(walk, field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        if self.model.values.len() < MAX_VALUES {
            walk.keep(name.len() + text.len() + 96)?;
            self.model.values.push((direction, name, text));
        }
        Ok(())
    }
}

/// A `TypeProto` as text, such as `float32[batch, 3, 224, 224]`.
fn type_of(walk: &mut Walk<'_>, range: Range<u64>) -> Result<String, MessageError> {
    let (mut kind, mut shape) = ("a value", None);
    walk.each(range, |walk, field| {
        kind = match field.number {
            1 => "tensor",
            4 => "sequence",
            5 => "map",
            8 => "sparse tensor",
            9 => "optional",
            _ => kind,
        };
        if field.number != 1 {
            return Ok(());
        }
        walk.each(field.bytes()?, |walk, field| {
            match field.number {
                1 => kind = data_type(field.varint()?),
                2 => {
                    let mut sizes: Vec<String> = Vec::new();
                    walk.each(field.bytes()?, |walk, field| {
                        let mut size = "?".to_owned();
                        walk.each(field.bytes()?, |walk, field| {
                            match (field.number, &field.value) {
                                (1, Value::Varint(number)) => size = number.to_string(),
                                (2, Value::Bytes(range)) => size = walk.start(range.clone(), 64)?,
                                _ => {}
                            }
                            Ok(())
                        })?;
                        if sizes.len() < MAX_DIMENSIONS {
                            sizes.push(size);
                        }
                        Ok(())
                    })?;
                    shape = Some(sizes.join(", "));
                }
                _ => {}
            }
            Ok(())
        })
    })?;
    Ok(shape.map_or_else(|| kind.to_owned(), |shape| format!("{kind}[{shape}]")))
}

/// The name of an element type.
#[must_use]
pub const fn data_type(number: u64) -> &'static str {
    match number {
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        8 => "string",
        9 => "bool",
        10 => "float16",
        11 => "float64",
        12 => "uint32",
        13 => "uint64",
        14 => "complex64",
        15 => "complex128",
        16 => "bfloat16",
        17 => "float8e4m3fn",
        18 => "float8e4m3fnuz",
        19 => "float8e5m2",
        20 => "float8e5m2fnuz",
        21 => "uint4",
        22 => "int4",
        23 => "float4e2m1",
        24 => "float8e8m0",
        25 => "uint2",
        26 => "int2",
        _ => "unknown type",
    }
}

#[cfg(test)]
mod tests;
