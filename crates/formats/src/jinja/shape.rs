//! Texts with other blanks, or without their tags.

/// A text made as wide as `width`, as Python's method of the name does.
pub(super) fn padded(text: &str, method: &str, width: usize, fill: String) -> String {
    let missing = width.saturating_sub(text.chars().count());
    // What fills is one letter; anything else is an error.
    let fill = fill.chars().next().unwrap_or(' ');
    let before = match method {
        "rjust" => missing,
        "center" => missing / 2 + (missing & width & 1),
        _ => 0,
    };
    let times = |count: usize| std::iter::repeat_n(fill, count);
    times(before).chain(text.chars()).chain(times(missing - before)).collect()
}

/// A text with spaces up to the next column of `size` in place of its tabs; what
/// makes it longer than `most` is left out.
pub(super) fn without_tabs(text: &str, size: usize, most: usize) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for letter in text.chars() {
        if out.len() > most {
            break;
        }
        match letter {
            '\t' => {
                let count = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', count));
                column += count;
            }
            '\n' | '\r' => {
                out.push(letter);
                column = 0;
            }
            _ => {
                out.push(letter);
                column += 1;
            }
        }
    }
    out
}

/// A text without the tags and comments of HTML, its blanks one space each.
pub(super) fn without_tags(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('<') {
        out.push_str(before);
        let end = if behind.starts_with("!--") { "-->" } else { ">" };
        match behind.split_once(end) {
            Some((_, after)) => rest = after,
            None => {
                out.push('<');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
