//! MATLAB's files of version 5, as `scipy.io.savemat` writes them too: the classes of the arrays.
//!
//! <https://www.mathworks.com/help/pdf_doc/matlab/matfile_format.pdf>. Version 7.3 is HDF5.

use std::io;

use sealyard_core::ReadAt;

use crate::decompress::{Codec, expand, expand_from};
use crate::section::Section;

/// Bytes of the header, with the version and the order of bytes at its end.
const HEADER: u64 = 128;
/// Arrays inside each other.
const MAX_DEPTH: usize = 64;
/// Compressed bytes that are read to learn what an array is, and what they are expanded to.
const FIRST: u64 = 4096;
const FIRST_EXPANDED: u64 = 16 << 10;
/// Longest compressed array of others that is expanded.
const MAX_EXPANDED: u64 = 64 << 20;
/// Expanded bytes that count as one element.
const BYTES_AN_ELEMENT: u64 = 256;
/// Things that are kept.
const MAX_KEPT: usize = 1000;
/// Longest text that is kept.
const MAX_TEXT: u64 = 256;

const NUMBERS_32: u32 = 6;
const LETTERS: u32 = 1;
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// What an array is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Numbers, letters or truths.
    Plain,
    /// A cell array or structure.
    Nested,
    /// An object of an old class.
    Object,
    /// A handle of a function.
    Function,
    /// An object of a new class, of Java or of another system.
    Opaque,
}

/// What a file holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MatFile {
    /// Arrays at the outermost level, by name.
    pub variables: Vec<String>,
    /// What is more than numbers, with where it or the compressed array around it lies, and the texts that name it.
    pub active: Vec<(u64, Kind, Vec<String>)>,
    /// Elements that were walked over.
    pub elements: u64,
    /// What can't be read, and where.
    pub fault: Option<(u64, &'static str)>,
    /// Whether a bound ended the walk.
    pub is_cut: bool,
}

/// Whether bytes begin as such a file.
#[must_use]
pub fn is_mat(head: &[u8]) -> bool {
    matches!(head.get(124..128), Some([0, 1, b'I', b'M'] | [1, 0, b'M', b'I']))
        && head.get(..6).is_some_and(|text| text == b"MATLAB")
}

impl MatFile {
    /// Walks over a file of at most `most` elements.
    ///
    /// # Errors
    /// Only what reading itself gives.
    pub fn read(source: &dyn ReadAt, most: u64) -> io::Result<Self> {
        let mut order = [0; 2];
        source.read_exact_at(HEADER - 2, &mut order)?;
        let mut walk = Walk { is_little: &order == b"IM", most, file: Self::default() };
        let mut place = HEADER;
        while place < source.size() && !walk.file.is_cut {
            let Some(tag) = walk.tag(source, place, source.size())? else { break };
            if tag.kind == COMPRESSED {
                walk.compressed(source, &tag)?;
                // These alone are not filled up to eight bytes.
                place = tag.end;
            } else {
                walk.element(source, &tag, place, 0)?;
                place = tag.next;
            }
        }
        Ok(walk.file)
    }
}

/// An element's head.
#[derive(Debug, Clone, Copy)]
struct Tag {
    kind: u32,
    start: u64,
    end: u64,
    /// Where the next one begins.
    next: u64,
}

struct Walk {
    is_little: bool,
    most: u64,
    file: MatFile,
}

impl Walk {
    fn fail(&mut self, place: u64, what: &'static str) {
        self.file.fault = self.file.fault.or(Some((place, what)));
    }

    fn tag(&mut self, source: &dyn ReadAt, place: u64, end: u64) -> io::Result<Option<Tag>> {
        self.file.elements += 1;
        if self.file.elements > self.most {
            self.file.is_cut = true;
            return Ok(None);
        }
        if place.saturating_add(8) > end {
            self.fail(place, "an element is cut off");
            return Ok(None);
        }
        let mut head = [[0; 4]; 2];
        source.read_exact_at(place, head.as_flattened_mut())?;
        let [first, second] = head.map(|number| self.number(number));
        // Small ones have their length and up to four bytes in the head.
        let tag = if first >> 16 != 0 {
            let length = u64::from(first >> 16);
            if length > 4 {
                self.fail(place, "a small element is too long");
                return Ok(None);
            }
            Tag { kind: first & 0xffff, start: place + 4, end: place + 4 + length, next: place + 8 }
        } else {
            let start = place + 8;
            let length = u64::from(second);
            let last = start + length;
            // Filled up to eight bytes, but perhaps not the last of all.
            let next = start + length.next_multiple_of(8);
            Tag { kind: first, start, end: last, next: next.min(end.max(last)) }
        };
        if tag.end > end {
            // What is there of it may be acted on before a reader comes to the end.
            self.fail(place, "an element goes past the end");
            return Ok(Some(Tag { start: tag.start.min(end), end, next: end, ..tag }));
        }
        Ok(Some(tag))
    }

