//! Patterns of `RLIKE` in PostgreSQL's words, so that both databases find the same.

use sealyard_store::StoreError;

/// Writes a pattern that [`crate::sqlite::rlike::check`] took as an advanced regular expression of PostgreSQL's. What has no
/// counterpart there, such as flags, names of groups and classes of Unicode, is refused rather than understood otherwise.
pub(crate) fn translate(pattern: &str) -> Result<String, StoreError> {
    let mut text = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                Some('b') if !in_class => text.push_str(r"\y"),
                Some('B') if !in_class => text.push_str(r"\Y"),
                Some('z') if !in_class => text.push_str(r"\Z"),
                Some(other)
                    if "AdDsSwWntrfv".contains(other) || other.is_ascii_punctuation() && !"<>".contains(other) =>
                {
                    text.extend(['\\', other]);
                }
                _ => return Err(refused(pattern)),
            },
            // Here a dot is no line feed, there it is.
            '.' if !in_class => text.push_str(r"[^\n]"),
            '(' if !in_class => {
                text.push('(');
                if rest.next_if_eq(&'?').is_some() {
                    rest.next_if_eq(&':').ok_or_else(|| refused(pattern))?;
                    text.push_str("?:");
                }
            }
            '[' if in_class => return Err(refused(pattern)),
            '[' => {
                in_class = true;
                text.push('[');
                if rest.next_if_eq(&'^').is_some() {
                    text.push('^');
                }
                if rest.next_if_eq(&']').is_some() {
                    text.push(']');
                }
            }
            ']' if in_class => {
                in_class = false;
                text.push(']');
            }
            '&' | '~' | '-' if in_class && rest.peek() == Some(&character) => return Err(refused(pattern)),
            other => text.push(other),
        }
    }
    Ok(text)
}

fn refused(pattern: &str) -> StoreError {
    let shown: String = pattern.chars().take(80).collect();
    StoreError::Invalid(format!("{shown:?} is no regular expression that this server's database searches for"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_something_else_there_is_written_otherwise() {
        for (given, expected) in [
            (r"\bword\b", r"\yword\y"),
            (r"a.c", r"a[^\n]c"),
            (r"[.b]\.", r"[.b]\."),
            (r"(?:a|b)+?$", r"(?:a|b)+?$"),
            (r"[^]x]", r"[^]x]"),
            (r"\d{3}\s", r"\d{3}\s"),
            (r"end\z", r"end\Z"),
        ] {
            assert_eq!(translate(given).unwrap(), expected);
        }
    }

    #[test]
    fn what_has_no_counterpart_is_refused() {
        for pattern in [r"(?i)a", r"(?P<n>a)", r"(?<n>a)", r"\pL", r"\x41", r"[a&&b]", r"[[:alpha:]]", r"\<a", "a\\"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
