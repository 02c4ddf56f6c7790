//! The directory: where streams lie, how they are packed, and what files they hold.

use super::{File, SevenZipError, SevenZipLimits};

const END: u64 = 0x00;
const HEADER: u64 = 0x01;
const ARCHIVE_PROPERTIES: u64 = 0x02;
const ADDITIONAL_STREAMS: u64 = 0x03;
const MAIN_STREAMS: u64 = 0x04;
const FILES: u64 = 0x05;
const PACK_INFO: u64 = 0x06;
const UNPACK_INFO: u64 = 0x07;
const SUB_STREAMS: u64 = 0x08;
const SIZE: u64 = 0x09;
const CRC: u64 = 0x0a;
const FOLDER: u64 = 0x0b;
const UNPACK_SIZES: u64 = 0x0c;
const NUM_UNPACK_STREAMS: u64 = 0x0d;
const EMPTY_STREAM: u64 = 0x0e;
const EMPTY_FILE: u64 = 0x0f;
const NAMES: u64 = 0x11;
const PACKED_HEADER: u64 = 0x17;

/// Coders of one folder, and streams of one coder.
const MAX_CODERS: u64 = 32;

/// One coder of a folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Coder {
    pub(super) method: u64,
    pub(super) properties: Vec<u8>,
    pub(super) inputs: u64,
    pub(super) outputs: u64,
}

/// One stream that went through coders.
#[derive(Debug, Clone, Default)]
pub(super) struct Folder {
    pub(super) coders: Vec<Coder>,
    /// Which coder's input is which coder's output, by number.
    pub(super) bonds: Vec<(u64, u64)>,
    /// Inputs that are packed streams.
    pub(super) packed: Vec<u64>,
    /// The first of the archive's packed streams that is this folder's.
    pub(super) first_packed: usize,
    pub(super) sizes: Vec<u64>,
    crc32: Option<u32>,
}

impl Folder {
    /// Bytes of its last output, which is bound to no input.
    pub(super) fn size(&self) -> u64 {
        let main = (0_u64..).zip(&self.sizes).find(|(index, _)| !self.bonds.iter().any(|(_, output)| output == index));
        main.map_or(0, |(_, size)| *size)
    }
}

/// A parsed directory.
#[derive(Debug, Default)]
pub(super) struct Header {
    /// Whether it only says how the directory is packed.
    pub(super) is_packed: bool,
    pub(super) pack_offset: u64,
    pub(super) pack_sizes: Vec<u64>,
    /// The bytes of all packed streams before each.
    pub(super) packed_before: Vec<u64>,
    pub(super) folders: Vec<Folder>,
    pub(super) files: Vec<File>,
    /// Size and CRC-32 of each file with bytes, by folder.
    streams: Vec<Vec<(u64, Option<u32>)>>,
}

type Result<T> = std::result::Result<T, SevenZipError>;

impl Header {
    pub(super) fn parse(bytes: &[u8], limits: &SevenZipLimits) -> Result<Self> {
        let mut reader = Reader { rest: bytes, items: limits.items };
        let mut header = Self::default();
        match reader.number()? {
            PACKED_HEADER => {
                header.is_packed = true;
                header.streams_info(&mut reader)?;
                return Ok(header);
            }
            HEADER => {}
            _ => return Err(SevenZipError::Directory("it is none")),
        }
        loop {
            match reader.number()? {
                END => return Ok(header),
                ARCHIVE_PROPERTIES => {
                    while reader.number()? != END {
                        reader.sized()?;
                    }
                }
                // Nobody writes these; what they are for is not known.
                ADDITIONAL_STREAMS => return Err(SevenZipError::Directory("it has additional streams")),
                MAIN_STREAMS => header.streams_info(&mut reader)?,
                FILES => header.files(&mut reader)?,
                _ => return Err(SevenZipError::Directory("it has an unknown part")),
            }
        }
    }

    fn streams_info(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        loop {
            match reader.number()? {
                END => break,
                PACK_INFO => self.pack_info(reader)?,
                UNPACK_INFO => self.unpack_info(reader)?,
                SUB_STREAMS => self.sub_streams(reader)?,
                _ => return Err(SevenZipError::Directory("its streams have an unknown part")),
            }
        }
        if self.streams.is_empty() {
            self.streams = self.folders.iter().map(|folder| vec![(folder.size(), folder.crc32)]).collect();
        }
        Ok(())
    }