    fn number(&self, bytes: [u8; 4]) -> u32 {
        if self.is_little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) }
    }

    /// An array: its flags, sizes and name, then numbers or other arrays.
    fn element(&mut self, source: &dyn ReadAt, tag: &Tag, told: u64, depth: usize) -> io::Result<()> {
        if tag.kind != MATRIX {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            self.file.is_cut = true;
            return Ok(());
        }
        let (mut place, mut kind, mut texts) = (tag.start, None, Vec::new());
        while place < tag.end && !self.file.is_cut {
            let Some(part) = self.tag(source, place, tag.end)? else { break };
            match (kind, part.kind) {
                (None, NUMBERS_32) if part.end - part.start == 8 => {
                    let mut flags = [0; 4];
                    source.read_exact_at(part.start, &mut flags)?;
                    let Some(found) = kind_of(self.number(flags) & 0xff) else {
                        self.fail(part.start, "there is no such class of arrays");
                        break;
                    };
                    kind = Some(found);
                }
                (None, _) => {
                    self.fail(place, "an array has no class");
                    break;
                }
                (Some(_), MATRIX) => self.element(source, &part, told, depth + 1)?,
                (Some(_), LETTERS) if texts.len() < 4 && part.end - part.start <= MAX_TEXT => {
                    let mut text = vec![0; usize::try_from(part.end - part.start).unwrap_or_default()];
                    source.read_exact_at(part.start, &mut text)?;
                    texts.push(String::from_utf8_lossy(&text).trim_matches('\0').to_owned());
                }
                _ => {}
            }
            place = part.next;
        }
        if depth == 0 && self.file.variables.len() < MAX_KEPT {
            self.file.variables.extend(texts.first().filter(|name| !name.is_empty()).cloned());
        }
        if let Some(kind @ (Kind::Object | Kind::Function | Kind::Opaque)) = kind
            && self.file.active.len() < MAX_KEPT
        {
            texts.retain(|text| !text.is_empty());
            self.file.active.push((told, kind, texts));
        }
        Ok(())
    }

    /// An array that is compressed: of numbers only the head is expanded.
    fn compressed(&mut self, source: &dyn ReadAt, tag: &Tag) -> io::Result<()> {
        let section = Section::new(source, tag.start..tag.end);
        let mut first = vec![0; usize::try_from(section.size().min(FIRST)).unwrap_or_default()];
        section.read_exact_at(0, &mut first)?;
        let head = expand(Codec::Zlib, &first, FIRST_EXPANDED).bytes;
        self.charge(head.len());
        let (kind, class) = (head.first_chunk::<4>(), head.get(16..).and_then(|flags| flags.first_chunk::<4>()));
        let (Some(kind), Some(class)) = (kind, class) else {
            self.fail(tag.start, "a compressed array can't be expanded");
            return Ok(());
        };
        let (kind, class) = (self.number(*kind), self.number(*class) & 0xff);
        if kind != MATRIX {
            self.fail(tag.start, "what is compressed is no array");
            return Ok(());
        }
        if kind_of(class) == Some(Kind::Plain) {
            let name = self.name(&head);
            self.file.variables.extend(name.filter(|_| self.file.variables.len() < MAX_KEPT));
            return Ok(());
        }
        let expanded = expand_from(Codec::Zlib, &section, MAX_EXPANDED).bytes;
        self.charge(expanded.len());
        if expanded.len() as u64 >= MAX_EXPANDED {
            self.file.is_cut = true;
            return Ok(());
        }
        if let Some(inner) = self.tag(&expanded, 0, expanded.len() as u64)? {
            self.element(&expanded, &inner, tag.start, 0)?;
        }
        Ok(())
    }

    /// Expanding costs as well: so many bytes count as an element.
    fn charge(&mut self, bytes: usize) {
        self.file.elements = self.file.elements.saturating_add(bytes as u64 / BYTES_AN_ELEMENT);
    }

    /// The name of an array: the third part.
    fn name(&mut self, head: &[u8]) -> Option<String> {
        let bytes = head.to_vec();
        let end = bytes.len() as u64;
        let sizes = self.tag(&bytes, 24, end).ok()??;
        let name = self.tag(&bytes, sizes.next, end).ok()??;
        let text = bytes.get(usize::try_from(name.start).ok()?..usize::try_from(name.end).ok()?)?;
        Some(String::from_utf8_lossy(text).into_owned())
    }
}

