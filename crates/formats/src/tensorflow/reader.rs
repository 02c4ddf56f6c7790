use std::ops::Range;

use super::tensor::{Tensor, data_type, shape, text};
use super::{Asset, Graphs, Node, reach};
use crate::message::{MessageError, Walk};
use crate::onnx::Uses;

/// Inputs of one node that are kept.
const MAX_INPUTS: usize = 1024;
/// The collection of assets.
const ASSETS: &str = "saved_model_assets";
/// Signatures that are kept.
const MAX_SIGNATURES: usize = 64;

/// Walks the messages and gathers what they hold.
pub(super) struct Reader<'k> {
    pub(super) graphs: Graphs,
    pub(super) keeps: &'k dyn Fn(&str) -> bool,
}

type Done = Result<(), MessageError>;

impl Reader<'_> {
    pub(super) fn saved_model(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 => {
                self.graphs.schema = field.varint()?;
                Ok(())
            }
            2 => self.meta_graph(walk, field.bytes()?),
            _ => Ok(()),
        })
    }

    pub(super) fn meta_graph(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| match field.number {
            1 => self.about(walk, field.bytes()?),
            2 => self.graph(walk, field.bytes()?),
            4 => self.collection(walk, field.bytes()?),
            5 => self.signature(walk, field.bytes()?),
            6 => self.asset(walk, field.bytes()?, field.offset),
            // The graph of objects, and in it what users made.
            7 => walk.each(field.bytes()?, |walk, field| match field.number {
                1 => walk.each(field.bytes()?, |walk, field| match field.number {
                    4 => self.user_object(walk, field.bytes()?),
                    _ => Ok(()),
                }),
                _ => Ok(()),
            }),
            _ => Ok(()),
        })
    }

    fn about(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        walk.each(range, |walk, field| {
            let count = match field.number {
                4 => &mut self.graphs.tags,
                5 => &mut self.graphs.versions,
                _ => return Ok(()),
            };
            let text = walk.text(field.bytes()?)?;
            walk.keep(text.len() + 64)?;
            *count.entry(text).or_default() += 1;
            Ok(())
        })
    }

    fn asset(&mut self, walk: &mut Walk<'_>, range: Range<u64>, offset: u64) -> Done {
        let (mut file, mut tensor) = (String::new(), String::new());
        walk.each(range, |walk, field| {
            match field.number {
                1 => {
                    tensor = tensor_name(walk, field.bytes()?)?;
                }
                2 => file = walk.text(field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        walk.keep(file.len() + tensor.len() + 64)?;
        self.graphs.assets.push(Asset { file, tensor, offset });
        Ok(())
    }

    /// An entry of the table of collections: the first TensorFlow keeps assets in one.
    fn collection(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let key = walk.all(range.clone(), 1)?.pop().map_or(Ok(String::new()), |key| walk.text(key))?;
        if key != ASSETS {
            return Ok(());
        }
        for values in walk.all(range, 2)? {
            for list in walk.all(values, 5)? {
                for any in walk.all(list, 1)? {
                    for asset in walk.all(any, 2)? {
                        self.asset(walk, asset.clone(), asset.start)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// An entry of the table of signatures: its name, and its inputs and outputs.
    fn signature(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let (mut name, mut values) = (String::new(), [Vec::new(), Vec::new()]);
        let [inputs, outputs] = &mut values;
        walk.each(range, |walk, field| match field.number {
            1 => {
                name = walk.text(field.bytes()?)?;
                Ok(())
            }
            2 => walk.each(field.bytes()?, |walk, field| {
                let values: &mut Vec<String> = match field.number {
                    1 => inputs,
                    2 => outputs,
                    _ => return Ok(()),
                };
                let value = tensor_info(walk, field.bytes()?)?;
                walk.keep(value.len() + 32)?;
                values.push(value);
                Ok(())
            }),
            _ => Ok(()),
        })?;
        if self.graphs.signatures.len() < MAX_SIGNATURES {
            self.graphs.signatures.push((name, format!("({}) -> ({})", inputs.join(", "), outputs.join(", "))));
        }
        Ok(())
    }

    pub(super) fn graph(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        // What is broken is told when it is met again, so that all before it is looked at.
        if let Ok(libraries) = walk.all(range.clone(), 2) {
            for library in libraries {
                let _ = self.signatures(walk, library);
            }
        }
        walk.each(range, |walk, field| match field.number {
            1 => self.node(walk, field.bytes()?, field.offset, None),
            2 => walk.each(field.bytes()?, |walk, field| match field.number {
                1 => self.function(walk, field.bytes()?),
                _ => Ok(()),
            }),
            4 => walk.each(field.bytes()?, |_, field| {
                if field.number == 1 {
                    self.graphs.producer = field.varint()?;
                }
                Ok(())
            }),
            _ => Ok(()),
        })
    }

    /// Gathers the names of a library's functions and of their arguments: nodes may call a function by its name alone.
    fn signatures(&mut self, walk: &mut Walk<'_>, library: Range<u64>) -> Done {
        walk.each(library, |walk, field| {
            if field.number != 1 {
                return Ok(());
            }
            let (name, arguments) = function_signature(walk, field.bytes()?)?;
            let names = arguments.iter().map(|name| name.len() + 32).sum::<usize>();
            walk.keep(name.len() + names + 96)?;
            self.graphs.functions.insert(name, arguments);
            Ok(())
        })
    }

    fn function(&mut self, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
        let (name, _) = function_signature(walk, range.clone())?;
        walk.each(range, |walk, field| match field.number {
            3 => self.node(walk, field.bytes()?, field.offset, Some(&name)),
            _ => Ok(()),
        })
    }

    pub(super) fn node(&mut self, walk: &mut Walk<'_>, range: Range<u64>, offset: u64, function: Option<&str>) -> Done {
        let (mut name, mut operator) = (String::new(), String::new());
        walk.each(range.clone(), |walk, field| {
            match field.number {
                1 => name = walk.text(field.bytes()?)?,
                2 => operator = walk.text(field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        let mut node = Node { name, operator, offset, ..Node::default() };
        if self.graphs.functions.contains_key(&node.operator) {
            node.calls.push(node.operator.clone());
        }
        let is_kept = (self.keeps)(&node.operator) || reach::hands_on(&node.operator) || !node.calls.is_empty();
        if is_kept || reach::is_constant(&node.operator) {
            let holds_text = self.fill(&mut node, walk, range)?;
            if is_kept || holds_text {
                let names = node.name.len() + node.operator.len() + function.map_or(0, str::len);
                walk.keep(names + 160)?;
                node.function = function.map(str::to_owned);
                let operator = node.operator.clone();
                self.graphs.nodes.push(node);
                return self.count(walk, operator, offset);
            }
        }
        self.count(walk, node.operator, offset)
    }

    fn count(&mut self, walk: &mut Walk<'_>, operator: String, offset: u64) -> Done {
        if let Some(uses) = self.graphs.operators.get_mut(&operator) {
            uses.count += 1;
        } else {
            walk.keep(operator.len() + 96)?;
            self.graphs.operators.insert(operator, Uses { count: 1, offset });
        }
        Ok(())
    }

    /// Reads inputs and attributes; true if one of them is a tensor of texts.
    fn fill(&mut self, node: &mut Node, walk: &mut Walk<'_>, range: Range<u64>) -> Result<bool, MessageError> {
        let mut holds_text = false;
        walk.each(range, |walk, field| {
            match field.number {
                3 if node.inputs.len() < MAX_INPUTS => {
                    let input = walk.text(field.bytes()?)?;
                    walk.keep(input.len() + 32)?;
                    node.inputs.push(input);
                }
                3 => node.is_cut = true,
                5 => holds_text |= self.attribute(node, walk, field.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(holds_text)
    }

    /// An entry of the table of attributes.
    fn attribute(&mut self, node: &mut Node, walk: &mut Walk<'_>, range: Range<u64>) -> Result<bool, MessageError> {
        let (mut name, mut texts, mut is_cut, mut holds_text) = (String::new(), Vec::new(), false, false);
        for key in walk.all(range.clone(), 1)? {
            name = walk.text(key)?;
        }
        for value in walk.all(range, 2)? {
            let mut pending = vec![(value, false)];
            while let Some((value, is_list)) = pending.pop() {
                walk.each(value, |walk, field| {
                    match field.number {
                        1 if !is_list => pending.push((field.bytes()?, true)),
                        2 => texts.push(text(walk, field.bytes()?, &mut is_cut)?),
                        8 => {
                            let tensor = Tensor::read(walk, field.bytes()?)?;
                            holds_text |= tensor.is_text();
                            is_cut |= tensor.is_cut;
                            texts.extend(tensor.texts);
                            let (count, numbers) = self.graphs.tensors.entry(tensor.kind).or_default();
                            *count += 1;
                            *numbers = numbers.saturating_add(tensor.numbers);
                        }
                        // Alone, 9 is a name that is put in where the function is used.
                        9 if is_list => called(node, walk, field.bytes()?)?,
                        10 => called(node, walk, field.bytes()?)?,
                        _ => {}
                    }
                    Ok(())
                })?;
            }
        }
        if !texts.is_empty() {
            walk.keep(name.len() + 64)?;
            node.attributes.push((name, texts));
        }
        node.is_cut |= is_cut;
        Ok(holds_text)
    }
}

/// The name of a `FunctionDef`, and of its arguments.
fn function_signature(walk: &mut Walk<'_>, range: Range<u64>) -> Result<(String, Vec<String>), MessageError> {
    let (mut name, mut arguments) = (String::new(), Vec::new());
    for signature in walk.all(range, 1)? {
        walk.each(signature, |walk, field| {
            match field.number {
                1 => name = walk.text(field.bytes()?)?,
                2 => {
                    let range = field.bytes()?;
                    let argument = walk.all(range, 1)?.pop().map_or(Ok(String::new()), |name| walk.text(name))?;
                    walk.keep(argument.len() + 32)?;
                    arguments.push(argument);
                }
                _ => {}
            }
            Ok(())
        })?;
    }
    Ok((name, arguments))
}

/// A `NameAttrList`: a function that is called.
fn called(node: &mut Node, walk: &mut Walk<'_>, range: Range<u64>) -> Done {
    for name in walk.all(range, 1)? {
        let call = walk.text(name)?;
        walk.keep(call.len() + 32)?;
        node.calls.push(call);
    }
    Ok(())
}

/// The name of a `TensorInfo`.
fn tensor_name(walk: &mut Walk<'_>, range: Range<u64>) -> Result<String, MessageError> {
    let mut name = String::new();
    for range in walk.all(range, 1)? {
        name = walk.text(range)?;
    }
    Ok(name)
}

/// An entry of a table of `TensorInfo` as text, such as `x: float32[?, 3]`.
fn tensor_info(walk: &mut Walk<'_>, range: Range<u64>) -> Result<String, MessageError> {
    let (mut name, mut kind, mut sizes) = (String::new(), "unknown type", String::new());
    walk.each(range, |walk, field| match field.number {
        1 => {
            name = walk.start(field.bytes()?, 256)?;
            Ok(())
        }
        2 => walk.each(field.bytes()?, |walk, field| {
            match field.number {
                2 => kind = data_type(field.varint()?),
                3 => {
                    let shape = shape(walk, field.bytes()?)?;
                    let shape = shape.into_iter().map(|size| size.map_or("?".to_owned(), |size| size.to_string()));
                    sizes = shape.collect::<Vec<_>>().join(", ");
                }
                _ => {}
            }
            Ok(())
        }),
        _ => Ok(()),
    })?;
    Ok(format!("{name}: {kind}[{sizes}]"))
}
