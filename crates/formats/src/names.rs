//! The names that a source in Python's syntax uses, without running or understanding it. TorchScript is written in the
//! same syntax.
//!
//! It is a lexer only: what it lists is more than what runs, never less. What a lexer can't be sure of makes the source
//! not plain ([`Names::odd`]).

/// The names in a source.
#[derive(Debug, Default)]
pub struct Names {
    /// Modules, and names of modules, that are imported: `os.path`, `os.system`, `.local`, `os.*`.
    pub imports: Vec<Name>,
    /// Everything else: `torch.nn.Linear`, `self.conv`. Keywords are among them.
    pub used: Vec<Name>,
    /// Why another reader could see other names; none for plain ASCII outside of comments and strings.
    pub odd: Option<&'static str>,
}

/// A name with dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The name, without blanks.
    pub text: String,
    /// Where it begins.
    pub offset: u64,
    /// Whether it is an attribute of something that is no name: `f(x).text`.
    pub is_attribute: bool,
    /// Whether it is called.
    pub is_called: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Token<'s> {
    Word(&'s str, usize),
    Dot,
    Line,
    Other(u8),
}

/// Lists the names in `source`.
#[must_use]
pub fn names(source: &[u8]) -> Names {
    let mut names = Names::default();
    if has_coding(source) {
        names.odd = Some("it says in which encoding it is");
    }
    let mut tokens = Vec::new();
    lex(source, 0, source.len(), &mut tokens, &mut names.odd);
    parse(&tokens, &mut names);
    names
}

/// Whether one of the first two lines says in which encoding the source is, other than UTF-8.
fn has_coding(source: &[u8]) -> bool {
    source.split(|byte| matches!(byte, b'\n' | b'\r')).take(2).any(|line| {
        let line = line.to_ascii_lowercase();
        let text = String::from_utf8_lossy(&line);
        let coding = text.split_once("coding").filter(|(before, _)| before.contains('#'));
        coding.is_some_and(|(_, rest)| {
            let name = rest.trim_start_matches([':', '=', ' ', '\t']);
            !name.starts_with("utf-8") && !name.starts_with("utf8") && !name.starts_with("ascii")
        })
    })
}

fn lex<'s>(source: &'s [u8], start: usize, end: usize, tokens: &mut Vec<Token<'s>>, odd: &mut Option<&'static str>) {
    let mut place = start;
    let at = |place: usize| source.get(place).copied().filter(|_| place < end);
    while let Some(byte) = at(place) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let length = word(source.get(place..end).unwrap_or_default());
                let text = source.get(place..place + length).and_then(|text| std::str::from_utf8(text).ok());
                let text = text.unwrap_or_default();
                let is_prefix = text.len() <= 2 && text.bytes().all(|byte| b"rRbBuUfFtT".contains(&byte));
                place += length;
                if is_prefix && matches!(at(place), Some(b'\'' | b'"')) {
                    let is_code = text.bytes().any(|byte| b"fFtT".contains(&byte));
                    place = string(source, place, end, is_code.then_some(tokens), odd);
                } else {
                    tokens.push(Token::Word(text, place - length));
                }
            }
            b'0'..=b'9' => {
                // A number may have letters, and one point; behind a second one is an attribute.
                let digits = |place: usize| word(source.get(place..end).unwrap_or_default());
                place += digits(place);
                if at(place) == Some(b'.') {
                    place += 1;
                    place += if at(place).is_some_and(|byte| byte.is_ascii_digit()) { digits(place) } else { 0 };
                }
                tokens.push(Token::Other(b'0'));
            }
            b'\'' | b'"' => {
                place = string(source, place, end, None, odd);
                tokens.push(Token::Other(b'"'));
            }
            b'#' => {
                while at(place).is_some_and(|byte| !matches!(byte, b'\n' | b'\r')) {
                    place += 1;
                }
            }
            b'\\' if matches!(at(place + 1), Some(b'\n' | b'\r')) => {
                let is_two = at(place + 1) == Some(b'\r') && at(place + 2) == Some(b'\n');
                place += if is_two { 3 } else { 2 };
            }
            b'\n' | b'\r' | b';' => {
                tokens.push(Token::Line);
                place += 1;
            }
            b'.' => {
                tokens.push(Token::Dot);
                place += 1;
            }
            b' ' | b'\t' | 0x0c => place += 1,
            other => {
                if !other.is_ascii_graphic() {
                    odd.get_or_insert("it has other letters than ASCII outside of strings");
                }
                tokens.push(Token::Other(other));
                place += 1;
            }
        }
    }
}

