use sealyard_store::model::{Comparison, Condition, Field, Operand, OrderBy};

use super::lexer::{Token, tokens};
use super::vocabulary::{Kind, Vocabulary};
use super::{MAX_BYTES, MAX_CONDITIONS, MAX_LIST, MAX_PATTERN};
use crate::AppError;

/// Reads one filter or one key of an order.
pub(super) struct Parser {
    vocabulary: Vocabulary,
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
}

fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::Invalid(format!("Invalid clause(s) in filter string: {what}"))
}

impl Parser {
    pub(super) fn new(vocabulary: Vocabulary, text: &str) -> Result<Self, AppError> {
        if text.len() > MAX_BYTES {
            return Err(invalid(format!("it is longer than {MAX_BYTES} bytes")));
        }
        Ok(Self { vocabulary, tokens: tokens(text)?.into_iter().peekable() })
    }

    pub(super) fn filter(mut self) -> Result<Vec<Condition>, AppError> {
        let mut conditions = Vec::new();
        if self.tokens.peek().is_none() {
            return Ok(conditions);
        }
        loop {
            if conditions.len() == MAX_CONDITIONS {
                return Err(invalid(format!("it has more than {MAX_CONDITIONS} conditions")));
            }
            conditions.push(self.condition()?);
            match self.tokens.next() {
                None => return Ok(conditions),
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => {}
                Some(_) => return Err(invalid("conditions are joined by AND only")),
            }
        }
    }

    pub(super) fn order(mut self) -> Result<OrderBy, AppError> {
        let (field, _) = self.field(true)?;
        let ascending = match self.tokens.next() {
            None => true,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("asc") => true,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("desc") => false,
            Some(_) => {
                return Err(AppError::Invalid("Invalid order_by clause: a key is followed by ASC or DESC".to_owned()));
            }
        };
        if self.tokens.next().is_some() {
            return Err(AppError::Invalid("Invalid order_by clause: one key in each".to_owned()));
        }
        Ok(OrderBy { field, ascending })
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))).is_some()
    }

    /// `key`, `kind.key`, with the key or the kind in quotes or backticks.
    fn field(&mut self, ordering: bool) -> Result<(Field, Kind), AppError> {
        let (kind, key) = match self.tokens.next() {
            Some(Token::Word(word)) => match word.split_once('.') {
                None => (None, word),
                Some((kind, "")) => match self.tokens.next() {
                    Some(Token::Backticked(key) | Token::Quoted(key)) => (Some(kind.to_owned()), key),
                    _ => return Err(invalid(format!("{kind:?} lacks a key"))),
                },
                Some((kind, key)) => (Some(kind.to_owned()), key.to_owned()),
            },
            Some(Token::Backticked(first)) => match self.tokens.peek() {
                Some(Token::Word(rest)) if rest.starts_with('.') => {
                    let key = rest.trim_start_matches('.').to_owned();
                    self.tokens.next();
                    let key = match (key.is_empty(), self.tokens.peek()) {
                        (false, _) => key,
                        (true, Some(Token::Backticked(key) | Token::Quoted(key))) => {
                            let key = key.clone();
                            self.tokens.next();
                            key
                        }
                        (true, _) => return Err(invalid(format!("{first:?} lacks a key"))),
                    };
                    (Some(first), key)
                }
                _ => (None, first),
            },
            _ => return Err(invalid("a condition begins with a key, such as metrics.rmse or attributes.status")),
        };
        if key.is_empty() {
            return Err(invalid("a key is empty"));
        }
        self.vocabulary.field(kind.as_deref(), key, ordering)
    }

    fn condition(&mut self) -> Result<Condition, AppError> {
        let (field, kind) = self.field(false)?;
        let comparison = self.comparison()?;
        if !kind.allows(comparison) {
            return Err(invalid(format!("{} can't be compared like that", kind.name())));
        }
        let operand = match comparison {
            Comparison::IsNull | Comparison::IsNotNull => Operand::None,
            Comparison::In | Comparison::NotIn => Operand::List(self.list()?),
            _ if kind == Kind::Number => Operand::Number(self.number()?),
            _ => Operand::Text(self.text()?),
        };
        if let (Comparison::Like | Comparison::ILike, Operand::Text(pattern)) = (comparison, &operand)
            && pattern.len() > MAX_PATTERN
        {
            return Err(invalid(format!("a pattern is longer than {MAX_PATTERN} bytes")));
        }
        Ok(Condition { field, comparison, operand })
    }

    fn comparison(&mut self) -> Result<Comparison, AppError> {
        if let Some(Token::Operator(operator)) = self.tokens.next_if(|token| matches!(token, Token::Operator(_))) {
            return Ok(match operator {
                "!=" => Comparison::NotEqual,
                "<" => Comparison::Less,
                "<=" => Comparison::LessOrEqual,
                ">" => Comparison::Greater,
                ">=" => Comparison::GreaterOrEqual,
                _ => Comparison::Equal,
            });
        }
        if self.keyword("like") {
            return Ok(Comparison::Like);
        }
        if self.keyword("ilike") {
            return Ok(Comparison::ILike);
        }
        if self.keyword("in") {
            return Ok(Comparison::In);
        }
        if self.keyword("not") && self.keyword("in") {
            return Ok(Comparison::NotIn);
        }
        if self.keyword("is") {
            let not = self.keyword("not");
            if self.keyword("null") {
                return Ok(if not { Comparison::IsNotNull } else { Comparison::IsNull });
            }
        }
        Err(invalid("a key is followed by = != < <= > >= LIKE ILIKE IN, NOT IN, IS NULL or IS NOT NULL"))
    }

    fn number(&mut self) -> Result<f64, AppError> {
        let word = match self.tokens.next() {
            Some(Token::Word(word)) => word,
            _ => return Err(invalid("Expected numeric value type")),
        };
        let plain = word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let number: Option<f64> = if plain { word.parse().ok() } else { None };
        number
            .filter(|number| number.is_finite())
            .ok_or_else(|| invalid(format!("Expected numeric value type. Found {word}")))
    }

    fn text(&mut self) -> Result<String, AppError> {
        match self.tokens.next() {
            Some(Token::Quoted(text)) => Ok(text),
            _ => Err(invalid("Expected a quoted string value (e.g. 'my-value')")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, AppError> {
        let malformed = || invalid("expected a list such as ('a', 'b')");
        if self.tokens.next() != Some(Token::Mark('(')) {
            return Err(malformed());
        }
        let mut list = Vec::new();
        loop {
            match self.tokens.next() {
                Some(Token::Quoted(text)) if list.len() < MAX_LIST => list.push(text),
                _ => return Err(malformed()),
            }
            match self.tokens.next() {
                Some(Token::Mark(',')) => {}
                Some(Token::Mark(')')) => return Ok(list),
                _ => return Err(malformed()),
            }
        }
    }
}
