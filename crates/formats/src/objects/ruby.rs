use super::bytes::Bytes;
use super::{MAX_NAMES, Objects};

/// Whether bytes begin as Ruby's `Marshal.dump` of version 4.8 writes them.
#[must_use]
pub fn is_ruby(head: &[u8]) -> bool {
    match head {
        [4, 8, b'0' | b'T' | b'F'] => true,
        [4, 8, kind, _, ..] => b"[{}oIiSuUCedcmM:\"/fl".contains(kind),
        _ => false,
    }
}

/// What is still to come.
enum Next {
    Values(u64),
    /// Names with values, whose count comes first.
    Pairs,
}

/// Classes of the objects in what `Marshal.dump` wrote.
/// <https://docs.ruby-lang.org/en/3.4/marshal_rdoc.html>
#[must_use]
pub fn ruby(bytes: &[u8], most: u64) -> Objects {
    let mut walk =
        Walk { bytes: Bytes::new(bytes, 2), symbols: Vec::new(), objects: Objects::default(), next: Vec::new() };
    walk.next.push(Next::Values(1));
    while let Some(next) = walk.next.pop() {
        let place = walk.bytes.place();
        walk.objects.values += 1;
        let is_within = walk.objects.values <= most && walk.next.len() < MAX_NAMES;
        let step = match next {
            _ if !is_within => None,
            Next::Values(0) => Some(()),
            Next::Values(left) => {
                walk.next.push(Next::Values(left - 1));
                walk.value()
            }
            Next::Pairs => walk.count().map(|count| walk.next.push(Next::Values(count.saturating_mul(2)))),
        };
        if step.is_none() {
            walk.objects.fault = Some((place as u64, "there is no such value"));
            break;
        }
    }
    walk.objects
}

struct Walk<'b> {
    bytes: Bytes<'b>,
    symbols: Vec<&'b [u8]>,
    objects: Objects,
    next: Vec<Next>,
}

impl<'b> Walk<'b> {
    fn value(&mut self) -> Option<()> {
        let place = self.bytes.place();
        match self.bytes.byte()? {
            b'0' | b'T' | b'F' => {}
            b'i' | b'@' => {
                self.number()?;
            }
            b':' => {
                self.named()?;
            }
            b';' => {
                self.count()?;
            }
            b'"' | b'f' => {
                self.text()?;
            }
            b'/' => {
                self.text()?;
                self.bytes.byte()?;
            }
            b'l' => {
                self.bytes.byte()?;
                let count = self.count()?.checked_mul(2)?;
                self.bytes.take(usize::try_from(count).ok()?)?;
            }
            b'[' => {
                let count = self.count()?;
                self.next.push(Next::Values(count));
            }
            kind @ (b'{' | b'}') => {
                let count = self.count()?.saturating_mul(2);
                self.next.push(Next::Values(count.saturating_add(u64::from(kind == b'}'))));
            }
            b'I' => {
                self.next.push(Next::Pairs);
                self.next.push(Next::Values(1));
            }
            kind @ (b'o' | b'S' | b'u' | b'U' | b'C' | b'e' | b'd') => {
                let name = self.symbol()?;
                self.objects.see(place, name);
                match kind {
                    b'o' | b'S' => self.next.push(Next::Pairs),
                    b'u' => {
                        self.text()?;
                    }
                    _ => self.next.push(Next::Values(1)),
                }
            }
            b'c' | b'm' | b'M' => {
                let name = self.text()?;
                self.objects.see(place, name);
            }
            _ => return None,
        }
        Some(())
    }

    /// A symbol where only one may be.
    fn symbol(&mut self) -> Option<&'b [u8]> {
        match self.bytes.byte()? {
            b':' => self.named(),
            b';' => {
                let index = usize::try_from(self.count()?).ok()?;
                self.symbols.get(index).copied()
            }
            _ => None,
        }
    }

    fn named(&mut self) -> Option<&'b [u8]> {
        let name = self.text()?;
        self.symbols.push(name);
        Some(name)
    }

    fn text(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.count()?).ok()?;
        self.bytes.take(length)
    }

    fn count(&mut self) -> Option<u64> {
        u64::try_from(self.number()?).ok()
    }

    /// Small numbers are one byte, moved by five; others have their length before them.
    fn number(&mut self) -> Option<i64> {
        let first = i64::from(self.bytes.byte()?.cast_signed());
        let mut number = 0_i64;
        match first {
            0 => return Some(0),
            1..=4 => {
                for place in 0..first {
                    number |= i64::from(self.bytes.byte()?) << (8 * place);
                }
            }
            -4..=-1 => {
                for place in 0..-first {
                    number |= i64::from(self.bytes.byte()?) << (8 * place);
                }
                number -= 1 << (8 * -first);
            }
            5.. => number = first - 5,
            _ => number = first + 5,
        }
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(bytes: &[u8]) -> (Vec<String>, bool) {
        assert!(is_ruby(bytes), "{bytes:?}");
        let objects = ruby(bytes, 1000);
        (objects.classes.into_iter().map(|(_, name)| name).collect(), objects.fault.is_none())
    }

    #[test]
    fn classes_are_found_behind_plain_values() {
        // {w: [0.5, 300, -200, "é"], a: A.new(1), b: A.new(nil)}
        let dump = b"\x04\x08{\x08:\x06w[\x09f\x080.5i\x02\x2c\x01i\xfe\x38\xffI\"\x07\xc3\xa9\x06:\x06ET:\x06ao:\x06A\x06:\x07@xi\x06:\x06bo;\x08\x06;\x09" as &[u8];
        let dump = [dump, b"0"].concat();
        assert_eq!(found(&dump), (vec!["A".to_owned()], true));
        assert_eq!(found(b"\x04\x08[\x07i\x06T"), (vec![], true));
        assert_eq!(found(b"\x04\x08c\x0bKernel"), (vec!["Kernel".to_owned()], true));
        assert_eq!(found(b"\x04\x08U:\x06BO"), (vec!["B".to_owned()], false));
        assert!(!found(b"\x04\x08[\x04\xff\xff\xff\x7f").1);
        assert!(!found(&[&b"\x04\x08"[..], &b"[\x06".repeat(5000)].concat()).1);
    }
}
