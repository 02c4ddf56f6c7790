//! What a JSON text would become in memory, told before it is read: seven bytes can make an object of several hundred.

/// How much a JSON text may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonBounds {
    /// Objects, which are the dearest; a few hundred bytes each.
    pub objects: usize,
    /// Everything that stands between two commas, and lists.
    pub values: usize,
}

impl JsonBounds {
    /// What any request may hold: about 200 MB as a tree of values, where usual requests have a few thousand of either.
    pub const REQUEST: Self = Self { objects: 100_000, values: 1_000_000 };

    /// Whether `text` holds no more than this. Looks at each byte once and keeps nothing; a text that is no JSON is bounded by
    /// what a reader could make of its beginning.
    #[must_use]
    pub fn hold(self, text: &[u8]) -> bool {
        self.hold_all([text])
    }

    /// Whether all of `texts` together hold no more than this.
    #[must_use]
    pub fn hold_all<'t>(self, texts: impl IntoIterator<Item = &'t [u8]>) -> bool {
        let (mut objects, mut values) = (0, 0);
        for text in texts {
            count(text, &mut objects, &mut values);
            if objects > self.objects || values > self.values {
                return false;
            }
        }
        true
    }
}

/// Whether the objects and lists of a JSON text lie at most `most` deep in each other.
#[must_use]
pub fn is_shallow(text: &[u8], most: usize) -> bool {
    let opens = |byte: &&u8| matches!(byte, b'{' | b'[');
    // Nearly always enough, and far quicker.
    if text.iter().filter(opens).count() <= most {
        return true;
    }
    let (mut depth, mut deepest) = (0_usize, 0_usize);
    let (mut in_text, mut escaped) = (false, false);
    for byte in text {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest <= most
}

fn count(text: &[u8], objects: &mut usize, values: &mut usize) {
    let mut in_text = false;
    let mut escaped = false;
    for byte in text {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' => *objects += 1,
            b'[' | b',' => *values += 1,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_told_from_number() {
        assert!(is_shallow(br#"[{}, {}, "[[[[", "\"[[["]"#, 2));
        assert!(!is_shallow(br#"{"a": [[]]}"#, 2));
        assert!(is_shallow(br#"{"a": [[]]}"#, 3));
        assert!(!is_shallow(&[b'['; 500], 128));
    }

    #[test]
    fn what_is_in_texts_does_not_count() {
        let bounds = JsonBounds { objects: 2, values: 3 };
        assert!(bounds.hold(br#"{"a": "{{{{[[[[,,,,\"{{{", "b": [{}, 1]}"#));
        assert!(!bounds.hold(br#"{"a": [{}, {}]}"#));
        assert!(!bounds.hold(br#"[1, 2, 3, 4]"#));
        assert!(bounds.hold(br#""\\""#) && bounds.hold(b""));
        assert!(!bounds.hold(br#"["\\", {}, {}, {}]"#), "an escaped backslash escapes nothing more");
    }
}
