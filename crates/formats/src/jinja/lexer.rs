use super::TemplateError;

/// A token inside a tag.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Name(String),
    Text(String),
    Integer(i64),
    Float,
    /// A sign of one or two characters.
    Sign(&'static str),
}

/// A tag: whether it is a statement (`{% %}`) or prints (`{{ }}`), its place, and its tokens with theirs.
#[derive(Debug)]
pub(super) struct RawTag {
    pub(super) is_statement: bool,
    pub(super) offset: usize,
    pub(super) tokens: Vec<(usize, Token)>,
}

/// Longer ones first.
const SIGNS: &[&str] = &[
    "**", "//", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "[", "]", "(", ")", "{", "}", ">", "<", "=", ".",
    ":", "|", ",", ";",
];

/// The tags of a template; comments and raw blocks have none.
pub(super) fn tags(text: &str) -> Result<Vec<RawTag>, TemplateError> {
    let mut tags: Vec<RawTag> = Vec::new();
    let mut place = 0;
    while let Some(found) = text.get(place..).and_then(|rest| rest.find('{')) {
        let offset = place + found;
        let rest = text.get(offset..).unwrap_or_default();
        if rest.starts_with("{#") {
            let Some(end) = rest.get(2..).and_then(|rest| rest.find("#}")) else {
                return Err(TemplateError { offset, what: "a comment does not end" });
            };
            place = offset + 2 + end + 2;
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            let (tag, end) = tag(text, offset, rest.starts_with("{%"))?;
            place = end;
            let is_raw = tag.is_statement && matches!(&tag.tokens[..], [(_, Token::Name(name))] if name == "raw");
            if is_raw {
                place = raw_end(text, place).ok_or(TemplateError { offset, what: "a raw block does not end" })?;
            } else {
                tags.push(tag);
            }
        } else {
            place = offset + 1;
        }
    }
    Ok(tags)
}

/// The end of the `endraw` tag at or behind `place`.
fn raw_end(text: &str, mut place: usize) -> Option<usize> {
    loop {
        let found = place + text.get(place..)?.find("{%")?;
        place = found + 2;
        let inside = text.get(place..)?.trim_start_matches(['-', '+']).trim_start();
        if let Some(behind) = inside.strip_prefix("endraw") {
            let behind = behind.trim_start().trim_start_matches(['-', '+']);
            if let Some(rest) = behind.strip_prefix("%}") {
                return Some(text.len() - rest.len());
            }
        }
    }
}

fn tag(text: &str, offset: usize, is_statement: bool) -> Result<(RawTag, usize), TemplateError> {
    let close = if is_statement { "%}" } else { "}}" };
    let mut tokens = Vec::new();
    let mut open = 0_usize;
    let mut place = offset + 2;
    if text.get(place..).is_some_and(|rest| rest.starts_with(['-', '+'])) {
        place += 1;
    }
    loop {
        let rest = text.get(place..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            return Err(TemplateError { offset, what: "a tag does not end" });
        };
        if first.is_whitespace() {
            place += first.len_utf8();
            continue;
        }
        // Within brackets a `}}` closes them.
        if open == 0 {
            let behind = rest.strip_prefix(['-', '+']).filter(|behind| behind.starts_with(close)).unwrap_or(rest);
            if let Some(behind) = behind.strip_prefix(close) {
                return Ok((RawTag { is_statement, offset, tokens }, text.len() - behind.len()));
            }
        }
        let (token, length) = token(rest).map_err(|what| TemplateError { offset: place, what })?;
        match token {
            Token::Sign("(" | "[" | "{") => open += 1,
            Token::Sign(")" | "]" | "}") => {
                open = open.checked_sub(1).ok_or(TemplateError { offset: place, what: "a bracket closes none" })?;
            }
            _ => {}
        }
        tokens.push((place, token));
        place += length;
    }
}

fn token(rest: &str) -> Result<(Token, usize), &'static str> {
    let first = rest.chars().next().unwrap_or_default();
    if first == '\'' || first == '"' {
        return string(rest, first);
    }
    if first.is_ascii_digit() {
        return Ok(number(rest));
    }
    if first.is_alphabetic() || first == '_' {
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_')).unwrap_or(rest.len());
        return Ok((Token::Name(rest.get(..end).unwrap_or_default().to_owned()), end));
    }
    match SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        Some(sign) => Ok((Token::Sign(sign), sign.len())),
        None => Err("there is no token"),
    }
}

