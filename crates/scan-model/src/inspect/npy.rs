use sealyard_core::ReadAt;
use sealyard_formats::Section;
use sealyard_formats::npy::{Literal, Npy};
use sealyard_scan::FactKind;
use serde_json::json;

use super::pickle;
use crate::context::Context;
use crate::judge::Persistence;
use crate::rules;

/// More than the longest header that numpy reads.
const HEADER: u64 = 16 << 10;

/// Looks at arrays, of which a file can have several one behind the other, and at what follows them.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let mut start = 0;
    loop {
        let rest = Section::new(&data, start..data.size());
        let Some(end) = array(&rest, context) else { break };
        start += end;
        let mut head = [0; 8];
        if start >= data.size() || !context.step(1) {
            break;
        }
        let rest = Section::new(&data, start..data.size());
        // What numpy makes nothing of was put there for somebody.
        if rest.read_exact_at(0, &mut head).is_err() || !Npy::matches(&head) {
            context.nest("(behind the array)", &rest);
            break;
        }
    }
    "npy"
}

/// Looks at an array: at its header, and at the pickle behind it when its elements are objects. Gives where its elements end.
fn array(data: &dyn ReadAt, context: &mut Context) -> Option<u64> {
    let head = context.head(data, HEADER)?;
    let array = match Npy::parse(&head) {
        Ok(array) => array,
        Err(error) => {
            context.miss(format!("the array can't be read: {error}"));
            return None;
        }
    };
    rules::npy::run(&array, context.sink());
    if let Literal::Str(dtype) = &array.descr {
        let numbers = array.shape.iter().fold(1_u64, |count, size| count.saturating_mul(*size));
        context.fact(FactKind::Tensors, dtype, json!({"tensors": 1, "numbers": numbers}));
    }
    if array.has_objects() {
        let bytes = context.read(data, pickle::MAX_BYTES)?;
        let start = usize::try_from(array.data_offset).unwrap_or(usize::MAX);
        let objects = bytes.get(start..).unwrap_or_default();
        context.inside("objects", |context| pickle::inspect_bytes(objects, Persistence::Refused, context));
        return None;
    }
    let end = end_of_elements(&array)?;
    if end > data.size() {
        context.miss("the array is cut off");
        return None;
    }
    let elements = Section::new(&data, array.data_offset..end);
    let is_of_bytes =
        matches!(&array.descr, Literal::Str(dtype) if dtype.ends_with("u1") || dtype.contains(['S', 'V']));
    let mut head = [0; 2];
    // Bytes that begin as a pickle does may be kept there for a loader of the model's own.
    if is_of_bytes && elements.read_exact_at(0, &mut head).is_ok() && matches!(head, [0x80, 0..=5]) {
        let looked = context.inside("(elements)", |context| pickle::inspect_if_pickle(&elements, context));
        if let Err(error) = looked {
            context.miss(format!("could not be read: {error}"));
        }
    }
    Some(end)
}

/// Where the elements end, for those that have one size each.
fn end_of_elements(array: &Npy) -> Option<u64> {
    let Literal::Str(dtype) = &array.descr else { return None };
    let mut parts = dtype.chars();
    let kind = parts.by_ref().find(|character| !matches!(character, '<' | '>' | '|' | '='))?;
    let count: u64 = parts.as_str().split('[').next()?.parse().ok()?;
    let size = match kind {
        'U' => count.checked_mul(4)?,
        'b' | 'c' | 'f' | 'i' | 'm' | 'M' | 'S' | 'u' | 'V' => count,
        _ => return None,
    };
    let numbers = array.shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))?;
    numbers.checked_mul(size)?.checked_add(array.data_offset)
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use crate::Scanner;

    const CALL: &[u8] = b"\x80\x02cposix\nsystem\nU\x04true\x85R.";

    fn array(dtype: &str, count: usize, rest: &[&[u8]]) -> Vec<u8> {
        let mut header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': ({count},), }}");
        while (header.len() + 11) % 64 != 0 {
            header.push(' ');
        }
        header.push('\n');
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        [&[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()], rest].concat().concat()
    }

    fn verdict(bytes: &[u8]) -> Verdict {
        Scanner::new().scan_file("a.npy", &bytes).verdict
    }

    #[test]
    fn numbers_and_arrays_behind_arrays_are_safe() {
        let one = array("<f8", 1, &[&[0; 8]]);
        assert_eq!(verdict(&one), Verdict::Safe);
        assert_eq!(verdict(&array("<f8", 1, &[&[0; 8], &one])), Verdict::Safe);
        assert_eq!(verdict(&one.repeat(100)), Verdict::Safe);
        assert_eq!(verdict(&array("|u1", 6, &[b"\x80\x02\xff\x01\x02\x03"])), Verdict::Safe);
        assert_eq!(verdict(&array("<U2", 1, &[&[0; 8]])), Verdict::Safe);
    }

    #[test]
    fn what_is_put_in_or_behind_an_array_is_looked_at() {
        assert_eq!(verdict(&array("<f8", 1, &[&[0; 8], CALL])), Verdict::Unsafe);
        assert_eq!(verdict(&array("|u1", CALL.len(), &[CALL])), Verdict::Unsafe);
        assert_eq!(verdict(&array(&format!("|S{}", CALL.len()), 1, &[CALL])), Verdict::Unsafe);
        assert_eq!(verdict(&array("<f8", 1, &[&[0; 8], b"\x01\x02"])), Verdict::NotAssessed);
        assert_eq!(verdict(&array("<f8", 2, &[&[0; 8]])), Verdict::NotAssessed);
        assert_eq!(verdict(&array("<f8", 1, &[&[0; 8], &array("<f8", 1, &[&[0; 8], CALL])])), Verdict::Unsafe);
    }
}
