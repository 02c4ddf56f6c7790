use std::iter::Peekable;
use std::vec::IntoIter;

use sealyard_store::model::{Comparison, Condition, Operand, OrderBy};

use super::lexer::{Token, TokenKind, tokens, unquoted};
use super::vocabulary::{Shape, Vocabulary};
use super::{MAX_BYTES, MAX_CONDITIONS, MAX_LIST, MAX_PATTERN, shown};
use crate::AppError;

/// Words that stand for something else than a name where a value is looked for.
const KEYWORDS: &[&str] =
    &["true", "false", "null", "and", "or", "not", "in", "is", "like", "ilike", "between", "select"];

/// Reads one filter or one key of an order.
#[derive(Debug)]
pub(super) struct Parser<'a> {
    vocabulary: Vocabulary,
    text: &'a str,
    tokens: Peekable<IntoIter<Token>>,
}

fn invalid(what: impl Into<String>) -> AppError {
    AppError::Invalid(what.into())
}

impl<'a> Parser<'a> {
    pub(super) fn new(vocabulary: Vocabulary, text: &'a str) -> Result<Self, AppError> {
        if text.len() > MAX_BYTES {
            return Err(invalid(format!("Invalid clause(s) in filter string: it is longer than {MAX_BYTES} bytes")));
        }
        Ok(Self { vocabulary, text, tokens: tokens(text).into_iter().peekable() })
    }

    pub(super) fn filter(mut self) -> Result<Vec<Condition>, AppError> {
        let mut conditions = Vec::new();
        if self.tokens.peek().is_none() {
            return Ok(conditions);
        }
        loop {
            if conditions.len() == MAX_CONDITIONS {
                let what = format!("Invalid clause(s) in filter string: it has more than {MAX_CONDITIONS} conditions");
                return Err(invalid(what));
            }
            conditions.push(self.condition()?);
            match self.tokens.next() {
                None => return Ok(conditions),
                Some(token) if is_keyword(&token, "and") => {}
                Some(token) if token.kind == TokenKind::End && self.tokens.peek().is_some() => {
                    return Err(invalid(format!(
                        "Search filter contained multiple expression '{}'. Provide AND-ed expression list.",
                        shown(self.text)
                    )));
                }
                Some(token) => return Err(self.clause(&token.text)),
            }
        }
    }

    pub(super) fn order(mut self) -> Result<OrderBy, AppError> {
        let malformed = || invalid(format!("Invalid order_by clause '{}'. Could not be parsed.", shown(self.text)));
        let Some(name) = identifier(&mut self.tokens) else { return Err(malformed()) };
        let ascending = match self.tokens.next() {
            None => true,
            Some(token) if is_keyword(&token, "asc") => true,
            Some(token) if is_keyword(&token, "desc") => false,
            Some(token) if token.kind == TokenKind::Word => {
                return Err(invalid(format!("Invalid ordering key in order_by clause '{}'.", shown(self.text))));
            }
            Some(_) => return Err(malformed()),
        };
        if self.tokens.next().is_some() {
            return Err(malformed());
        }
        let (entity, key) = split(&name);
        Ok(OrderBy { field: self.vocabulary.order_field(entity.as_deref(), key)?, ascending })
    }