fn word(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count()
}

/// Goes over a string; what stands in the braces of a formatted one is code as well.
fn string<'s>(
    source: &'s [u8],
    start: usize,
    end: usize,
    code: Option<&mut Vec<Token<'s>>>,
    odd: &mut Option<&'static str>,
) -> usize {
    let quote = source.get(start).copied().unwrap_or_default();
    let is_long = source.get(start..start + 3).is_some_and(|three| three.iter().all(|byte| *byte == quote));
    let width = if is_long { 3 } else { 1 };
    let mut place = start + width;
    loop {
        match source.get(place).filter(|_| place < end) {
            None => {
                odd.get_or_insert("a string has no end");
                break;
            }
            Some(b'\\') => place += 2,
            Some(b'\n') if !is_long => break,
            Some(byte) if *byte == quote => {
                let closes = (0..width).all(|next| source.get(place + next) == Some(&quote));
                if closes {
                    break;
                }
                place += 1;
            }
            Some(_) => place += 1,
        }
    }
    let place = place.min(end);
    if let Some(tokens) = code {
        // Text outside of the braces only adds names. Quotes in them may end the string or not, by version.
        tokens.push(Token::Other(b'('));
        let inner = source.get(start + width..place).unwrap_or_default();
        if inner.contains(&b'{') {
            for (offset, part) in split_words(inner) {
                tokens.push(part.map_or(Token::Dot, |text| Token::Word(text, start + width + offset)));
            }
        }
        tokens.push(Token::Other(b')'));
    }
    (place + width).min(end)
}

/// Words, and the dots between them, of the code in a formatted string.
fn split_words(inner: &[u8]) -> Vec<(usize, Option<&str>)> {
    let mut found = Vec::new();
    let mut place = 0;
    while let Some(byte) = inner.get(place) {
        if byte.is_ascii_alphabetic() || *byte == b'_' {
            let length = word(inner.get(place..).unwrap_or_default());
            found.push((place, inner.get(place..place + length).and_then(|text| std::str::from_utf8(text).ok())));
            place += length;
        } else {
            if *byte == b'.' {
                found.push((place, None));
            }
            place += 1;
        }
    }
    found
}

