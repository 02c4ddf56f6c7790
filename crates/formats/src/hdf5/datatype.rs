use super::cursor::Cursor;

/// Types inside types that are followed.
const MAX_DEPTH: usize = 16;
/// Most members of a compound or an enumeration.
const MAX_MEMBERS: usize = 10_000;

/// What an element is, as far as a scanner needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Datatype {
    /// Its class.
    pub class: Class,
    /// Bytes of an element.
    pub size: u32,
}

/// The classes of types.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Whole numbers.
    Integer {
        /// Whether they may be negative.
        signed: bool,
    },
    /// Floating-point numbers.
    Float,
    /// Text of a fixed length.
    Text,
    /// Text of any length, in the global heap.
    VariableText,
    /// A sequence of any length, in the global heap.
    Sequence(Box<Datatype>),
    /// A table's row.
    Compound {
        /// Whether something in it lies in the global heap.
        has_sequences: bool,
    },
    /// A fixed number of one type.
    Array(Box<Datatype>),
    /// Names for numbers.
    Enumeration,
    /// Places in the file.
    Reference,
    /// Bytes without a meaning, bit fields, times, and what later versions add.
    Opaque,
}

impl Datatype {
    /// Whether elements of it lie in the global heap and are no text.
    #[must_use]
    pub fn has_sequences(&self) -> bool {
        match &self.class {
            Class::Sequence(_) | Class::Compound { has_sequences: true } => true,
            Class::Array(inner) => inner.has_sequences(),
            _ => false,
        }
    }

    /// A short name, such as `float32`.
    #[must_use]
    pub fn name(&self) -> String {
        let bits = u64::from(self.size) * 8;
        match &self.class {
            Class::Integer { signed: true } => format!("int{bits}"),
            Class::Integer { signed: false } => format!("uint{bits}"),
            Class::Float => format!("float{bits}"),
            Class::Text => "text".to_owned(),
            Class::VariableText => "variable text".to_owned(),
            Class::Sequence(inner) => format!("sequences of {}", inner.name()),
            Class::Compound { .. } => "compound".to_owned(),
            Class::Array(inner) => format!("arrays of {}", inner.name()),
            Class::Enumeration => "enumeration".to_owned(),
            Class::Reference => "reference".to_owned(),
            Class::Opaque => "opaque".to_owned(),
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        parse(&mut Cursor::new(bytes), 0)
    }
}

fn parse(cursor: &mut Cursor<'_>, depth: usize) -> Option<Datatype> {
    if depth > MAX_DEPTH {
        return None;
    }
    let head = cursor.byte()?;
    let (class, version) = (head & 0xf, head >> 4);
    let bits = cursor.number(3)?;
    let size = u32::try_from(cursor.number(4)?).ok()?;
    let class = match class {
        0 => {
            cursor.skip(4)?;
            Class::Integer { signed: bits & 8 != 0 }
        }
        1 => {
            cursor.skip(12)?;
            Class::Float
        }
        2 => {
            cursor.skip(2)?;
            Class::Opaque
        }
        3 => Class::Text,
        4 => {
            cursor.skip(4)?;
            Class::Opaque
        }
        5 => {
            cursor.skip(usize::try_from(bits & 0xff).ok()?.next_multiple_of(8))?;
            Class::Opaque
        }
        6 => {
            let count = usize::try_from(bits & 0xffff).ok()?;
            compound(cursor, version, size, count, depth)?
        }
        7 => Class::Reference,
        8 => {
            let base = parse(cursor, depth + 1)?;
            let count = usize::try_from(bits & 0xffff).ok().filter(|count| *count <= MAX_MEMBERS)?;
            for _ in 0..count {
                name(cursor, version)?;
            }
            cursor.skip(count.checked_mul(usize::try_from(base.size).ok()?)?)?;
            Class::Enumeration
        }
        9 => {
            let base = parse(cursor, depth + 1)?;
            if bits & 0xf == 1 { Class::VariableText } else { Class::Sequence(Box::new(base)) }
        }
        10 => {
            let rank = usize::from(cursor.byte()?);
            // The second version has three bytes of nothing, and a permutation.
            cursor.skip(if version < 3 { 3 + rank * 8 } else { rank * 4 })?;
            Class::Array(Box::new(parse(cursor, depth + 1)?))
        }
        _ => Class::Opaque,
    };
    Some(Datatype { class, size })
}

fn compound(cursor: &mut Cursor<'_>, version: u8, size: u32, count: usize, depth: usize) -> Option<Class> {
    if count > MAX_MEMBERS {
        return None;
    }
    let width = match size {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        0x1_0000..=0xff_ffff => 3,
        _ => 4,
    };
    let mut has_sequences = false;
    for _ in 0..count {
        name(cursor, version)?;
        match version {
            1 => cursor.skip(4 + 1 + 3 + 4 + 4 + 16)?,
            2 => cursor.skip(4)?,
            _ => cursor.skip(width)?,
        }
        has_sequences |= parse(cursor, depth + 1)?.has_sequences();
    }
    Some(Class::Compound { has_sequences })
}

/// A member's name; the first versions fill it up to eight bytes.
fn name(cursor: &mut Cursor<'_>, version: u8) -> Option<()> {
    let length = cursor.text()?.len() + 1;
    if version < 3 { cursor.skip(length.next_multiple_of(8) - length) } else { Some(()) }
}

/// The dimensions of a dataspace; none for one without elements. A scalar has no dimensions.
pub(super) fn dimensions(bytes: &[u8], length_width: usize) -> Option<Option<Vec<u64>>> {
    let mut cursor = Cursor::new(bytes);
    let version = cursor.byte()?;
    let rank = cursor.byte()?;
    let _flags = cursor.byte()?;
    match version {
        1 => cursor.skip(5)?,
        2 => {
            if cursor.byte()? == 2 {
                return Some(None);
            }
        }
        _ => return None,
    }
    (0..rank).map(|_| cursor.number(length_width)).collect::<Option<Vec<_>>>().map(Some)
}
