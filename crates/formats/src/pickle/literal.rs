//! The number and string literals of the text opcodes, as C and Python read them.

use std::borrow::Cow;

use super::{BigInt, Fault, Node, PyStr};

/// Python refuses longer decimal literals (`sys.int_info.default_max_str_digits`).
const MAX_DECIMAL_DIGITS: usize = 4300;

/// What a text opcode's number became.
#[derive(Debug, PartialEq)]
pub(super) struct Number<'a> {
    pub(super) node: Node<'a>,
    /// Whether the Python unpickler reads the same.
    pub(super) same_in_python: bool,
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn trim_start(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| is_space(**byte)).count();
    text.get(spaces..).unwrap_or_default()
}

fn trim_end(text: &[u8]) -> &[u8] {
    let spaces = text.iter().rev().take_while(|byte| is_space(**byte)).count();
    text.get(..text.len() - spaces).unwrap_or_default()
}

fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// `PyLong_FromString` with base 0 or 10, given the text up to the first NUL. `None` where it raises.
fn python_int(text: &[u8], base: u32) -> Option<Node<'_>> {
    let whole = trim_end(trim_start(text));
    let (negative, digits) = split_sign(whole);
    let (radix, mut digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] if base == 0 => (16, rest),
        [b'0', b'o' | b'O', rest @ ..] if base == 0 => (8, rest),
        [b'0', b'b' | b'B', rest @ ..] if base == 0 => (2, rest),
        // A leading zero is only right for zero itself.
        [b'0', rest @ ..] if base == 0 && rest.iter().any(|byte| !matches!(byte, b'0' | b'_')) => return None,
        _ => (10, digits),
    };
    if radix != 10
        && let [b'_', rest @ ..] = digits
    {
        digits = rest;
    }
    let mut value = Some(0_i128);
    let mut count = 0_usize;
    let mut after_digit = false;
    for byte in digits {
        if *byte == b'_' {
            if !after_digit {
                return None;
            }
            after_digit = false;
            continue;
        }
        let digit = char::from(*byte).to_digit(radix)?;
        after_digit = true;
        count += 1;
        value = value.and_then(|value| value.checked_mul(i128::from(radix))?.checked_add(i128::from(digit)));
    }
    if !after_digit || (radix == 10 && count > MAX_DECIMAL_DIGITS) {
        return None;
    }
    let value = value.map(|value| if negative { -value } else { value });
    match value.and_then(|value| i64::try_from(value).ok()) {
        Some(value) => Some(Node::Int(value)),
        None => Some(Node::BigInt(BigInt::Text(Cow::Borrowed(std::str::from_utf8(whole).ok()?)))),
    }
}

/// C's `strtol(text, &end, 0)` when it uses all of `line` up to its newline and does not overflow.
fn strtol(line: &[u8]) -> Option<i64> {
    let (negative, digits) = split_sign(trim_start(line));
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] => (16, rest),
        [b'0', _, ..] => (8, digits),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_i128;
    for byte in digits {
        let digit = char::from(*byte).to_digit(radix)?;
        value = value.checked_mul(i128::from(radix))?.checked_add(i128::from(digit))?;
    }
    i64::try_from(if negative { -value } else { value }).ok()
}

fn before_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// The argument of `INT`, without its newline.
pub(super) fn int(line: &[u8]) -> Result<Number<'_>, Fault> {
    let python = if line.contains(&0) { None } else { python_int(line, 0) };
    let node = match strtol(line) {
        // `I00` and `I01` are how protocol 0 writes the booleans; C takes any two characters that give 0 or 1.
        Some(value @ (0 | 1)) if line.len() == 2 => {
            let same_in_python = matches!(line, b"00" | b"01");
            return Ok(Number { node: Node::Bool(value == 1), same_in_python });
        }
        Some(value) => Node::Int(value),
        None => python_int(before_nul(line), 0).ok_or(Fault::BadNumber)?,
    };
    let same_in_python = python.as_ref() == Some(&node);
    Ok(Number { node, same_in_python })
}

/// The argument of `LONG`, without its newline.
pub(super) fn long(line: &[u8]) -> Result<Number<'_>, Fault> {
    let digits = line.strip_suffix(b"L").unwrap_or(line);
    let node = python_int(before_nul(digits), 0).ok_or(Fault::BadNumber)?;
    Ok(Number { node, same_in_python: !digits.contains(&0) })
}

/// The argument of `GET` and `PUT`, without its newline.
pub(super) fn index(line: &[u8]) -> Result<i64, Fault> {
    match python_int(before_nul(line), 10) {
        Some(Node::Int(value)) => Ok(value),
        _ => Err(Fault::BadNumber),
    }
}

