//! What of BER a guard in front of the LDAP library needs: where a message ends, and whether it is built sanely. The library
//! parses by recursion without a bound and waits for whatever length a message claims.

/// The longest message; entries are asked for a handful of attributes only.
pub(crate) const LONGEST_MESSAGE: usize = 1024 * 1024;
/// A search result's values lie seven deep; controls and referrals less.
const DEEPEST: usize = 16;
/// `LDAPMessage ::= SEQUENCE`.
pub(crate) const MESSAGE: u8 = 0x30;

/// Something that is no message of LDAP, or a hostile one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory sent a malformed message: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// One value: its tag and its contents, and what comes after it.
pub(crate) fn split(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), Malformed> {
    let (&tag, rest) = bytes.split_first().ok_or(Malformed("it ends early"))?;
    if tag & 0x1f == 0x1f {
        return Err(Malformed("a tag of several bytes"));
    }
    let (&first, rest) = rest.split_first().ok_or(Malformed("it ends early"))?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(long_form(first)?).ok_or(Malformed("it ends early"))?;
        (length_of(digits), rest)
    };
    let (value, rest) = rest.split_at_checked(length).ok_or(Malformed("a length beyond its end"))?;
    Ok((tag, value, rest))
}

/// How many bytes of length follow. The indefinite form is not LDAP's (RFC 4511, 5.1).
pub(crate) fn long_form(first: u8) -> Result<usize, Malformed> {
    match first & 0x7f {
        digits @ 1..=4 => Ok(usize::from(digits)),
        _ => Err(Malformed("a length that can't be one")),
    }
}

pub(crate) fn length_of(digits: &[u8]) -> usize {
    digits.iter().fold(0, |length, &digit| (length << 8) | usize::from(digit))
}

/// Checks a message's contents: an id, an operation, perhaps more; each value ends inside of what holds it, not too deep.
pub(crate) fn check_message(contents: &[u8]) -> Result<(), Malformed> {
    let (tag, _, rest) = split(contents)?;
    if tag != 0x02 {
        return Err(Malformed("no message id"));
    }
    let (tag, _, _) = split(rest)?;
    if tag & 0xc0 != 0x40 {
        return Err(Malformed("no operation"));
    }
    check_values(contents, 1)
}

fn check_values(mut bytes: &[u8], depth: usize) -> Result<(), Malformed> {
    if depth > DEEPEST {
        return Err(Malformed("nested too deeply"));
    }
    while !bytes.is_empty() {
        let (tag, value, rest) = split(bytes)?;
        if tag & 0x20 != 0 {
            check_values(value, depth + 1)?;
        }
        bytes = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_checked() {
        // A bind response: id 1, success, no DN, no message.
        let good = [0x02, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0];
        assert_eq!(check_message(&good), Ok(()));
        for cut in 0..good.len() {
            assert!(check_message(&good[..cut]).is_err(), "{cut}");
        }
        assert!(check_message(&[0x02, 1, 1, 0x30, 0]).is_err());
        assert!(split(&[0x04, 0x80]).is_err());
        assert!(split(&[0x04, 0x85, 1, 1, 1, 1, 1]).is_err());
        assert!(split(&[0x04, 0x84, 0xff, 0xff, 0xff, 0xff]).is_err());
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels: usize| {
            let mut bytes = vec![];
            for _ in 0..levels {
                let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
                bytes = [&[0x30, 0x84][..], &length, &bytes].concat();
            }
            let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
            [&[0x02, 1, 1, 0x64, 0x84][..], &length, &bytes].concat()
        };
        assert_eq!(check_message(&nested(8)), Ok(()));
        assert_eq!(check_message(&nested(10_000)), Err(Malformed("nested too deeply")));
    }
}
