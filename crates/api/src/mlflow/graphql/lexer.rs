use super::ParseError;

/// A piece of a query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// One of `! $ ( ) : = @ [ ] { } | &`.
    Mark(char),
    /// `...`.
    Spread,
    Name(String),
    Number(serde_json::Number),
    Text(String),
    End,
}

/// Reads one token after another; nothing is kept of what was read.
#[derive(Debug)]
pub(super) struct Lexer<'a> {
    rest: &'a str,
    length: usize,
}

impl<'a> Lexer<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { rest: text, length: text.len() }
    }

    /// Where it is, in bytes.
    pub(super) const fn at(&self) -> usize {
        self.length - self.rest.len()
    }

    fn error(&self, what: &str) -> ParseError {
        ParseError::Syntax(format!("Syntax Error: {what} at character {}", self.at()))
    }

    pub(super) fn next(&mut self) -> Result<Token, ParseError> {
        self.skip();
        let Some(first) = self.rest.chars().next() else { return Ok(Token::End) };
        match first {
            '!' | '$' | '(' | ')' | ':' | '=' | '@' | '[' | ']' | '{' | '}' | '|' | '&' => {
                self.step(first.len_utf8());
                Ok(Token::Mark(first))
            }
            '.' if self.rest.starts_with("...") => {
                self.step(3);
                Ok(Token::Spread)
            }
            '"' => self.text(),
            '-' | '0'..='9' => self.number(),
            'a'..='z' | 'A'..='Z' | '_' => {
                let inner = |character: char| character.is_ascii_alphanumeric() || character == '_';
                Ok(Token::Name(self.take(inner).to_owned()))
            }
            _ => Err(self.error("unexpected character")),
        }
    }

    fn step(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    fn take(&mut self, inner: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !inner(character)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    /// Blanks, commas and comments mean nothing.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r', ',', '\u{feff}']);
            if !self.rest.starts_with('#') {
                return;
            }
            self.take(|character| character != '\n' && character != '\r');
        }
    }

    fn number(&mut self) -> Result<Token, ParseError> {
        let text = self.take(|character| character.is_ascii_alphanumeric() || "+-._".contains(character));
        // The two grammars are the same.
        let number = serde_json::from_str(text).map_err(|_| self.error("that is no number"))?;
        Ok(Token::Number(number))
    }

    fn text(&mut self) -> Result<Token, ParseError> {
        if self.rest.starts_with("\"\"\"") {
            return Err(self.error("block strings are not supported"));
        }
        let mut escaped = false;
        let end = self.rest.char_indices().skip(1).find(|(_, character)| match character {
            _ if escaped => {
                escaped = false;
                false
            }
            '\\' => {
                escaped = true;
                false
            }
            '"' | '\n' | '\r' => true,
            _ => false,
        });
        let whole = match end {
            Some((at, '"')) => self.rest.get(..=at).unwrap_or_default(),
            _ => return Err(self.error("a string does not end")),
        };
        // Both have the escapes of JSON.
        let text = serde_json::from_str(whole).map_err(|_| self.error("that is no string"))?;
        self.step(whole.len());
        Ok(Token::Text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Token>, ParseError> {
        let mut lexer = Lexer::new(text);
        let mut tokens = Vec::new();
        loop {
            match lexer.next()? {
                Token::End => return Ok(tokens),
                token => tokens.push(token),
            }
        }
    }

    #[test]
    fn tokens_are_told_apart() {
        let name = |text: &str| Token::Name(text.to_owned());
        let text = |text: &str| Token::Text(text.to_owned());
        assert_eq!(
            all("{a_1:\"x\\\"\\u00e9\" # no\n -1.5e3,...}").unwrap(),
            [
                Token::Mark('{'),
                name("a_1"),
                Token::Mark(':'),
                text("x\"é"),
                Token::Number(serde_json::Number::from_f64(-1500.0).unwrap()),
                Token::Spread,
                Token::Mark('}')
            ]
        );
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for text in [
            "\"",
            "\"\n\"",
            "\"\\\"",
            "\"\\x\"",
            "..",
            "01",
            "1.",
            "-",
            "1e999x",
            "é",
            "\u{0}",
            "\"\"\"a\"\"\"",
            "\"\\ud800\"",
        ] {
            assert!(all(text).is_err(), "{text:?}");
        }
    }
}