/// The argument of `FLOAT`, without its newline, as C reads it.
pub(super) fn float(line: &[u8]) -> Result<Number<'_>, Fault> {
    let cut = before_nul(line);
    let text = std::str::from_utf8(cut).map_err(|_| Fault::BadNumber)?;
    let value: f64 = text.parse().map_err(|_| Fault::BadNumber)?;
    // An infinity that is not spelled out is an overflow, which Python raises.
    if value.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err(Fault::BadNumber);
    }
    Ok(Number { node: Node::Float(value), same_in_python: cut.len() == line.len() })
}

/// Whether Python's `float()` takes a line that C refused.
pub(super) fn float_only_in_python(line: &[u8]) -> bool {
    let trimmed: Vec<u8> = trim_end(trim_start(line)).iter().copied().filter(|byte| *byte != b'_').collect();
    std::str::from_utf8(&trimmed).is_ok_and(|text| text.parse::<f64>().is_ok())
}

/// UTF-8 in which lone surrogates may stand (`surrogatepass`).
pub(super) fn utf8_with_surrogates(bytes: &[u8]) -> Result<PyStr<'_>, Fault> {
    let mut rest = bytes;
    loop {
        match std::str::from_utf8(rest) {
            Ok(_) => return Ok(PyStr::from_checked(Cow::Borrowed(bytes))),
            Err(error) => {
                rest = match rest.get(error.valid_up_to()..) {
                    Some([0xed, 0xa0..=0xbf, 0x80..=0xbf, rest @ ..]) => rest,
                    _ => return Err(Fault::BadText),
                };
            }
        }
    }
}

/// A Python 2 string. Not ASCII means that the loader's `encoding` decides: it is read as Latin-1 then.
pub(super) fn python2_string<'a>(bytes: Cow<'a, [u8]>) -> (PyStr<'a>, bool) {
    if bytes.is_ascii() {
        return (PyStr::from_checked(bytes), true);
    }
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    (PyStr::from(text), false)
}

/// The quoted argument of `STRING`, without its newline.
pub(super) fn quoted(line: &[u8]) -> Result<Cow<'_, [u8]>, Fault> {
    let inner = match line {
        [open @ (b'\'' | b'"'), inner @ .., close] if open == close => inner,
        _ => return Err(Fault::BadString),
    };
    if !inner.contains(&b'\\') {
        return Ok(Cow::Borrowed(inner));
    }
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let [escape, tail @ ..] = rest else { return Err(Fault::BadString) };
        rest = tail;
        match escape {
            b'\n' => {}
            b'\\' | b'\'' | b'"' => out.push(*escape),
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b't' => out.push(b'\t'),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b'v' => out.push(0x0b),
            b'a' => out.push(0x07),
            b'0'..=b'7' => {
                let mut value = u32::from(escape - b'0');
                for _ in 0..2 {
                    let [digit @ b'0'..=b'7', tail @ ..] = rest else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    rest = tail;
                }
                out.push((value & 0xff) as u8);
            }
            b'x' => {
                let [high, low, tail @ ..] = rest else { return Err(Fault::BadString) };
                let value = hex(&[*high, *low]).ok_or(Fault::BadString)?;
                out.push(value as u8);
                rest = tail;
            }
            other => out.extend([b'\\', *other]),
        }
    }
    Ok(Cow::Owned(out))
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)?))
}

/// The argument of `UNICODE` (raw-unicode-escape), without its newline.
pub(super) fn raw_unicode_escape(line: &[u8]) -> Result<PyStr<'_>, Fault> {
    if line.is_ascii() && !line.contains(&b'\\') {
        return Ok(PyStr::from_checked(Cow::Borrowed(line)));
    }
    let mut out = Vec::with_capacity(line.len());
    let mut rest = line;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            push(&mut out, u32::from(*byte));
            continue;
        }
        let [escape, tail @ ..] = rest else {
            out.push(b'\\');
            break;
        };
        rest = tail;
        let count = match escape {
            b'u' => 4,
            b'U' => 8,
            other => {
                out.push(b'\\');
                push(&mut out, u32::from(*other));
                continue;
            }
        };
        let digits = rest.get(..count).ok_or(Fault::BadText)?;
        let point = hex(digits).filter(|point| *point <= 0x10_ffff).ok_or(Fault::BadText)?;
        push(&mut out, point);
        rest = rest.get(count..).unwrap_or_default();
    }
    Ok(PyStr::from_checked(Cow::Owned(out)))
}

/// Appends a code point as UTF-8, a lone surrogate as its three bytes.
fn push(out: &mut Vec<u8>, point: u32) {
    match char::from_u32(point) {
        Some(character) => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
        None => out.extend([0xe0 | (point >> 12) as u8, 0x80 | (point >> 6 & 0x3f) as u8, 0x80 | (point & 0x3f) as u8]),
    }
}
