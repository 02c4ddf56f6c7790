//! `Range`, as far as a file needs it: one range of bytes. What is not understood is passed over, and all is given, as
//! RFC 9110 says.

use http::header::{IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue};
use sealyard_app::Wanted;

/// What the request wants of the file. With an `If-Range` all is given: the whole file is right whatever the client has.
pub(crate) fn wanted(headers: &HeaderMap) -> Wanted {
    let mut all = headers.get_all(RANGE).iter();
    match (all.next(), all.next()) {
        (Some(range), None) if !headers.contains_key(IF_RANGE) => parse(range).unwrap_or_default(),
        _ => Wanted::All,
    }
}

fn parse(range: &HeaderValue) -> Option<Wanted> {
    let (unit, range) = range.to_str().ok()?.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || range.contains(',') {
        return None;
    }
    let (first, last) = range.trim().split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // A number that is too large for any file is the end of all files.
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    match (first, last) {
        ("", last) => Some(Wanted::Last(number(last)?)),
        (first, "") => Some(Wanted::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Wanted::From(first, Some(last)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(headers: &[(http::HeaderName, &str)]) -> Wanted {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_str(value).unwrap());
        }
        wanted(&map)
    }

    #[test]
    fn one_range_is_read_and_everything_else_means_all() {
        for (text, found) in [
            ("bytes=0-0", Wanted::From(0, Some(0))),
            ("bytes=5-", Wanted::From(5, None)),
            ("Bytes= 5-9", Wanted::From(5, Some(9))),
            ("bytes=-3", Wanted::Last(3)),
            ("bytes=-0", Wanted::Last(0)),
            ("bytes=99999999999999999999999-", Wanted::From(u64::MAX, None)),
        ] {
            assert_eq!(ask(&[(RANGE, text)]), found, "{text}");
        }
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=0-1,3-4",
            "lines=0-1",
            "bytes=+1-2",
            "bytes=1--2",
            "bytes=0x1-2",
        ] {
            assert_eq!(ask(&[(RANGE, text)]), Wanted::All, "{text}");
        }
        assert_eq!(ask(&[]), Wanted::All);
        assert_eq!(ask(&[(RANGE, "bytes=0-0"), (RANGE, "bytes=1-1")]), Wanted::All);
        assert_eq!(ask(&[(RANGE, "bytes=0-0"), (IF_RANGE, "\"x\"")]), Wanted::All);
    }
}
