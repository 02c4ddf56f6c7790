//! Opcodes that push a number, a string or bytes.

use std::borrow::Cow;

use super::super::{BigInt, literal};
use super::{Fault, Halt, Machine, Node, NodeId, NoteKind, Step};

impl<'a> Machine<'a> {
    fn none(&mut self) -> Result<NodeId, Halt> {
        if let Some(id) = self.none {
            return Ok(id);
        }
        let id = self.make(Node::None)?;
        self.none = Some(id);
        Ok(id)
    }

    pub(super) fn load_none(&mut self) -> Step {
        let id = self.none()?;
        self.push_id(id)
    }

    pub(super) fn load_bool(&mut self, value: bool) -> Step {
        let known = self.booleans.get(usize::from(value)).copied().flatten();
        let id = match known {
            Some(id) => id,
            None => self.make(Node::Bool(value))?,
        };
        if let Some(slot) = self.booleans.get_mut(usize::from(value)) {
            *slot = Some(id);
        }
        self.push_id(id)
    }

    fn push_int(&mut self, value: i64) -> Step {
        let place = usize::try_from(value).unwrap_or(usize::MAX);
        let id = match self.small.get(place).copied() {
            Some(Some(id)) => id,
            Some(None) => {
                let id = self.make(Node::Int(value))?;
                if let Some(slot) = self.small.get_mut(place) {
                    *slot = Some(id);
                }
                id
            }
            None => self.make(Node::Int(value))?,
        };
        self.push_id(id)
    }

    fn push_number(&mut self, number: literal::Number<'a>) -> Step {
        if !number.same_in_python {
            self.note(NoteKind::NumberOnlyInC);
        }
        match number.node {
            Node::Int(value) => self.push_int(value),
            Node::Bool(value) => self.load_bool(value),
            node => self.push(node),
        }
    }

    pub(super) fn load_int(&mut self) -> Step {
        let line = self.line(1)?;
        let number = literal::int(line)?;
        self.push_number(number)
    }

    pub(super) fn load_long(&mut self) -> Step {
        let line = self.line(1)?;
        let number = literal::long(line)?;
        self.push_number(number)
    }

    pub(super) fn load_float(&mut self) -> Step {
        let line = self.line(1)?;
        match literal::float(line) {
            Ok(number) => self.push_number(number),
            Err(fault) => {
                if literal::float_only_in_python(line) {
                    self.note(NoteKind::NumberOnlyInPython);
                }
                Err(fault.into())
            }
        }
    }

    pub(super) fn load_binint(&mut self) -> Step {
        let value = self.signed()?;
        self.push_int(value)
    }

    pub(super) fn load_unsigned(&mut self, width: usize) -> Step {
        let value = self.unsigned(width)?;
        self.push_int(value as i64)
    }

    pub(super) fn load_counted_long(&mut self, width: usize) -> Step {
        let count = if width == 1 { self.unsigned(1)? as i64 } else { self.signed()? };
        let count = u64::try_from(count).map_err(|_| Fault::BadLength)?;
        let bytes = self.bytes(count)?;
        if bytes.len() > 8 {
            return self.push(Node::BigInt(BigInt::Binary(Cow::Borrowed(bytes))));
        }
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let start = if negative { -1_i64 } else { 0 };
        self.push_int(bytes.iter().rev().fold(start, |value, byte| value << 8 | i64::from(*byte)))
    }

    pub(super) fn load_binfloat(&mut self) -> Step {
        let bytes = self.bytes(8)?;
        let bits = bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        self.push(Node::Float(f64::from_bits(bits)))
    }

    fn push_python2_string(&mut self, bytes: Cow<'a, [u8]>) -> Step {
        let (text, ascii) = literal::python2_string(bytes);
        if !ascii {
            self.note(NoteKind::StringNotAscii);
        }
        self.push(Node::Str(text))
    }

    pub(super) fn load_string(&mut self) -> Step {
        let line = self.line(0)?;
        let bytes = literal::quoted(line)?;
        self.push_python2_string(bytes)
    }

    pub(super) fn load_binstring(&mut self, width: usize) -> Step {
        let count = if width == 1 { self.unsigned(1)? as i64 } else { self.signed()? };
        let count = u64::try_from(count).map_err(|_| Fault::BadLength)?;
        let bytes = self.bytes(count)?;
        self.push_python2_string(Cow::Borrowed(bytes))
    }

    pub(super) fn load_unicode(&mut self) -> Step {
        let line = self.line(0)?;
        let text = literal::raw_unicode_escape(line)?;
        self.push(Node::Str(text))
    }

    pub(super) fn load_binunicode(&mut self, width: usize) -> Step {
        let count = self.unsigned(width)?;
        let bytes = self.bytes(count)?;
        let text = literal::utf8_with_surrogates(bytes)?;
        self.push(Node::Str(text))
    }

    pub(super) fn load_binbytes(&mut self, width: usize) -> Step {
        let count = self.unsigned(width)?;
        let bytes = self.bytes(count)?;
        self.push(Node::Bytes(Cow::Borrowed(bytes)))
    }

    pub(super) fn load_bytearray(&mut self) -> Step {
        let count = self.unsigned(8)?;
        let bytes = self.bytes(count)?;
        self.push(Node::ByteArray(Cow::Borrowed(bytes)))
    }
}
