//! How a file is announced: as bytes to be kept under its name, never as a page to be shown.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Types that no browser runs anything of outside of a viewer's own sandbox, by the end of a name. All else is bytes.
const TYPES: &[(&str, &[&str])] = &[
    (
        "text/plain",
        &["txt", "log", "md", "csv", "tsv", "json", "jsonl", "yaml", "yml", "toml", "ini", "cfg", "conf", "py"],
    ),
    ("application/pdf", &["pdf"]),
    ("image/png", &["png"]),
    ("image/jpeg", &["jpg", "jpeg"]),
    ("image/gif", &["gif"]),
    ("image/webp", &["webp"]),
];
/// Names that are text without saying so.
const TEXTS: &[&str] = &["mlmodel", "mlproject"];

/// The type of a file by its name. What an uploader said does not count, and what a browser would run is never named.
pub(super) fn content_type(name: &str) -> &'static str {
    let name = name.to_ascii_lowercase();
    if TEXTS.contains(&name.as_str()) {
        return "text/plain";
    }
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    TYPES.iter().find(|(_, ends)| ends.contains(&end)).map_or("application/octet-stream", |(kind, _)| kind)
}

/// `attachment` with the name, in the old form too where that can say it.
pub(super) fn disposition(name: &str) -> String {
    let encoded = utf8_percent_encode(name, NON_ALPHANUMERIC);
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte);
    let quotable = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    if !name.is_empty() && name.bytes().all(token) {
        format!("attachment; filename={name}; filename*=UTF-8''{encoded}")
    } else if name.bytes().all(quotable) {
        format!("attachment; filename=\"{name}\"; filename*=UTF-8''{encoded}")
    } else {
        format!("attachment; filename*=UTF-8''{encoded}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_runs_is_named() {
        for name in
            ["a.html", "a.htm", "a.svg", "a.xml", "a.js", "a.xhtml", "a.pkl", "a", "", "a.HTML", "png", "a.txt.html"]
        {
            assert_eq!(content_type(name), "application/octet-stream", "{name}");
        }
        for (name, kind) in
            [("a.txt", "text/plain"), ("MLmodel", "text/plain"), ("b.PNG", "image/png"), ("d.pdf", "application/pdf")]
        {
            assert_eq!(content_type(name), kind, "{name}");
        }
    }

    #[test]
    fn a_name_can_not_leave_its_place() {
        assert_eq!(disposition("dog+1.png"), "attachment; filename=dog+1.png; filename*=UTF-8''dog%2B1%2Epng");
        assert_eq!(disposition("a b"), "attachment; filename=\"a b\"; filename*=UTF-8''a%20b");
        for name in ["a\"; x=\"y", "a\r\nx: y", "é", "a\\"] {
            let found = disposition(name);
            assert!(
                found.starts_with("attachment; filename*=UTF-8''") && found.is_ascii() && !found.contains('\n'),
                "{found}"
            );
        }
    }
}
