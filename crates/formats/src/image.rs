//! The outer form of images: how large they are, and where they end. What they show is not decoded.
//!
//! PNG: <https://www.w3.org/TR/png-3/>; JPEG: ITU-T T.81; GIF: <https://www.w3.org/Graphics/GIF/spec-gif89a.txt>;
//! WebP: RFC 9649.

use std::io;

use sealyard_core::ReadAt;

use crate::cursor::Cursor;
use crate::sniff::Format;

/// Most parts of one image: chunks, segments, blocks.
const MAX_PARTS: usize = 1_000_000;

/// An image's outer form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Width and height in pixels, where the form tells them at its start.
    pub size: Option<(u32, u32)>,
    /// Where the image ends in the file.
    pub end: u64,
}

/// Bytes that are no whole image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A part is not what has to be there.
    #[error("there is no part of an image at {0:#x}")]
    Part(u64),
    /// It has too many parts.
    #[error("the image has more than {MAX_PARTS} parts")]
    Bound,
    /// It is of another format.
    #[error("it is no image")]
    Format,
    /// It is cut off, or bytes below could not be read.
    #[error("the image is cut off or could not be read")]
    Read(#[from] io::Error),
}

impl Image {
    /// Walks over the parts of an image of the given format, up to its end.
    ///
    /// # Errors
    /// [`ImageError`] when it has no end, or when something else lies where a part should be.
    pub fn walk(source: &dyn ReadAt, format: Format) -> Result<Self, ImageError> {
        match format {
            Format::Png => png(source),
            Format::Jpeg => jpeg(source),
            Format::Gif => gif(source),
            Format::Webp => webp(source),
            _ => Err(ImageError::Format),
        }
    }
}

fn png(source: &dyn ReadAt) -> Result<Image, ImageError> {
    let mut cursor = Cursor::new(source, 8);
    let mut size = None;
    for part in 0..MAX_PARTS {
        let place = cursor.place();
        let length = u32::from_be_bytes(cursor.array()?);
        let kind: [u8; 4] = cursor.array()?;
        let is_header = &kind == b"IHDR";
        if (part == 0) != is_header || !kind.iter().all(u8::is_ascii_alphabetic) || (is_header && length != 13) {
            return Err(ImageError::Part(place));
        }
        if is_header {
            size = Some((u32::from_be_bytes(cursor.array()?), u32::from_be_bytes(cursor.array()?)));
            cursor.skip(5)?;
        } else {
            cursor.skip(length.into())?;
        }
        // The part's sum.
        cursor.skip(4)?;
        if &kind == b"IEND" {
            return Ok(Image { size, end: cursor.place() });
        }
    }
    Err(ImageError::Bound)
}

fn jpeg(source: &dyn ReadAt) -> Result<Image, ImageError> {
    let mut cursor = Cursor::new(source, 2);
    let mut size = None;
    for _ in 0..MAX_PARTS {
        let place = cursor.place();
        if cursor.byte()? != 0xff {
            return Err(ImageError::Part(place));
        }
        let mut marker = cursor.byte()?;
        while marker == 0xff {
            marker = cursor.byte()?;
        }
        match marker {
            0xd9 => return Ok(Image { size, end: cursor.place() }),
            0x01 | 0xd0..=0xd7 => continue,
            0x00 | 0xd8 => return Err(ImageError::Part(place)),
            _ => {}
        }
        let length = u64::from(u16::from_be_bytes(cursor.array()?));
        let rest = length.checked_sub(2).ok_or(ImageError::Part(place))?;
        match marker {
            // A frame's header; 0xc4, 0xc8 and 0xcc are tables.
            0xc0..=0xcf if !matches!(marker, 0xc4 | 0xc8 | 0xcc) && rest >= 5 => {
                cursor.skip(1)?;
                let (height, width) = (u16::from_be_bytes(cursor.array()?), u16::from_be_bytes(cursor.array()?));
                size = Some((width.into(), height.into()));
                cursor.skip(rest - 5)?;
            }
            _ => cursor.skip(rest)?,
        }
        if marker == 0xda {
            skip_scan(&mut cursor)?;
        }
    }
    Err(ImageError::Bound)
}

/// Goes to the marker that ends a scan: a 0xff that neither stands for itself nor only restarts the scan.
fn skip_scan(cursor: &mut Cursor<'_>) -> Result<(), ImageError> {
    loop {
        if cursor.byte()? != 0xff {
            continue;
        }
        let place = cursor.place();
        match cursor.byte()? {
            0x00 | 0xd0..=0xd7 => {}
            // Filling, of which the last one begins a marker.
            0xff => cursor.go_to(place),
            _ => {
                cursor.go_to(place - 1);
                return Ok(());
            }
        }
    }
}

