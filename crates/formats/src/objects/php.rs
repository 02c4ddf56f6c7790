use super::Objects;
use super::bytes::Bytes;

/// Longest number.
const MAX_NUMBER: usize = 400;

/// Whether bytes begin as PHP's `serialize` writes an object, or a list of something.
#[must_use]
pub fn is_php(head: &[u8]) -> bool {
    let mut bytes = Bytes::new(head, 0);
    let kind = bytes.byte();
    if bytes.byte() != Some(b':') {
        return false;
    }
    let Some(count) = number(&mut bytes, b':') else { return false };
    match kind {
        Some(b'a') => {
            let start = bytes.take(3);
            count > 0 && matches!(start, Some([b'{', b'i' | b's', b':']))
        }
        Some(b'O' | b'C') => quoted(&mut bytes, count).is_some_and(is_class) && bytes.byte() == Some(b':'),
        _ => false,
    }
}

fn is_class(name: &[u8]) -> bool {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"_\\".contains(byte) || *byte >= 0x80;
    !name.is_empty() && name.iter().all(is_letter)
}

/// Classes of the objects in what PHP's `serialize` wrote: `O` by their properties, `C` by their own text, `E` cases.
#[must_use]
pub fn php(bytes: &[u8], most: u64) -> Objects {
    let mut objects = Objects::default();
    let mut bytes = Bytes::new(bytes, 0);
    while !bytes.is_at_end() {
        let place = bytes.place();
        objects.values += 1;
        let known = if objects.values > most { None } else { value(&mut bytes, &mut objects) };
        if known.is_none() {
            objects.fault = Some((place as u64, "there is no such value"));
            break;
        }
    }
    objects
}

/// One value, or the beginning of one that holds others: braces are left to the loop.
fn value(bytes: &mut Bytes<'_>, objects: &mut Objects) -> Option<()> {
    let place = bytes.place();
    match bytes.byte()? {
        b'}' | b';' | b'\n' | b'\r' => {}
        b'N' => {}
        kind => {
            if bytes.byte()? != b':' {
                return None;
            }
            match kind {
                b'i' | b'b' | b'd' | b'r' | b'R' => {
                    bytes.until(b';', MAX_NUMBER)?;
                }
                b's' => {
                    let length = number(bytes, b':')?;
                    quoted(bytes, length)?;
                }
                b'a' => {
                    number(bytes, b':')?;
                    (bytes.byte()? == b'{').then_some(())?;
                }
                b'O' | b'C' | b'E' => {
                    let length = number(bytes, b':')?;
                    let name = quoted(bytes, length)?;
                    objects.see(place, name.split(|byte| *byte == b':').next().unwrap_or(name));
                    if kind != b'E' {
                        (bytes.byte()? == b':').then_some(())?;
                        let count = number(bytes, b':')?;
                        (bytes.byte()? == b'{').then_some(())?;
                        if kind == b'C' {
                            bytes.take(count)?;
                        }
                    }
                }
                _ => return None,
            }
        }
    }
    Some(())
}

fn number(bytes: &mut Bytes<'_>, end: u8) -> Option<usize> {
    std::str::from_utf8(bytes.until(end, 20)?).ok()?.parse().ok()
}

fn quoted<'b>(bytes: &mut Bytes<'b>, length: usize) -> Option<&'b [u8]> {
    (bytes.byte()? == b'"').then_some(())?;
    let text = bytes.take(length)?;
    (bytes.byte()? == b'"').then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_found_and_texts_are_none() {
        let found = |text: &[u8]| {
            assert!(is_php(text), "{text:?}");
            let objects = php(text, 100);
            assert_eq!(objects.fault, None, "{text:?}");
            objects.classes.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
        };
        assert_eq!(found(b"O:8:\"Evil\\Run\":1:{s:7:\"command\";s:2:\"id\";}\n"), ["Evil\\Run"]);
        assert_eq!(found(b"a:2:{i:0;O:1:\"A\":1:{s:4:\"\0A\0x\";b:1;}i:1;C:1:\"B\":3:{}};}"), ["A", "B"]);
        assert!(found(b"a:2:{s:1:\"w\";a:1:{i:0;d:0.5;}i:1;s:13:\"O:1:\"A\":0:{};\";}").is_empty());
        for text in [&b"a:1: b"[..], b"O: x", b"a:0:{}", b"O:3:\"A\":1:{", b"name: x", b"O:99:\"A\":1:{"] {
            assert!(!is_php(text), "{text:?}");
        }
        assert!(php(b"a:1:{x:1;}", 100).fault.is_some());
    }
}
