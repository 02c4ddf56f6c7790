//! References to characters in HTML, which a filter resolves.

/// Names of signs that a name in Python, or the way to one, has.
const NAMED: &[(&str, char)] = &[
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("period", '.'),
    ("lbrack", '['),
    ("lsqb", '['),
    ("rbrack", ']'),
    ("rsqb", ']'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
];

/// A text with its references resolved, as Python's `html.unescape` does.
pub(super) fn resolved(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('&') {
        out.push_str(before);
        match reference(behind) {
            Some((letter, after)) => {
                out.push(letter);
                rest = after;
            }
            None => {
                out.push('&');
                rest = behind;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The letter that a reference behind its `&` stands for, and what follows. Numbers need no `;`.
fn reference(text: &str) -> Option<(char, &str)> {
    let (letter, after) = if let Some(number) = text.strip_prefix('#') {
        let hexadecimal = number.strip_prefix(['x', 'X']);
        let (digits, radix) = hexadecimal.map_or((number, 10), |digits| (digits, 16));
        let end = digits.find(|letter: char| !letter.is_digit(radix)).unwrap_or(digits.len());
        let (digits, after) = digits.split_at_checked(end)?;
        (char::from_u32(u32::from_str_radix(digits, radix).ok()?)?, after)
    } else {
        NAMED.iter().find_map(|(name, letter)| {
            let after = text.strip_prefix(name).filter(|after| after.starts_with(';'))?;
            Some((*letter, after))
        })?
    };
    Some((letter, after.strip_prefix(';').unwrap_or(after)))
}
