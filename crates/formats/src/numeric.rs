//! Elements of arrays: a dtype's text and raw bytes to numbers.

/// Numbers of one array, rows first whatever the file's order.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    /// Extents; none for a scalar.
    pub shape: Vec<usize>,
    /// The elements.
    pub values: Values,
}

/// Elements of a [`Dense`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Values {
    /// `bool`.
    Bool(Vec<bool>),
    /// Signed and unsigned integers that fit.
    Int(Vec<i64>),
    /// `float16`, `float32`, `float64`.
    Float(Vec<f64>),
    /// Fixed-width text.
    Text(Vec<String>),
}

impl Values {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Float(values) => values.len(),
            Self::Text(values) => values.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// As floating-point numbers; `None` for text, and for an integer that a double can't hold exactly.
    #[must_use]
    pub fn to_f64(&self) -> Option<Vec<f64>> {
        match self {
            Self::Bool(values) => Some(values.iter().map(|value| f64::from(u8::from(*value))).collect()),
            Self::Int(values) => {
                values.iter().map(|value| (value.unsigned_abs() <= 1 << 53).then_some(*value as f64)).collect()
            }
            Self::Float(values) => Some(values.clone()),
            Self::Text(_) => None,
        }
    }
}

/// Elements that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NumericError {
    /// A dtype that holds no plain numbers or text.
    #[error("the dtype {0:?} is not one of plain numbers or text")]
    Dtype(String),
    /// The shape asks for another number of bytes than there are.
    #[error("the shape asks for {expected} bytes, {found} are there")]
    Length {
        /// What shape and dtype ask for.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Shape times item size is beyond all bounds.
    #[error("the shape is too large")]
    Shape,
    /// An element that does not fit: an unsigned number above 2^63, or text that is no Unicode.
    #[error("an element can't be held")]
    Element,
}

#[derive(Clone, Copy)]
struct Item {
    kind: char,
    size: usize,
    big: bool,
}

fn item(dtype: &str) -> Option<Item> {
    let (big, base) = match dtype.strip_prefix('>') {
        Some(base) => (true, base),
        None => (false, dtype.trim_start_matches(['<', '|', '='])),
    };
    let base = if base == "?" { "b1" } else { base };
    let kind = base.chars().next()?;
    let digits = base.get(kind.len_utf8()..).filter(|digits| digits.len() <= 9)?;
    let count: usize = digits.parse().ok()?;
    let size = match (kind, count) {
        ('b', 1) | ('i' | 'u', 1 | 2 | 4 | 8) | ('f', 2 | 4 | 8) => count,
        ('U', _) => count.checked_mul(4)?,
        _ => return None,
    };
    Some(Item { kind, size, big })
}

/// Bytes of one element of a plain dtype.
///
/// # Errors
/// [`NumericError::Dtype`] for anything else.
pub fn item_size(dtype: &str) -> Result<u64, NumericError> {
    item(dtype).map(|item| item.size as u64).ok_or_else(|| NumericError::Dtype(dtype.chars().take(40).collect()))
}

/// Reads `data` as an array of `dtype` and `shape`; `fortran` means columns first.
///
/// # Errors
/// [`NumericError`] when the dtype is not plain, or `data` has not exactly the bytes that the shape asks for.
pub fn read(dtype: &str, shape: &[u64], fortran: bool, data: &[u8]) -> Result<Dense, NumericError> {
    let item = item(dtype).ok_or_else(|| NumericError::Dtype(dtype.chars().take(40).collect()))?;
    let count = shape.iter().try_fold(1_u64, |count, extent| count.checked_mul(*extent)).ok_or(NumericError::Shape)?;
    let expected = count.checked_mul(item.size as u64).ok_or(NumericError::Shape)?;
    // An empty item would let a huge shape pass without a byte behind it.
    if expected != data.len() as u64 || (item.size == 0 && count > 1 << 16) {
        return Err(NumericError::Length { expected, found: data.len() as u64 });
    }
    let shape: Vec<usize> = shape
        .iter()
        .map(|extent| usize::try_from(*extent))
        .collect::<Result<_, _>>()
        .map_err(|_| NumericError::Shape)?;
    let chunks = || data.chunks_exact(item.size.max(1));
    let values = match item.kind {
        'b' => Values::Bool(chunks().map(|bytes| unsigned(bytes, item.big) != 0).collect()),
        'i' => Values::Int(chunks().map(|bytes| signed(bytes, item.big)).collect()),
        'u' => {
            let values =
                chunks().map(|bytes| i64::try_from(unsigned(bytes, item.big)).map_err(|_| NumericError::Element));
            Values::Int(values.collect::<Result<_, _>>()?)
        }
        'f' => Values::Float(chunks().map(|bytes| float(bytes, item.big)).collect()),
        _ if item.size == 0 => Values::Text(vec![String::new(); usize::try_from(count).unwrap_or_default()]),
        _ => Values::Text(chunks().map(|bytes| text(bytes, item.big)).collect::<Result<_, _>>()?),
    };
    let values = if fortran && shape.len() > 1 { rows_first(values, &shape) } else { values };
    Ok(Dense { shape, values })
}