    fn pack_info(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        self.pack_offset = reader.number()?;
        let count = reader.count()?;
        loop {
            match reader.number()? {
                END => return Ok(()),
                SIZE => {
                    let mut before = 0_u64;
                    for _ in 0..count {
                        let size = reader.number()?;
                        self.pack_sizes.push(size);
                        self.packed_before.push(before);
                        before = before.saturating_add(size);
                    }
                }
                CRC => {
                    reader.digests(count)?;
                }
                _ => return Err(SevenZipError::Directory("its packed streams have an unknown part")),
            }
        }
    }

    fn unpack_info(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        if reader.number()? != FOLDER {
            return Err(SevenZipError::Directory("it has no folders"));
        }
        let count = reader.count()?;
        reader.not_external()?;
        let mut first_packed = 0;
        for _ in 0..count {
            let mut folder = reader.folder()?;
            folder.first_packed = first_packed;
            first_packed += folder.packed.len();
            self.folders.push(folder);
        }
        if reader.number()? != UNPACK_SIZES {
            return Err(SevenZipError::Directory("its folders have no sizes"));
        }
        for folder in &mut self.folders {
            for _ in 0..folder.coders.iter().map(|coder| coder.outputs).sum() {
                folder.sizes.push(reader.number()?);
            }
        }
        loop {
            match reader.number()? {
                END => return Ok(()),
                CRC => {
                    let digests = reader.digests(count)?;
                    for (folder, digest) in self.folders.iter_mut().zip(digests) {
                        folder.crc32 = digest;
                    }
                }
                _ => return Err(SevenZipError::Directory("its folders have an unknown part")),
            }
        }
    }

    fn sub_streams(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let mut counts = vec![1; self.folders.len()];
        let mut part = reader.number()?;
        if part == NUM_UNPACK_STREAMS {
            for count in &mut counts {
                *count = reader.count()?;
            }
            part = reader.number()?;
        }
        for (folder, count) in self.folders.iter().zip(&counts) {
            let mut sizes = Vec::new();
            let mut left = folder.size();
            for index in 0..*count {
                let size = if index + 1 < *count && part == SIZE { reader.number()? } else { left };
                left = left.checked_sub(size).ok_or(SevenZipError::Directory("a folder is smaller than its files"))?;
                sizes.push((size, None));
            }
            if let ([stream], 1) = (sizes.as_mut_slice(), *count) {
                stream.1 = folder.crc32;
            }
            self.streams.push(sizes);
        }
        if part == SIZE {
            part = reader.number()?;
        }
        while part != END {
            if part != CRC {
                return Err(SevenZipError::Directory("its files' streams have an unknown part"));
            }
            let mut unknown: Vec<_> = self.streams.iter_mut().flatten().filter(|(_, crc32)| crc32.is_none()).collect();
            let digests = reader.digests(unknown.len() as u64)?;
            for (stream, digest) in unknown.iter_mut().zip(digests) {
                stream.1 = digest;
            }
            part = reader.number()?;
        }
        Ok(())
    }

    fn files(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let count = reader.count()?;
        let mut names = Vec::new();
        let mut empty = Vec::new();
        let mut empty_files = Vec::new();
        loop {
            let kind = reader.number()?;
            if kind == END {
                break;
            }
            let mut part = Reader { rest: reader.sized()?, items: reader.items };
            match kind {
                NAMES => {
                    part.not_external()?;
                    names = part.names(count)?;
                }
                EMPTY_STREAM => empty = part.bits(count)?,
                EMPTY_FILE => empty_files = part.bits(empty.iter().filter(|empty| **empty).count() as u64)?,
                // Times, attributes and padding.
                _ => {}
            }
        }
        let streams = self
            .streams
            .iter()
            .enumerate()
            .flat_map(|(folder, streams)| streams.iter().map(move |(size, crc32)| (folder, *size, *crc32)));
        let mut streams = streams.collect::<Vec<_>>().into_iter();
        let mut empty_files = empty_files.into_iter();
        for index in 0..usize::try_from(count).unwrap_or_default() {
            let name = names.get(index).cloned().unwrap_or_default();
            let file = if empty.get(index) == Some(&true) {
                let is_directory = !empty_files.next().unwrap_or(false);
                File { name, size: 0, crc32: None, folder: None, is_directory }
            } else {
                let (folder, size, crc32) = streams.next().ok_or(SevenZipError::Directory("a file has no stream"))?;
                File { name, size, crc32, folder: Some(folder), is_directory: false }
            };
            self.files.push(file);
        }
        // A stream that no file has would be read by nobody; it is looked at nevertheless.
        for (index, (folder, size, crc32)) in streams.enumerate() {
            let name = format!("stream {index} of no file");
            self.files.push(File { name, size, crc32, folder: Some(folder), is_directory: false });
        }
        Ok(())
    }
}

