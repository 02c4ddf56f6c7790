use super::SourceError;
use super::letters::{is_in_name, normal};

/// Brackets inside each other.
const MAX_DEPTH: usize = 150;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Name(String),
    Text(String),
    Number,
    Sign(char),
    /// The end of a logical line, and how far the next one is indented.
    Line(usize),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: u64,
    /// For an opening bracket, the index of the one that closes it.
    pub(super) close: usize,
}

/// The tokens of a source; the first is a line's end, so that each statement stands behind one.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SourceError> {
    let mut lexer = Lexer { tokens: Vec::new(), open: Vec::new(), line: 1 };
    // Python ends lines at any of the three.
    let lines = text.contains('\r').then(|| text.replace("\r\n", "\n").replace('\r', "\n"));
    lexer.run(lines.as_deref().unwrap_or(text), 0)?;
    match lexer.open.pop() {
        Some((_, at)) => Err(SourceError {
            line: lexer.tokens.get(at).map_or(0, |token| token.line),
            what: "a bracket does not end",
        }),
        None => {
            lexer.push(Kind::Line(0));
            Ok(lexer.tokens)
        }
    }
}

struct Lexer {
    tokens: Vec<Token>,
    open: Vec<(char, usize)>,
    line: u64,
}

impl Lexer {
    fn push(&mut self, kind: Kind) {
        self.tokens.push(Token { kind, line: self.line, close: 0 });
    }

    fn error(&self, what: &'static str) -> SourceError {
        SourceError { line: self.line, what }
    }