fn parse(tokens: &[Token<'_>], names: &mut Names) {
    let mut place = 0;
    let mut is_start = true;
    while let Some(token) = tokens.get(place) {
        match token {
            Token::Word("import", _) if is_start => {
                place = import(tokens, place + 1, "", names);
            }
            Token::Word("from", offset) if is_start => {
                let mut module = String::new();
                place += 1;
                while let Some(token) = tokens.get(place) {
                    match token {
                        Token::Word("import", _) => break,
                        Token::Word(word, _) => module.push_str(word),
                        Token::Dot => module.push('.'),
                        _ => break,
                    }
                    place += 1;
                }
                names.imports.push(Name {
                    text: module.clone(),
                    offset: *offset as u64,
                    is_attribute: false,
                    is_called: false,
                });
                place = import(tokens, place + 1, &module, names);
            }
            Token::Word(word, offset) => {
                let mut text = (*word).to_owned();
                let is_attribute = place > 0 && tokens.get(place - 1) == Some(&Token::Dot);
                place += 1;
                while let (Some(Token::Dot), Some(Token::Word(next, _))) = (tokens.get(place), tokens.get(place + 1)) {
                    text.push('.');
                    text.push_str(next);
                    place += 2;
                }
                let is_called = tokens.get(place) == Some(&Token::Other(b'('));
                names.used.push(Name { text, offset: *offset as u64, is_attribute, is_called });
                is_start = false;
                continue;
            }
            Token::Line | Token::Other(b':') => {
                is_start = true;
                place += 1;
                continue;
            }
            _ => place += 1,
        }
        is_start = false;
    }
}

/// The names of an import statement; gives the place behind it.
fn import(tokens: &[Token<'_>], start: usize, module: &str, names: &mut Names) -> usize {
    let mut place = start;
    let mut depth = 0_u32;
    let mut text = String::new();
    let mut offset = 0;
    let mut is_alias = false;
    let mut finish = |text: &mut String, offset: u64| {
        if !text.is_empty() {
            let text =
                if module.is_empty() { std::mem::take(text) } else { format!("{module}.{}", std::mem::take(text)) };
            names.imports.push(Name { text, offset, is_attribute: false, is_called: false });
        }
    };
    while let Some(token) = tokens.get(place) {
        match token {
            Token::Line if depth == 0 => break,
            Token::Other(b'(') => depth += 1,
            Token::Other(b')') => depth = depth.saturating_sub(1),
            Token::Other(b',') => {
                finish(&mut text, offset);
                is_alias = false;
            }
            Token::Other(b'*') => text.push('*'),
            Token::Word("as", _) => is_alias = true,
            Token::Word(word, at) if !is_alias => {
                if text.is_empty() {
                    offset = *at as u64;
                }
                text.push_str(word);
            }
            Token::Dot => text.push('.'),
            _ => {}
        }
        place += 1;
    }
    finish(&mut text, offset);
    place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn imports(source: &str) -> Vec<String> {
        names(source.as_bytes()).imports.into_iter().map(|name| name.text).collect()
    }

    fn used(source: &str) -> Vec<String> {
        names(source.as_bytes()).used.into_iter().map(|name| name.text).collect()
    }

    #[test]
    fn imports_of_every_form() {
        assert_eq!(imports("import os.path as p, sys"), ["os.path", "sys"]);
        assert_eq!(imports("from a.b import (c as d,\n  e)\n"), ["a.b", "a.b.c", "a.b.e"]);
        assert_eq!(imports("if x: from . import y; import z"), [".", "..y", "z"]);
        assert_eq!(imports("from os import *"), ["os", "os.*"]);
        assert_eq!(imports("x = 1\\\n\nimport o\\\ns"), ["os"]);
        assert_eq!(imports("raise A from import_error"), Vec::<String>::new());
    }

    #[test]
    fn names_with_their_dots() {
        assert_eq!(used("x = torch . nn.\\\n Linear(3)"), ["x", "torch.nn.Linear"]);
        assert_eq!(used("# os.system\n'os.system'\n\"\"\"eval(\n\"\"\""), Vec::<String>::new());
        assert_eq!(used("1.5 + 0x1f + 1e5"), Vec::<String>::new());
        assert_eq!(used("1..__class__"), ["__class__"]);
        let found = names(b"(self.conv).forward(x)").used;
        assert_eq!((found[0].text.as_str(), found[0].is_called), ("self.conv", false));
        assert!(found[1].is_attribute && found[1].is_called && found[1].text == "forward");
        assert!(used("f'{os.system(1)} text'").contains(&"os.system".to_owned()));
        assert!(used("rf\"\"\"{\neval}\"\"\"").contains(&"eval".to_owned()));
    }

    #[test]
    fn what_others_could_read_otherwise_is_odd() {
        assert_eq!(names("# coding: utf-8\nx = 'é' # é".as_bytes()).odd, None);
        for source in ["# vim: fileencoding=utf-7\nx", "\u{1d49}val(1)", "x = 'abc", "a\0b"] {
            assert!(names(source.as_bytes()).odd.is_some(), "{source:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(source in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = names(&source);
        }

        #[test]
        fn no_text_makes_it_panic(source in "[a-z'\"{}\\\\.\n#(f ;]{0,200}") {
            let _ = names(source.as_bytes());
        }
    }
}