fn number(rest: &str) -> (Token, usize) {
    let digits = |rest: &str, radix: u32| {
        rest.find(|letter: char| !(letter.is_digit(radix) || letter == '_')).unwrap_or(rest.len())
    };
    let of = |text: &str, radix| i64::from_str_radix(&text.replace('_', ""), radix).unwrap_or(i64::MAX);
    let lower = rest.get(..2).unwrap_or_default().to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if lower == prefix {
            let behind = rest.get(2..).unwrap_or_default();
            let end = digits(behind, radix);
            return (Token::Integer(of(behind.get(..end).unwrap_or_default(), radix)), end + 2);
        }
    }
    let mut end = digits(rest, 10);
    let whole = of(rest.get(..end).unwrap_or_default(), 10);
    let mut is_float = false;
    // `1.x` is an attribute of a number.
    if let Some(fraction) = rest.get(end..).and_then(|rest| rest.strip_prefix('.'))
        && fraction.starts_with(|letter: char| letter.is_ascii_digit())
    {
        is_float = true;
        end += 1 + digits(fraction, 10);
    }
    if let Some(exponent) = rest.get(end..).and_then(|rest| rest.strip_prefix(['e', 'E'])) {
        let signless = exponent.trim_start_matches(['+', '-']);
        if exponent.len() - signless.len() <= 1 && signless.starts_with(|letter: char| letter.is_ascii_digit()) {
            is_float = true;
            end += 1 + (exponent.len() - signless.len()) + digits(signless, 10);
        }
    }
    (if is_float { Token::Float } else { Token::Integer(whole) }, end)
}

fn string(rest: &str, quote: char) -> Result<(Token, usize), &'static str> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((place, letter)) = letters.next() {
        if letter == quote {
            return Ok((Token::Text(text), place + 1));
        }
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        let Some((place, kind)) = letters.next() else { break };
        let behind = rest.get(place + kind.len_utf8()..).unwrap_or_default();
        let (resolved, count) = escape(kind, behind);
        match resolved {
            Some(letter) => text.push(letter),
            // A line's end that is escaped is none; what is no escape stays as it is.
            None if kind == '\n' => {}
            None => text.extend(['\\', kind]),
        }
        for _ in 0..count {
            letters.next();
        }
    }
    Err("a text does not end")
}

/// The letter that an escape of Python's stands for, and how many letters behind its own belong to it.
fn escape(kind: char, behind: &str) -> (Option<char>, usize) {
    let hex = |count: usize| {
        let code = behind.get(..count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        (
            code.map(|code| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
            if code.is_some() { count } else { 0 },
        )
    };
    match kind {
        'n' => (Some('\n'), 0),
        't' => (Some('\t'), 0),
        'r' => (Some('\r'), 0),
        'a' => (Some('\u{7}'), 0),
        'b' => (Some('\u{8}'), 0),
        'f' => (Some('\u{c}'), 0),
        'v' => (Some('\u{b}'), 0),
        '\\' | '\'' | '"' => (Some(kind), 0),
        'x' => hex(2),
        'u' => hex(4),
        'U' => hex(8),
        'N' => match behind.strip_prefix('{').and_then(|name| name.split_once('}')) {
            // The one letter by name that matters: it begins and ends what templates must not reach.
            Some((name, _)) => {
                let letter = if name.eq_ignore_ascii_case("LOW LINE") { '_' } else { char::REPLACEMENT_CHARACTER };
                (Some(letter), name.chars().count() + 2)
            }
            None => (None, 0),
        },
        '0'..='7' => {
            let more = behind.chars().take(2).take_while(|digit| digit.is_digit(8));
            let (mut code, mut count) = (kind.to_digit(8).unwrap_or_default(), 0);
            for digit in more {
                code = code * 8 + digit.to_digit(8).unwrap_or_default();
                count += 1;
            }
            (char::from_u32(code), count)
        }
        _ => (None, 0),
    }
}
