//! Serialized objects of other languages: which classes and functions a stream names, and where.
//!
//! Nothing is made of what is read; each walk is a loop with a stack of what is still to come, and ends at the first
//! thing that the language's own reader would not take.

mod bytes;
mod java;
mod php;
mod ruby;
mod torch7;

use std::collections::HashSet;

pub use java::java;
pub use php::{is_php, php};
pub use ruby::{is_ruby, ruby};
pub use torch7::{is_torch7, torch7};

/// Names that are kept.
const MAX_NAMES: usize = 1000;
/// Longest name that is kept.
const MAX_NAME: usize = 256;

/// What a stream names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Objects {
    /// Classes of objects, each once, with the place of the first.
    pub classes: Vec<(u64, String)>,
    /// Where functions lie.
    pub functions: Vec<u64>,
    /// Values that were walked over.
    pub values: u64,
    /// What its reader would not take, and where; nothing if the stream was walked to its end.
    pub fault: Option<(u64, &'static str)>,
    /// The names in `classes`, so that a flood of classes costs no more than its length.
    known: HashSet<Vec<u8>>,
}

impl Objects {
    fn see(&mut self, place: usize, name: &[u8]) {
        let name = name.get(..MAX_NAME).unwrap_or(name);
        if self.known.len() < MAX_NAMES && !self.known.contains(name) {
            self.known.insert(name.to_vec());
            self.classes.push((place as u64, String::from_utf8_lossy(name).into_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_flood_of_classes_ends_soon() {
        let flood: Vec<u8> = (0..400_000_u32).flat_map(|number| format!("r\0\x08C{number:07}").into_bytes()).collect();
        let start = std::time::Instant::now();
        let objects = java(&flood, 1 << 20);
        assert_eq!((objects.values, objects.classes.len()), (400_000, MAX_NAMES));
        assert!(start.elapsed().as_secs() < 5);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            letters in "[aOsidCNbrR:;{}\"0-9]{0,80}",
        ) {
            let torch = [&b"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1"[..], &bytes].concat();
            let ruby_bytes = [&b"\x04\x08"[..], &bytes].concat();
            for bytes in [&bytes[..], letters.as_bytes(), &torch, &ruby_bytes] {
                for walk in [java, php, ruby, torch7] {
                    let objects = walk(bytes, 1000);
                    prop_assert!(objects.values <= 1001);
                }
            }
        }
    }
}
