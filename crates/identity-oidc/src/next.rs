/// Bytes of the longest path.
const LONGEST: usize = 1024;

/// `text` if it is a path of this server, and nothing that a browser could take for another one's address.
#[must_use]
pub fn local_path(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    // `//evil.example` and, to a browser, `/\evil.example` are addresses of other servers.
    let elsewhere = rest.starts_with('/') || text.contains('\\');
    // Browsers drop tabs and line ends wherever they stand: `/<tab>/evil.example`.
    let plain = text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
    (!elsewhere && plain).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_redirect() {
        for text in ["/", "/#/experiments/7", "/x?y=https://evil.example/", "/a//b", "/%2f%2fevil.example"] {
            assert_eq!(local_path(text), Some(text));
        }
        let long = format!("/{}", "x".repeat(LONGEST));
        for text in [
            "",
            "x",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\/evil.example",
            "/a\\b",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\nLocation: https://evil.example",
            " //evil.example",
            "\t//evil.example",
            "https://evil.example",
            "https:/evil.example",
            "javascript:alert(1)",
            "/\u{2044}/evil.example",
            "/\0",
            &long,
        ] {
            assert_eq!(local_path(text), None, "{text:?}");
        }
    }
}
