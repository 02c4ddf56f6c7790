//! A Python literal: what `ast.literal_eval` takes, as far as array headers need it.

const MAX_DEPTH: usize = 32;
const MAX_ITEMS: usize = 10_000;

/// A Python literal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Literal {
    /// `None`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Str(String),
    /// A tuple.
    Tuple(Vec<Literal>),
    /// A list.
    List(Vec<Literal>),
    /// A dict.
    Dict(Vec<(Literal, Literal)>),
}

/// The text is no such literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiteralError {
    /// Something else stands at this byte.
    #[error("no literal at byte {0}")]
    Syntax(usize),
    /// Brackets are too deep.
    #[error("the brackets are more than 32 deep")]
    Depth,
    /// Too many items.
    #[error("there are more than 10,000 items")]
    Items,
}

impl Literal {
    /// Parses all of `text`, white space around it allowed.
    ///
    /// # Errors
    /// [`LiteralError`] on anything else.
    pub fn parse(text: &[u8]) -> Result<Self, LiteralError> {
        let mut parser = Parser { text, place: 0, items: 0 };
        let value = parser.value(0)?;
        parser.space();
        if parser.place < text.len() { Err(parser.syntax()) } else { Ok(value) }
    }
}

struct Parser<'t> {
    text: &'t [u8],
    place: usize,
    items: usize,
}

impl Parser<'_> {
    const fn syntax(&self) -> LiteralError {
        LiteralError::Syntax(self.place)
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.place).copied()
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.place += 1;
        }
    }

    fn eat(&mut self, byte: u8) -> bool {
        self.space();
        let eaten = self.peek() == Some(byte);
        self.place += usize::from(eaten);
        eaten
    }

    fn value(&mut self, depth: usize) -> Result<Literal, LiteralError> {
        if depth >= MAX_DEPTH {
            return Err(LiteralError::Depth);
        }
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(LiteralError::Items);
        }
        self.space();
        match self.peek() {
            Some(b'{') => self.dict(depth),
            Some(b'[') => Ok(Literal::List(self.sequence(depth, b']')?.0)),
            Some(b'(') => {
                let (mut items, comma) = self.sequence(depth, b')')?;
                match items.pop() {
                    Some(only) if items.is_empty() && !comma => Ok(only),
                    last => {
                        items.extend(last);
                        Ok(Literal::Tuple(items))
                    }
                }
            }
            Some(quote @ (b'\'' | b'"')) => self.string(quote),
            Some(b'0'..=b'9' | b'-') => self.int(),
            _ => self.word(),
        }
    }

    /// Items up to `close`, and whether a comma ended the last one.
    fn sequence(&mut self, depth: usize, close: u8) -> Result<(Vec<Literal>, bool), LiteralError> {
        self.place += 1;
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.eat(close) {
                return Ok((items, comma));
            }
            if !items.is_empty() && !comma {
                return Err(self.syntax());
            }
            items.push(self.value(depth + 1)?);
            comma = self.eat(b',');
        }
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, LiteralError> {
        self.place += 1;
        let mut items = Vec::new();
        let mut comma = true;
        loop {
            if self.eat(b'}') {
                return Ok(Literal::Dict(items));
            }
            if !comma {
                return Err(self.syntax());
            }
            let key = self.value(depth + 1)?;
            if !self.eat(b':') {
                return Err(self.syntax());
            }
            items.push((key, self.value(depth + 1)?));
            comma = self.eat(b',');
        }
    }

    /// A string without escapes: no array header needs one.
    fn string(&mut self, quote: u8) -> Result<Literal, LiteralError> {
        let start = self.place + 1;
        let rest = self.text.get(start..).unwrap_or_default();
        let len = rest.iter().position(|byte| *byte == quote).ok_or(self.syntax())?;
        let bytes = rest.get(..len).unwrap_or_default();
        if bytes.iter().any(|byte| matches!(byte, b'\\' | b'\n')) {
            return Err(self.syntax());
        }
        let text = std::str::from_utf8(bytes).map_err(|_| self.syntax())?.to_owned();
        self.place = start + len + 1;
        Ok(Literal::Str(text))
    }

    fn int(&mut self) -> Result<Literal, LiteralError> {
        let rest = self.text.get(self.place..).unwrap_or_default();
        let sign = usize::from(rest.first() == Some(&b'-'));
        let len = sign + rest.iter().skip(sign).take_while(|byte| byte.is_ascii_digit()).count();
        let value = rest.get(..len).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        let value = value.ok_or(self.syntax())?;
        self.place += len;
        // Python 2 wrote long integers with an L.
        if self.peek() == Some(b'L') {
            self.place += 1;
        }
        Ok(Literal::Int(value))
    }

    fn word(&mut self) -> Result<Literal, LiteralError> {
        let rest = self.text.get(self.place..).unwrap_or_default();
        for (word, value) in [("None", Literal::None), ("True", Literal::Bool(true)), ("False", Literal::Bool(false))] {
            if rest.starts_with(word.as_bytes()) {
                self.place += word.len();
                return Ok(value);
            }
        }
        Err(self.syntax())
    }
}