    fn run(&mut self, text: &str, formats: usize) -> Result<(), SourceError> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let outer = self.open.len();
        if formats == 0 {
            self.push(Kind::Line(indent(text)));
        }
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let behind = rest.get(first.len_utf8()..).unwrap_or_default();
            match first {
                '\n' => {
                    self.line += 1;
                    rest = behind;
                    if self.open.is_empty() && !is_blank(rest) {
                        self.push(Kind::Line(indent(rest)));
                    }
                }
                '#' => rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default(),
                '\\' => {
                    // A line that goes on in the next one.
                    let next = behind.strip_prefix('\r').unwrap_or(behind);
                    match next.strip_prefix('\n') {
                        Some(next) => {
                            self.line += 1;
                            rest = next;
                        }
                        None => rest = behind,
                    }
                }
                '\'' | '"' => rest = self.string(rest, "", formats)?,
                _ if first.is_whitespace() => rest = behind,
                _ if first.is_ascii_digit() => {
                    let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || letter == '.'));
                    rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
                    self.push(Kind::Number);
                }
                _ if is_in_name(first) => {
                    let end = rest.find(|letter: char| !is_in_name(letter)).unwrap_or(rest.len());
                    let (name, behind) = rest.split_at(end);
                    let is_prefix = name.len() <= 2 && name.chars().all(|letter| "rRbBuUfFtT".contains(letter));
                    if is_prefix && behind.starts_with(['\'', '"']) {
                        rest = self.string(behind, name, formats)?;
                    } else {
                        self.push(Kind::Name(normal(name)));
                        rest = behind;
                    }
                }
                '(' | '[' | '{' => {
                    if self.open.len() >= MAX_DEPTH {
                        return Err(self.error("brackets lie too deep in each other"));
                    }
                    self.open.push((first, self.tokens.len()));
                    self.push(Kind::Sign(first));
                    rest = behind;
                }
                ')' | ']' | '}' => {
                    let pair = if self.open.len() > outer { self.open.pop() } else { None };
                    match pair {
                        Some(('(', at)) if first == ')' => self.close(at, first),
                        Some(('[', at)) if first == ']' => self.close(at, first),
                        Some(('{', at)) if first == '}' => self.close(at, first),
                        _ => return Err(self.error("a bracket closes none")),
                    }
                    rest = behind;
                }
                _ => {
                    self.push(Kind::Sign(first));
                    rest = behind;
                }
            }
        }
        if self.open.len() > outer && formats > 0 { Err(self.error("a bracket does not end")) } else { Ok(()) }
    }

    fn close(&mut self, at: usize, sign: char) {
        let here = self.tokens.len();
        if let Some(open) = self.tokens.get_mut(at) {
            open.close = here;
        }
        self.push(Kind::Sign(sign));
    }

    /// A text; gives what stands behind it.
    fn string<'t>(&mut self, text: &'t str, prefix: &str, formats: usize) -> Result<&'t str, SourceError> {
        let quote = text.get(..1).unwrap_or_default();
        let triple = quote.repeat(3);
        let (quotes, is_long) = if text.starts_with(&triple) { (triple.as_str(), true) } else { (quote, false) };
        let is_raw = prefix.contains(['r', 'R']);
        let is_format = prefix.contains(['f', 'F', 't', 'T']);
        let start = text.get(quotes.len()..).unwrap_or_default();
        let mut content = String::new();
        let mut place = 0;
        let first_line = self.line;
        let mut lines = 0;
        loop {
            let here = start.get(place..).unwrap_or_default();
            let Some(letter) = here.chars().next() else { return Err(self.error("a text does not end")) };
            if here.starts_with(quotes) {
                break;
            }
            if letter == '\n' {
                if !is_long {
                    return Err(self.error("a text does not end"));
                }
                lines += 1;
            }
            place += letter.len_utf8();
            if letter != '\\' {
                content.push(letter);
                continue;
            }
            let Some(next) = start.get(place..).and_then(|behind| behind.chars().next()) else {
                return Err(self.error("a text does not end"));
            };
            lines += u64::from(next == '\n');
            place += next.len_utf8();
            if is_raw {
                content.extend(['\\', next]);
                continue;
            }
            let behind = start.get(place..).unwrap_or_default();
            let hex = |count: usize| behind.get(..count).and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let coded = match next {
                'x' => hex(2).map(|code| (code, 2)),
                'u' => hex(4).map(|code| (code, 4)),
                'U' => hex(8).map(|code| (code, 8)),
                '0'..='7' => {
                    let digits: String = std::iter::once(next)
                        .chain(behind.chars().take(2).take_while(|digit| digit.is_digit(8)))
                        .collect();
                    u32::from_str_radix(&digits, 8).ok().map(|code| (code, digits.len() - 1))
                }
                _ => None,
            };
            match (coded, next) {
                (Some((code, count)), _) => {
                    content.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    place += count;
                }
                (None, 'n') => content.push('\n'),
                (None, 't') => content.push('\t'),
                (None, '\n') => {}
                (None, other) => content.push(other),
            }
        }
        if is_format && formats < 3 {
            self.format(&content, formats)?;
        } else {
            self.push(Kind::Text(content));
        }
        self.line = first_line + lines;
        Ok(start.get(place + quotes.len()..).unwrap_or_default())
    }

    /// A text with expressions in braces: these are read as if they stood in brackets of their own.
    fn format(&mut self, content: &str, formats: usize) -> Result<(), SourceError> {
        let (mut literal, mut rest) = (String::new(), content);
        let mut inside = Vec::new();
        while let Some(place) = rest.find('{') {
            literal.push_str(rest.get(..place).unwrap_or_default());
            let behind = rest.get(place + 1..).unwrap_or_default();
            if let Some(behind) = behind.strip_prefix('{') {
                literal.push('{');
                rest = behind;
                continue;
            }
            let mut depth = 1_usize;
            let end = behind.find(|letter| {
                match letter {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            let Some(end) = end else { break };
            inside.push(behind.get(..end).unwrap_or_default());
            rest = behind.get(end + 1..).unwrap_or_default();
        }
        literal.push_str(rest);
        self.push(Kind::Text(literal));
        let line = self.line;
        for expression in inside {
            self.push(Kind::Sign('%'));
            let at = self.tokens.len();
            if self.open.len() >= MAX_DEPTH {
                return Err(self.error("brackets lie too deep in each other"));
            }
            self.open.push(('(', at));
            self.push(Kind::Sign('('));
            // A form behind a colon may be anything; what is no expression there is left out.
            let (tokens, open) = (self.tokens.len(), self.open.len());
            if self.run(expression, formats + 1).is_err() {
                self.tokens.truncate(tokens);
                self.open.truncate(open);
            }
            self.open.pop();
            self.close(at, ')');
        }
        self.line = line;
        Ok(())
    }
}

fn indent(rest: &str) -> usize {
    let mut columns = 0;
    for letter in rest.chars() {
        match letter {
            ' ' => columns += 1,
            '\t' => columns = (columns / 8 + 1) * 8,
            '\u{c}' => columns = 0,
            _ => break,
        }
    }
    columns
}

fn is_blank(rest: &str) -> bool {
    let line = rest.split('\n').next().unwrap_or_default().trim_start();
    line.is_empty() || line.starts_with('#')
}