fn gif(source: &dyn ReadAt) -> Result<Image, ImageError> {
    let mut cursor = Cursor::new(source, 6);
    let (width, height) = (u16::from_le_bytes(cursor.array()?), u16::from_le_bytes(cursor.array()?));
    let size = Some((width.into(), height.into()));
    let flags = cursor.byte()?;
    cursor.skip(2)?;
    skip_colors(&mut cursor, flags)?;
    let mut parts = 0;
    loop {
        let place = cursor.place();
        match cursor.byte()? {
            0x3b => return Ok(Image { size, end: cursor.place() }),
            0x21 => cursor.skip(1)?,
            0x2c => {
                cursor.skip(8)?;
                let flags = cursor.byte()?;
                skip_colors(&mut cursor, flags)?;
                cursor.skip(1)?;
            }
            _ => return Err(ImageError::Part(place)),
        }
        loop {
            parts += 1;
            if parts > MAX_PARTS {
                return Err(ImageError::Bound);
            }
            match cursor.byte()? {
                0 => break,
                length => cursor.skip(length.into())?,
            }
        }
    }
}

fn skip_colors(cursor: &mut Cursor<'_>, flags: u8) -> io::Result<()> {
    if flags & 0x80 == 0 { Ok(()) } else { cursor.skip(3 << ((flags & 7) + 1)) }
}

fn webp(source: &dyn ReadAt) -> Result<Image, ImageError> {
    let mut cursor = Cursor::new(source, 4);
    let end = 8 + u64::from(u32::from_le_bytes(cursor.array()?));
    cursor.skip(4)?;
    for _ in 0..MAX_PARTS {
        let place = cursor.place();
        if place >= end {
            return if place == end { Ok(Image { size: None, end }) } else { Err(ImageError::Part(place)) };
        }
        let kind: [u8; 4] = cursor.array()?;
        if !kind.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b' ') {
            return Err(ImageError::Part(place));
        }
        let length = u64::from(u32::from_le_bytes(cursor.array()?));
        cursor.skip(length.next_multiple_of(2))?;
    }
    Err(ImageError::Bound)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
        [&u32::try_from(content.len()).unwrap().to_be_bytes()[..], kind, content, b"sum."].concat()
    }

    type File = (Format, Vec<u8>, Option<(u32, u32)>);

    fn files() -> Vec<File> {
        let header = chunk(b"IHDR", b"\0\0\0\x03\0\0\0\x02\x08\0\0\0\0");
        let png = [b"\x89PNG\r\n\x1a\n".as_slice(), &header, &chunk(b"IDAT", b"pixels"), &chunk(b"IEND", b"")].concat();
        let jpeg = [
            b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x07\x08\0\x02\0\x03\xff\xff\xda\0\x02".as_slice(),
            b"data\xff\0more\xff\xd3more\xff\xff\xd9",
        ]
        .concat();
        let gif = b"GIF89a\x03\0\x02\0\x80\0\0......\x21\xf9\x02ab\0\x2c\0\0\0\0\x03\0\x02\0\0\x02\x01a\0\x3b".to_vec();
        let webp = b"RIFF\x10\0\0\0WEBPVP8L\x03\0\0\0abc\0".to_vec();
        let size = Some((3, 2));
        vec![(Format::Png, png, size), (Format::Jpeg, jpeg, size), (Format::Gif, gif, size), (Format::Webp, webp, None)]
    }

    #[test]
    fn images_are_walked_to_their_end() {
        for (format, bytes, size) in files() {
            let end = bytes.len() as u64;
            assert_eq!(Image::walk(&bytes, format).unwrap(), Image { size, end }, "{format:?}");
            let tail = [&bytes[..], b"tail"].concat();
            assert_eq!(Image::walk(&tail, format).unwrap().end, end, "{format:?}");
            for length in 0..bytes.len() {
                assert!(Image::walk(&bytes[..length].to_vec(), format).is_err(), "{format:?} {length}");
            }
        }
    }

    #[test]
    fn no_byte_makes_it_panic() {
        for (format, bytes, _) in files() {
            for place in 0..bytes.len() {
                for byte in [0, 0x7f, 0x80, 0xff] {
                    let mut bytes = bytes.clone();
                    bytes[place] = byte;
                    let _ = Image::walk(&bytes, format);
                }
            }
        }
    }

    #[test]
    fn parts_are_bounded() {
        let mut gif = b"GIF89a\x03\0\x02\0\0\0\0".to_vec();
        gif.extend(b"\x21\xf9\0".repeat(MAX_PARTS + 1));
        assert!(matches!(Image::walk(&gif, Format::Gif), Err(ImageError::Bound)));
    }
}