fn unsigned(bytes: &[u8], big: bool) -> u64 {
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if big { bytes.iter().fold(0, fold) } else { bytes.iter().rev().fold(0, fold) }
}

fn signed(bytes: &[u8], big: bool) -> i64 {
    let shift = 64_usize.saturating_sub(bytes.len() * 8) as u32;
    ((unsigned(bytes, big) << shift) as i64) >> shift
}

fn float(bytes: &[u8], big: bool) -> f64 {
    let bits = unsigned(bytes, big);
    match bytes.len() {
        2 => half(bits as u16),
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits),
    }
}

fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff) / 1024.0;
    sign * match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    }
}

fn text(bytes: &[u8], big: bool) -> Result<String, NumericError> {
    let mut characters = bytes
        .chunks_exact(4)
        .map(|bytes| u32::try_from(unsigned(bytes, big)).ok().and_then(char::from_u32).ok_or(NumericError::Element))
        .collect::<Result<Vec<_>, _>>()?;
    while characters.last() == Some(&'\0') {
        characters.pop();
    }
    Ok(characters.into_iter().collect())
}

fn rows_first(values: Values, shape: &[usize]) -> Values {
    match values {
        Values::Bool(values) => Values::Bool(reorder(&values, shape)),
        Values::Int(values) => Values::Int(reorder(&values, shape)),
        Values::Float(values) => Values::Float(reorder(&values, shape)),
        Values::Text(values) => Values::Text(reorder(&values, shape)),
    }
}

fn reorder<T: Clone>(values: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1_usize;
    for extent in shape {
        strides.push(stride);
        stride = stride.saturating_mul(*extent);
    }
    let mut index = vec![0_usize; shape.len()];
    let mut out = Vec::with_capacity(values.len());
    for _ in 0..values.len() {
        let place: usize = index.iter().zip(&strides).map(|(index, stride)| index * stride).sum();
        out.extend(values.get(place).cloned());
        for (index, extent) in index.iter_mut().zip(shape).rev() {
            *index += 1;
            if *index < *extent {
                break;
            }
            *index = 0;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_first_becomes_rows_first() {
        let data: Vec<u8> = (0..6_u8).collect();
        let dense = read("|u1", &[2, 3], true, &data).unwrap();
        assert_eq!(dense.values, Values::Int(vec![0, 2, 4, 1, 3, 5]));
    }

    #[test]
    fn widths_and_byte_orders() {
        assert_eq!(read(">i2", &[1], false, &[0xff, 0xfe]).unwrap().values, Values::Int(vec![-2]));
        assert_eq!(read("<f4", &[], false, &1.5_f32.to_le_bytes()).unwrap().values, Values::Float(vec![1.5]));
        assert_eq!(read("<f2", &[1], false, &[0x00, 0x3e]).unwrap().values, Values::Float(vec![1.5]));
        let text: Vec<u8> = "né\0".chars().flat_map(|letter| (letter as u32).to_le_bytes()).collect();
        assert_eq!(read("<U3", &[1], false, &text).unwrap().values, Values::Text(vec!["né".to_owned()]));
        assert_eq!(read("<u8", &[1], false, &[0xff; 8]), Err(NumericError::Element));
    }

    #[test]
    fn a_shape_that_lies_is_refused() {
        assert!(matches!(read("<f8", &[1 << 40], false, &[0; 8]), Err(NumericError::Length { .. })));
        assert_eq!(read("<f8", &[u64::MAX, 3], false, &[0; 8]), Err(NumericError::Shape));
        assert!(read("<U0", &[1 << 40], false, &[]).is_err());
        assert!(matches!(read("|O", &[1], false, &[0; 8]), Err(NumericError::Dtype(_))));
    }
}
