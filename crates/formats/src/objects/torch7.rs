use std::collections::HashSet;

use super::bytes::Bytes;
use super::{MAX_NAMES, Objects};

/// Whether bytes begin as Torch 7 writes objects in binary: an object with its version, or a table with a value.
#[must_use]
pub fn is_torch7(head: &[u8]) -> bool {
    let is_key = |kind: Option<&[u8]>| matches!(kind, Some([1 | 2, 0, 0, 0]));
    head.starts_with(b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1")
        || head.starts_with(b"\x03\0\0\0\x01\0\0\0")
            && matches!(head.get(8..12), Some([_, _, 0, 0]))
            && is_key(head.get(12..16))
        || [6_u8, 7, 8].iter().any(|kind| head.starts_with(&[*kind, 0, 0, 0, 1, 0, 0, 0]))
            && head.get(12..).is_some_and(|code| code.starts_with(b"\x1bL"))
}

/// Bytes of a number of each storage.
const SIZES: &[(&str, u64)] = &[
    ("Byte", 1),
    ("Char", 1),
    ("Half", 2),
    ("Short", 2),
    ("Int", 4),
    ("Float", 4),
    ("Long", 8),
    ("Double", 8),
    ("Cuda", 4),
];

/// Classes and functions in what Torch 7 wrote in binary: numbers of four and eight bytes, little ends first.
/// <https://github.com/torch/torch7/blob/master/doc/serialization.md>
#[must_use]
pub fn torch7(bytes: &[u8], most: u64) -> Objects {
    let mut walk =
        Walk { bytes: Bytes::new(bytes, 0), seen: HashSet::new(), objects: Objects::default(), next: vec![1] };
    while let Some(left) = walk.next.pop() {
        if left == 0 {
            continue;
        }
        let place = walk.bytes.place();
        walk.objects.values += 1;
        walk.next.push(left - 1);
        let is_within = walk.objects.values <= most && walk.next.len() < MAX_NAMES;
        if !is_within || walk.value().is_none() {
            walk.objects.fault = Some((place as u64, "there is no such value"));
            break;
        }
    }
    walk.objects
}

struct Walk<'b> {
    bytes: Bytes<'b>,
    seen: HashSet<i32>,
    objects: Objects,
    /// How many values are still to come, of each that is open.
    next: Vec<u64>,
}

impl<'b> Walk<'b> {
    fn value(&mut self) -> Option<()> {
        let place = self.bytes.place();
        match self.int()? {
            0 => {}
            1 => {
                self.bytes.take(8)?;
            }
            2 => {
                self.text()?;
            }
            5 => {
                self.int()?;
            }
            kind @ (3 | 4 | 6..=8) => {
                let index = self.int()?;
                if !self.seen.insert(index) {
                    return Some(());
                }
                match kind {
                    3 => {
                        let count = u64::try_from(self.int()?).ok()?;
                        self.next.push(count.saturating_mul(2));
                    }
                    4 => self.object(place)?,
                    _ => {
                        if self.objects.functions.len() < MAX_NAMES {
                            self.objects.functions.push(place as u64);
                        }
                        // The function's code, then what it has closed over.
                        self.text()?;
                        self.next.push(1);
                    }
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn object(&mut self, place: usize) -> Option<()> {
        let version = self.text()?;
        let class = if version.starts_with(b"V ") { self.text()? } else { version };
        self.objects.see(place, class);
        let name = std::str::from_utf8(class).ok()?.strip_prefix("torch.").unwrap_or_default();
        if let Some(kind) = name.strip_suffix("Storage") {
            // Those of a graphics card have its name before the type's.
            let kind = kind.strip_prefix("Cuda").filter(|kind| !kind.is_empty()).unwrap_or(kind);
            let (_, size) = SIZES.iter().find(|(known, _)| *known == kind)?;
            let count = self.long()?.checked_mul(*size)?;
            self.bytes.take(usize::try_from(count).ok()?)?;
        } else if name.ends_with("Tensor") {
            let dimensions = u64::try_from(self.int()?).ok()?;
            let numbers = dimensions.checked_mul(16)?.checked_add(8)?;
            self.bytes.take(usize::try_from(numbers).ok()?)?;
            self.next.push(1);
        } else {
            self.next.push(1);
        }
        Some(())
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.int()?).ok()?;
        self.bytes.take(length)
    }

    fn int(&mut self) -> Option<i32> {
        self.bytes.array().map(i32::from_le_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.bytes.array().map(u64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(number: i32) -> Vec<u8> {
        number.to_le_bytes().to_vec()
    }

    fn text(text: &[u8]) -> Vec<u8> {
        [int(i32::try_from(text.len()).unwrap()), text.to_vec()].concat()
    }

    fn tensor(first: i32) -> Vec<u8> {
        let tensor = [
            int(4),
            int(first),
            text(b"V 1"),
            text(b"torch.FloatTensor"),
            int(1),
            [2_i64, 1, 1].map(i64::to_le_bytes).concat(),
        ];
        let storage = [
            int(4),
            int(first + 1),
            text(b"V 1"),
            text(b"torch.FloatStorage"),
            2_i64.to_le_bytes().to_vec(),
            vec![0; 8],
        ];
        [tensor.concat(), storage.concat()].concat()
    }

    #[test]
    fn classes_and_functions_are_found() {
        let module = |value: Vec<u8>| {
            [int(4), int(1), text(b"V 1"), text(b"nn.Linear"), int(3), int(2), int(1), int(2), text(b"weight"), value]
                .concat()
        };
        let good = module(tensor(3));
        assert!(is_torch7(&good));
        let objects = torch7(&good, 100);
        assert_eq!((objects.fault, objects.functions.len()), (None, 0));
        let names: Vec<_> = objects.classes.iter().map(|(_, name)| name.as_str()).collect();
        assert_eq!(names, ["nn.Linear", "torch.FloatTensor", "torch.FloatStorage"]);
        let function = [int(8), int(3), text(b"\x1bLJ\x01x"), int(0)].concat();
        let objects = torch7(&module(function), 100);
        assert_eq!((objects.fault, objects.functions.len()), (None, 1));
        assert!(torch7(&good[..good.len() - 1], 100).fault.is_some());
        assert!(torch7(&module(int(9)), 100).fault.is_some());
        let deep: Vec<u8> =
            (1..5000).flat_map(|index| [int(3), int(index), int(1), int(1), vec![0; 8]].concat()).collect();
        assert!(torch7(&deep, 100_000).fault.is_some());
    }
}
