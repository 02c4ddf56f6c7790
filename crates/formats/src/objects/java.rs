use super::Objects;

/// Marks of the description of a class and of the description of a proxy.
const CLASS: u8 = 0x72;
const PROXY: u8 = 0x7d;
/// Most interfaces of a proxy.
const MAX_INTERFACES: u32 = 65_535;

/// Classes that a stream of Java's objects describes, by the look of their descriptions.
///
/// What classes write themselves only they can read, so the stream can't be walked without them; a description has a name
/// with the letters of one, which other bytes hardly have.
/// <https://docs.oracle.com/en/java/javase/21/docs/specs/serialization/protocol.html>
#[must_use]
pub fn java(bytes: &[u8], most: u64) -> Objects {
    let mut objects = Objects::default();
    for (place, mark) in bytes.iter().enumerate() {
        let rest = bytes.get(place + 1..).unwrap_or_default();
        let mut see = |name: &[u8]| {
            objects.values += 1;
            objects.see(place, name);
        };
        match *mark {
            CLASS => {
                if let Some((name, _)) = name(rest) {
                    see(name);
                }
            }
            PROXY => {
                let Some((count, mut rest)) = rest.split_first_chunk::<4>() else { continue };
                for _ in 0..u32::from_be_bytes(*count).min(MAX_INTERFACES) {
                    let Some((name, behind)) = name(rest) else { break };
                    see(name);
                    rest = behind;
                }
            }
            _ => {}
        }
        if objects.values >= most {
            objects.fault = Some((place as u64, "there are too many classes"));
            break;
        }
    }
    objects
}

/// A name with its length before it, and what follows.
fn name(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (name, behind) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || b"._$/-[;".contains(byte) || *byte >= 0x80;
    let is_start = |byte: &u8| byte.is_ascii_alphabetic() || b"[_$".contains(byte);
    (name.len() > 1 && name.first().is_some_and(is_start) && name.iter().all(is_letter)).then_some((name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_and_interfaces_are_found() {
        let stream = b"\xac\xed\0\x05sr\0\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\0\x01F\0\nloadFactorxp\x3f\x40\0\0w\x08\0\0\0\x10\0\0\0\x01\
            s}\0\0\0\x01\0\x0djava.util.Mapx";
        let names: Vec<_> = java(stream, 100).classes.into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["java.util.HashMap", "java.util.Map"]);
        assert!(java(b"\xac\xed\0\x05t\0\x05hellor\0\xffx", 100).classes.is_empty());
        assert!(java(&b"r\0\x02ab".repeat(200), 100).fault.is_some());
    }
}