const fn kind_of(class: u32) -> Option<Kind> {
    Some(match class {
        1 | 2 => Kind::Nested,
        3 => Kind::Object,
        4..=15 => Kind::Plain,
        16 => Kind::Function,
        17 => Kind::Opaque,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn element(kind: u32, content: &[u8]) -> Vec<u8> {
        let mut out = [kind.to_le_bytes(), u32::try_from(content.len()).unwrap().to_le_bytes()].concat();
        out.extend(content);
        out.resize(out.len().next_multiple_of(8), 0);
        out
    }

    fn array(class: u8, name: &str, rest: &[u8]) -> Vec<u8> {
        let flags = element(6, &[class, 0, 0, 0, 0, 0, 0, 0]);
        let sizes = element(5, &[1, 0, 0, 0, 1, 0, 0, 0]);
        element(MATRIX, &[&flags[..], &sizes, &element(1, name.as_bytes()), rest].concat())
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        let bytes = encoder.finish().unwrap();
        let head = [COMPRESSED.to_le_bytes(), u32::try_from(bytes.len()).unwrap().to_le_bytes()].concat();
        [head, bytes].concat()
    }

    fn file(content: &[u8]) -> Vec<u8> {
        let mut out = b"MATLAB 5.0 MAT-file".to_vec();
        out.resize(124, b' ');
        out.extend(b"\0\x01IM");
        out.extend(content);
        assert!(is_mat(&out));
        out
    }

    fn look(content: &[u8]) -> (Vec<Kind>, Vec<String>, bool) {
        let file = MatFile::read(&file(content), 10_000).unwrap();
        let whole = file.fault.is_none() && !file.is_cut;
        (file.active.into_iter().map(|(_, kind, _)| kind).collect(), file.variables, whole)
    }

    #[test]
    fn numbers_are_plain_and_handles_are_found() {
        let numbers = array(6, "weights", &element(9, &[0; 800_000]));
        assert_eq!(look(&numbers), (vec![], vec!["weights".to_owned()], true));
        assert_eq!(look(&zlib(&numbers)), (vec![], vec!["weights".to_owned()], true));
        let handle = array(16, "", &[]);
        for (class, kind) in [(3, Kind::Object), (16, Kind::Function), (17, Kind::Opaque)] {
            let active = array(class, "f", &[]);
            assert_eq!(look(&active).0, [kind]);
            assert_eq!(look(&zlib(&active)).0, [kind]);
        }
        let mut cut = array(17, "f", &[]);
        cut[4] += 9;
        assert_eq!(look(&cut), (vec![Kind::Opaque], vec!["f".to_owned()], false));
        let cell = array(1, "c", &[numbers.clone(), handle].concat());
        assert_eq!(look(&cell), (vec![Kind::Function], vec!["c".to_owned()], true));
        let two = [zlib(&cell), numbers].concat();
        assert_eq!(look(&two), (vec![Kind::Function], vec!["c".to_owned(), "weights".to_owned()], true));
    }

    #[test]
    fn lies_and_depths_end() {
        assert!(!look(b"\x0e\0\0\0\xff\xff\xff\xff").2);
        assert!(!look(b"\x0f\0\0\0\x04\0\0\0abcd").2);
        assert!(!look(&array(99, "x", &[])).2);
        let mut deep = array(6, "", &[]);
        for _ in 0..100 {
            deep = array(1, "", &deep);
        }
        assert!(!look(&deep).2);
        // A bomb is paid for with elements.
        let bomb = zlib(&array(1, "", &array(6, "", &element(9, &vec![0; 3_000_000]))));
        assert!(!look(&bomb).2);
        let many: Vec<u8> = array(6, "", &[]).repeat(5000);
        assert!(!look(&many).2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = MatFile::read(&file(&bytes), 1000);
            let _ = MatFile::read(&file(&array(1, "c", &bytes)), 1000);
        }
    }
}