struct Reader<'b> {
    rest: &'b [u8],
    items: u64,
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: u64) -> Result<&'b [u8]> {
        let cut = usize::try_from(count).ok().and_then(|count| self.rest.split_at_checked(count));
        let (taken, rest) = cut.ok_or(SevenZipError::Directory("it is cut off"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?.first().copied().unwrap_or_default())
    }

    /// The first bits that are set say how many bytes follow; the other bits of the first byte are the highest.
    fn number(&mut self) -> Result<u64> {
        let first = self.byte()?;
        let more = first.leading_ones();
        let low = self.take(u64::from(more))?;
        let low = low.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
        let high = if more >= 7 { 0 } else { u64::from(first & (0x7f >> more)) };
        Ok(low | high.checked_shl(8 * more).unwrap_or(0))
    }

    /// How many of something there are, each of which takes from the bound.
    fn count(&mut self) -> Result<u64> {
        let count = self.number()?;
        self.items = self.items.checked_sub(count).ok_or(SevenZipError::Bound("the number of files"))?;
        Ok(count)
    }

    fn sized(&mut self) -> Result<&'b [u8]> {
        let size = self.number()?;
        self.take(size)
    }

    fn not_external(&mut self) -> Result<()> {
        if self.byte()? == 0 { Ok(()) } else { Err(SevenZipError::Directory("a part of it lies elsewhere")) }
    }

    fn bits(&mut self, count: u64) -> Result<Vec<bool>> {
        let bytes = self.take(count.div_ceil(8))?;
        let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte & (0x80 >> bit) != 0));
        Ok(bits.take(usize::try_from(count).unwrap_or_default()).collect())
    }

    fn digests(&mut self, count: u64) -> Result<Vec<Option<u32>>> {
        let is_all = self.byte()? != 0;
        let defined = if is_all { None } else { Some(self.bits(count)?) };
        let mut digests = Vec::new();
        for index in 0..usize::try_from(count).unwrap_or_default() {
            let is_defined = defined.as_ref().is_none_or(|defined| defined.get(index) == Some(&true));
            let digest =
                if is_defined { self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)) } else { None };
            digests.push(digest);
        }
        Ok(digests)
    }

    fn folder(&mut self) -> Result<Folder> {
        let mut folder = Folder::default();
        let (mut inputs, mut outputs) = (0, 0);
        let few = |count: u64| if count <= MAX_CODERS { Ok(count) } else { Err(SevenZipError::Bound("the coders")) };
        for _ in 0..few(self.number()?)? {
            let flags = self.byte()?;
            let method =
                self.take(u64::from(flags & 0xf))?.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
            let mut coder = Coder { method, properties: Vec::new(), inputs: 1, outputs: 1 };
            if flags & 0x10 != 0 {
                coder.inputs = few(self.number()?)?;
                coder.outputs = few(self.number()?)?;
            }
            if flags & 0x20 != 0 {
                coder.properties = self.sized()?.to_vec();
            }
            if flags & 0x80 != 0 {
                return Err(SevenZipError::Directory("a coder has an alternative"));
            }
            inputs += coder.inputs;
            outputs += coder.outputs;
            folder.coders.push(coder);
        }
        let bonds = u64::checked_sub(outputs, 1).ok_or(SevenZipError::Directory("a folder has no coder"))?;
        for _ in 0..bonds {
            folder.bonds.push((self.number()?, self.number()?));
        }
        let packed = u64::checked_sub(inputs, bonds).ok_or(SevenZipError::Directory("a folder has no stream"))?;
        if packed == 1 {
            let free = (0..inputs).find(|input| !folder.bonds.iter().any(|(bound, _)| bound == input));
            folder.packed.push(free.ok_or(SevenZipError::Directory("a folder has no stream"))?);
        } else {
            for _ in 0..packed {
                folder.packed.push(self.number()?);
            }
        }
        Ok(folder)
    }

    /// UTF-16, each name up to a zero.
    fn names(&mut self, count: u64) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let mut units = self.rest.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
        for _ in 0..count {
            let mut name = Vec::new();
            loop {
                match units.next() {
                    Some(0) => break,
                    Some(unit) => name.push(unit),
                    None => return Err(SevenZipError::Directory("its names are cut off")),
                }
            }
            names.push(String::from_utf16_lossy(&name));
        }
        Ok(names)
    }
}
