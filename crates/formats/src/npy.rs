//! `.npy` headers, read without evaluating anything.

use crate::numeric::{self, Dense, NumericError};

mod literal;

pub use literal::{Literal, LiteralError};

/// numpy itself refuses longer headers unless told otherwise.
const MAX_HEADER: usize = 10_000;
const MAGIC: &[u8] = b"\x93NUMPY";
const MAX_DIMENSIONS: usize = 64;

/// The header of an array file.
#[derive(Debug, Clone, PartialEq)]
pub struct Npy {
    /// Format version, such as `(1, 0)`.
    pub version: (u8, u8),
    /// The dtype: text such as `<f8`, or a list of fields.
    pub descr: Literal,
    /// Whether columns come first.
    pub fortran_order: bool,
    /// Extents.
    pub shape: Vec<u64>,
    /// Where the elements begin.
    pub data_offset: u64,
}

/// An array file that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NpyError {
    /// Not an array file.
    #[error("this is not an array file: the magic bytes are missing")]
    Magic,
    /// A version that is not 1.0, 2.0 or 3.0.
    #[error("array files of version {0}.{1} are not known")]
    Version(u8, u8),
    /// The header is cut off or longer than 10,000 bytes.
    #[error("the header is cut off or too long")]
    Header,
    /// The header is not a literal dict.
    #[error("the header is not a plain dict")]
    Literal(#[from] LiteralError),
    /// The dict has not exactly the three keys, of the right types.
    #[error("the header's {0} is missing or of the wrong type")]
    Field(&'static str),
    /// The elements are pickled objects.
    #[error("the elements are pickled objects")]
    Objects,
    /// The elements can't be read.
    #[error("the elements can't be read: {0}")]
    Elements(#[from] NumericError),
}

impl Npy {
    /// Whether `head` begins like an array file.
    #[must_use]
    pub fn matches(head: &[u8]) -> bool {
        head.starts_with(MAGIC)
    }

    /// Reads the header at the start of `input`.
    ///
    /// # Errors
    /// [`NpyError`] on anything that numpy would refuse.
    pub fn parse(input: &[u8]) -> Result<Self, NpyError> {
        let Some([major, minor, rest @ ..]) = input.strip_prefix(MAGIC) else { return Err(NpyError::Magic) };
        let (len, rest) = match (major, rest) {
            (1, [a, b, rest @ ..]) => (usize::from(u16::from_le_bytes([*a, *b])), rest),
            (2 | 3, [a, b, c, d, rest @ ..]) => {
                (usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap_or(usize::MAX), rest)
            }
            (1..=3, _) => return Err(NpyError::Header),
            _ => return Err(NpyError::Version(*major, *minor)),
        };
        if *minor != 0 {
            return Err(NpyError::Version(*major, *minor));
        }
        let header = rest.get(..len).filter(|header| header.len() <= MAX_HEADER).ok_or(NpyError::Header)?;
        let Literal::Dict(items) = Literal::parse(header)? else { return Err(NpyError::Field("dict")) };
        let field = |name: &'static str| {
            let mut values = items.iter().filter(|(key, _)| *key == Literal::Str(name.to_owned()));
            match (values.next(), values.next()) {
                (Some((_, value)), None) => Ok(value),
                _ => Err(NpyError::Field(name)),
            }
        };
        if items.len() != 3 {
            return Err(NpyError::Field("dict"));
        }
        let Literal::Bool(fortran_order) = *field("fortran_order")? else {
            return Err(NpyError::Field("fortran_order"));
        };
        let Literal::Tuple(extents) = field("shape")? else { return Err(NpyError::Field("shape")) };
        if extents.len() > MAX_DIMENSIONS {
            return Err(NpyError::Field("shape"));
        }
        let shape = extents
            .iter()
            .map(|extent| match extent {
                Literal::Int(extent) => u64::try_from(*extent).map_err(|_| NpyError::Field("shape")),
                _ => Err(NpyError::Field("shape")),
            })
            .collect::<Result<_, _>>()?;
        let descr = field("descr")?.clone();
        let data_offset = (input.len() - rest.len() + len) as u64;
        Ok(Self { version: (*major, *minor), descr, fortran_order, shape, data_offset })
    }

    /// Whether elements, or fields of them, are pickled objects: then a pickle follows the header.
    #[must_use]
    pub fn has_objects(&self) -> bool {
        // numpy takes many spellings (`object`, `i4,O`, `(2,)O`): only what is known to be plain passes.
        fn plain(descr: &Literal) -> bool {
            match descr {
                Literal::Str(text) => is_plain_text(text),
                Literal::List(fields) => fields.iter().all(|field| match field {
                    Literal::Tuple(parts) => match parts.as_slice() {
                        [_, descr] => plain(descr),
                        [_, descr, shape] => plain(descr) && is_shape(shape),
                        _ => false,
                    },
                    _ => false,
                }),
                Literal::Tuple(parts) => match parts.as_slice() {
                    [descr, shape] => plain(descr) && is_shape(shape),
                    _ => false,
                },
                _ => false,
            }
        }
        !plain(&self.descr)
    }

    /// The elements of a file of plain numbers or text; `input` is the whole file.
    ///
    /// # Errors
    /// [`NpyError`] when the elements are not plain, or when there are not exactly as many bytes as the shape asks for.
    pub fn read(&self, input: &[u8]) -> Result<Dense, NpyError> {
        if self.has_objects() {
            return Err(NpyError::Objects);
        }
        let Literal::Str(dtype) = &self.descr else { return Err(NpyError::Field("descr")) };
        let start = usize::try_from(self.data_offset).unwrap_or(usize::MAX);
        let data = input.get(start..).ok_or(NpyError::Header)?;
        Ok(numeric::read(dtype, &self.shape, self.fortran_order, data)?)
    }
}

/// A dtype's text as numpy itself writes those without objects: a byte order, a kind, a width, and the unit of a time.
fn is_plain_text(text: &str) -> bool {
    let base = text.strip_prefix(['<', '>', '|', '=']).unwrap_or(text);
    let Some(kind) = base.chars().next() else { return false };
    let rest = base.get(kind.len_utf8()..).unwrap_or_default();
    let (digits, unit) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
    let has_unit = unit.len() > 2
        && unit.ends_with(']')
        && unit.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'[' | b']' | b'/'));
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && match kind {
            '?' => rest.is_empty(),
            'b' | 'i' | 'u' | 'f' | 'c' | 'S' | 'a' | 'U' | 'V' => unit.is_empty(),
            'm' | 'M' => unit.is_empty() || has_unit,
            _ => false,
        }
}