    /// The refusal of a clause, in the words that clients know.
    fn clause(&self, what: &str) -> AppError {
        self.vocabulary.invalid_clause(self.text, what)
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| is_keyword(token, wanted)).is_some()
    }

    fn condition(&mut self) -> Result<Condition, AppError> {
        let name = match self.tokens.peek() {
            Some(token) if is_value(token) => {
                let token = token.text.clone();
                self.tokens.next();
                return match self.tokens.next() {
                    Some(next) if next.kind == TokenKind::Operator => Err(invalid(format!(
                        "Invalid comparison clause. Expected 'Identifier' found '{}'",
                        shown(&token)
                    ))),
                    _ => Err(self.clause(&token)),
                };
            }
            _ => identifier(&mut self.tokens),
        };
        let Some(name) = name else {
            let found = self.tokens.next().map(|token| token.text).unwrap_or_default();
            return Err(self.clause(&found));
        };
        let (sign, comparison) = self.comparison(&name)?;
        let (entity, key) = split(&name);
        let nulls = matches!(comparison, Some(Comparison::IsNull | Comparison::IsNotNull));
        // What follows is looked at first, as sqlparse has it: a clause that is none is refused before its names are.
        let value = if nulls { None } else { Some(self.value(&name)?) };
        let (field, shape) = self.vocabulary.field(entity.as_deref(), key.clone())?;
        let comparison = match comparison {
            Some(comparison) if shape.allows(comparison) => comparison,
            Some(_) if nulls => return Err(self.vocabulary.no_nulls(&shape, &key)),
            Some(Comparison::In | Comparison::NotIn) if !shape.number => return Err(self.vocabulary.no_lists(&shape)),
            _ => return Err(self.vocabulary.comparator(&shape, &key, &sign)),
        };
        let operand = match (comparison, value) {
            (_, None) => Operand::None,
            (Comparison::In | Comparison::NotIn, Some(Value::List(list))) => Operand::List(list?),
            (_, Some(value)) if shape.number => Operand::Number(self.number(&shape, &key, value)?),
            (_, Some(value)) => Operand::Text(self.quoted(&shape, value)?),
        };
        if let (Comparison::Like | Comparison::ILike, Operand::Text(pattern)) = (comparison, &operand)
            && pattern.len() > MAX_PATTERN
        {
            let what = format!("Invalid clause(s) in filter string: a pattern is longer than {MAX_PATTERN} bytes");
            return Err(invalid(what));
        }
        Ok(Condition { field, comparison, operand })
    }

    /// How it is written, and what it means if it means anything.
    fn comparison(&mut self, name: &str) -> Result<(String, Option<Comparison>), AppError> {
        if let Some(token) = self.tokens.next_if(|token| token.kind == TokenKind::Operator) {
            let comparison = match token.text.as_str() {
                "=" => Some(Comparison::Equal),
                "!=" => Some(Comparison::NotEqual),
                "<" => Some(Comparison::Less),
                "<=" => Some(Comparison::LessOrEqual),
                ">" => Some(Comparison::Greater),
                ">=" => Some(Comparison::GreaterOrEqual),
                _ => None,
            };
            return Ok((token.text, comparison));
        }
        for (word, comparison) in [("like", Comparison::Like), ("ilike", Comparison::ILike), ("in", Comparison::In)] {
            if self.keyword(word) {
                return Ok((word.to_ascii_uppercase(), Some(comparison)));
            }
        }
        if self.keyword("rlike") {
            return Ok(("RLIKE".to_owned(), None));
        }
        if self.keyword("not") && self.keyword("in") {
            return Ok(("NOT IN".to_owned(), Some(Comparison::NotIn)));
        }
        if self.keyword("is") {
            let not = self.keyword("not");
            if self.keyword("null") {
                let (sign, comparison) =
                    if not { ("IS NOT NULL", Comparison::IsNotNull) } else { ("IS NULL", Comparison::IsNull) };
                return Ok((sign.to_owned(), Some(comparison)));
            }
        }
        Err(self.clause(name))
    }

    fn value(&mut self, name: &str) -> Result<Value, AppError> {
        let Some(token) = self.tokens.next() else { return Err(self.clause(name)) };
        match token.kind {
            TokenKind::Quoted | TokenKind::DoubleQuoted => Ok(Value::Quoted(token.text)),
            TokenKind::Backticked => Ok(Value::Name(token.text)),
            TokenKind::Word if plain_number(&token.text).is_some() => Ok(Value::Number(token.text)),
            TokenKind::Word if KEYWORDS.iter().any(|keyword| is_keyword(&token, keyword)) => {
                Err(self.clause(&token.text))
            }
            // A quote right behind belongs to it, and is not closed.
            TokenKind::Word
                if self.tokens.peek().is_some_and(|next| next.adjacent && next.kind == TokenKind::Other) =>
            {
                Err(self.clause(&token.text))
            }
            TokenKind::Word => Ok(Value::Name(token.text)),
            TokenKind::Mark if token.text == "(" => Ok(Value::List(self.list())),
            TokenKind::Operator | TokenKind::Mark | TokenKind::End | TokenKind::Other => Err(self.clause(&token.text)),
        }
    }

    fn number(&self, shape: &Shape, key: &str, value: Value) -> Result<f64, AppError> {
        let text = match value {
            Value::Number(text) => match plain_number(&text) {
                Some(number) => return Ok(number),
                None => text,
            },
            Value::Quoted(text) | Value::Name(text) => text,
            Value::List(_) => "a list".to_owned(),
        };
        Err(invalid(if shape.entity == "metric" {
            format!("Expected numeric value type for metric. Found {}", shown(&text))
        } else {
            format!("Expected numeric value type for numeric attribute: {}. Found {}", shown(key), shown(&text))
        }))
    }

    fn quoted(&self, shape: &Shape, value: Value) -> Result<String, AppError> {
        match value {
            Value::Quoted(text) => Ok(unquoted(&text)),
            Value::Name(text) => Err(invalid(format!(
                "Parameter value is either not quoted or unidentified quote types used for string value {}. Use either \
                 single or double quotes.",
                shown(&text)
            ))),
            Value::Number(text) => Err(self.vocabulary.unquoted(shape, &text)),
            Value::List(_) => Err(self.vocabulary.no_lists(shape)),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, AppError> {
        let refused = |what: &str| invalid(format!("While parsing a list in the query, expected {what}"));
        let ill = || refused("a non-empty list of string values, but got ill-formed list.");
        let mut list = Vec::new();
        loop {
            match self.tokens.next() {
                Some(token) if matches!(token.kind, TokenKind::Quoted | TokenKind::DoubleQuoted) => {
                    if list.len() == MAX_LIST {
                        return Err(refused(&format!("at most {MAX_LIST} values in a list")));
                    }
                    list.push(unquoted(&token.text));
                }
                Some(token) if token.text == ")" => {
                    return if list.is_empty() {
                        Err(refused("a non-empty list of string values, but got empty list"))
                    } else {
                        // A comma may come last, as in Python.
                        Ok(list)
                    };
                }
                Some(token) if token.kind == TokenKind::Word => {
                    return Err(refused(&format!(
                        "string value, punctuation, or whitespace, but got different type in list: {}",
                        shown(&token.text)
                    )));
                }
                _ => return Err(ill()),
            }
            match self.tokens.next() {
                Some(token) if token.text == "," => {}
                Some(token) if token.text == ")" => return Ok(list),
                _ => return Err(ill()),
            }
        }
    }
}

/// The right side of a condition, as it is written.
#[derive(Debug)]
enum Value {
    Number(String),
    Quoted(String),
    Name(String),
    List(Result<Vec<String>, AppError>),
}

fn is_keyword(token: &Token, wanted: &str) -> bool {
    token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(wanted)
}

/// Whether a condition can't begin with it but it is a value.
fn is_value(token: &Token) -> bool {
    token.kind == TokenKind::Quoted || (token.kind == TokenKind::Word && plain_number(&token.text).is_some())
}

fn plain_number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !plain {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The name that comes next: words and things in quotes, one right behind the other.
fn identifier(tokens: &mut Peekable<IntoIter<Token>>) -> Option<String> {
    let begins = |token: &Token| {
        matches!(token.kind, TokenKind::Word | TokenKind::Backticked | TokenKind::DoubleQuoted)
            && !KEYWORDS.iter().any(|keyword| is_keyword(token, keyword))
    };
    let mut name = tokens.next_if(begins)?.text;
    let goes_on = |token: &Token| {
        token.adjacent
            && matches!(
                token.kind,
                TokenKind::Word | TokenKind::Backticked | TokenKind::DoubleQuoted | TokenKind::Quoted
            )
    };
    while let Some(token) = tokens.next_if(goes_on) {
        name.push_str(&token.text);
    }
    Some(name)
}

/// `entity.key`, either of them in quotes.
fn split(name: &str) -> (Option<String>, String) {
    match name.split_once('.') {
        None => (None, unquoted(name)),
        Some((entity, key)) => {
            let entity = entity.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')).unwrap_or(entity);
            (Some(entity.to_owned()), unquoted(key))
        }
    }
}