fn is_shape(shape: &Literal) -> bool {
    match shape {
        Literal::Int(_) => true,
        Literal::Tuple(extents) => extents.iter().all(|extent| matches!(extent, Literal::Int(_))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn plain_numbers() {
        let bytes = file("{'descr': '<i2', 'fortran_order': False, 'shape': (2,), }   \n", &[1, 0, 2, 0]);
        let npy = Npy::parse(&bytes).unwrap();
        assert_eq!(npy.shape, [2]);
        assert_eq!(npy.read(&bytes).unwrap().values.to_f64(), Some(vec![1.0, 2.0]));
        assert!(matches!(npy.read(&bytes[..bytes.len() - 1]), Err(NpyError::Elements(_))));
    }

    #[test]
    fn objects_hidden_in_fields_are_seen() {
        for descr in [
            "'|O'",
            "'O8'",
            "[('a', '<f8'), ('b', [('c', '|O')])]",
            "('|O', (2,))",
            "'object'",
            "'i4,O'",
            "'(2,)O'",
            "('V8', 'O')",
            "[('a', 'V8', 'O')]",
            "[('a', 'i4,O')]",
            "{'a': ('O', 0)}",
        ] {
            let bytes = file(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}"), &[]);
            assert!(Npy::parse(&bytes).unwrap().has_objects(), "{descr}");
        }
    }

    #[test]
    fn names_of_fields_are_no_dtypes() {
        for descr in
            ["[('Open', '<f8')]", "[(('Other', 'o'), '<M8[ns]', (2, 3))]", "('<f4', (3,))", "'|b1'", "'<m8[25s]'"]
        {
            let bytes = file(&format!("{{'descr': {descr}, 'fortran_order': False, 'shape': (1,)}}"), &[]);
            assert!(!Npy::parse(&bytes).unwrap().has_objects(), "{descr}");
        }
    }

    #[test]
    fn expressions_and_repeated_keys_are_refused() {
        for header in [
            "__import__('os')",
            "{'descr': '<f8'.upper(), 'fortran_order': False, 'shape': ()}",
            "{'descr': '<f8', 'descr': '|O', 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': 0, 'shape': ()}",
            "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        ] {
            assert!(Npy::parse(&file(header, &[])).is_err(), "{header}");
        }
        let deep = format!("{}{}", "(".repeat(5000), ")".repeat(3000));
        assert_eq!(Npy::parse(&file(&deep, &[])), Err(NpyError::Literal(LiteralError::Depth)));
    }
}
