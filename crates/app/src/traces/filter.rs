//! MLflow's filters of traces: conditions joined by AND over a closed vocabulary. Nothing of their text ever reaches a
//! database but as a bound value.

use std::iter::Peekable;
use std::vec::IntoIter;

use sealyard_store::model::{Comparison, Operand, TraceCondition, TraceField, TraceOrder};

use super::lexer::{Token, tokens};
use crate::AppError;

/// Bytes of one filter or key of an order.
const MAX_BYTES: usize = 16 * 1024;
/// Conditions of a filter.
const MAX_CONDITIONS: usize = 64;
/// Keys of a sort order.
const MAX_ORDER: usize = 16;
/// Values of an IN list.
const MAX_LIST: usize = 1000;
/// Bytes of a pattern.
const MAX_PATTERN: usize = 512;

const TRACE_NAME: &str = "mlflow.traceName";
const SOURCE_RUN: &str = "mlflow.sourceRun";
const LINKED_PROMPTS: &str = "mlflow.linkedPrompts";

/// What a field holds, and so how it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    /// A text that may be absent.
    Optional,
    /// A text that is only searched through.
    Content,
    /// A name of something.
    Exact,
}

impl Kind {
    const fn allows(self, comparison: Comparison) -> bool {
        use Comparison::{
            Equal, Greater, GreaterOrEqual, ILike, In, IsNotNull, IsNull, Less, LessOrEqual, Like, NotEqual, NotIn,
            RLike,
        };
        match self {
            Self::Number => matches!(comparison, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual),
            Self::Text => matches!(comparison, Equal | NotEqual | In | NotIn | Like | ILike | RLike),
            Self::Optional => matches!(comparison, Equal | NotEqual | Like | ILike | RLike | IsNull | IsNotNull),
            Self::Content => matches!(comparison, Like | ILike),
            Self::Exact => matches!(comparison, Equal),
        }
    }
}

fn invalid(what: impl std::fmt::Display) -> AppError {
    AppError::Invalid(format!("Invalid clause(s) in filter string: {what}"))
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Reads a filter; an empty one holds for everything.
pub(super) fn conditions(text: &str) -> Result<Vec<TraceCondition>, AppError> {
    let mut reader = Reader::new(text)?;
    let mut found = Vec::new();
    if reader.tokens.peek().is_none() {
        return Ok(found);
    }
    loop {
        if found.len() == MAX_CONDITIONS {
            return Err(invalid(format!("it has more than {MAX_CONDITIONS} conditions")));
        }
        found.push(reader.condition()?);
        match reader.tokens.next() {
            None => return Ok(found),
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => {}
            Some(_) => return Err(invalid("conditions are joined by AND only")),
        }
    }
}

/// Reads a sort order, each text one key with ASC or DESC.
pub(super) fn order(texts: &[String]) -> Result<Vec<TraceOrder>, AppError> {
    if texts.len() > MAX_ORDER {
        return Err(AppError::Invalid(format!("a search can be ordered by at most {MAX_ORDER} keys")));
    }
    texts.iter().map(|text| Reader::new(text)?.order(text)).collect()
}

/// Something that a metric's filter compares for equality: where it is, and with what.
pub(super) fn equality(text: &str) -> Result<(Vec<String>, String), AppError> {
    let mut reader = Reader::new(text)?;
    let path = reader.path()?;
    let (Some(Token::Operator("=")), Some(Token::Quoted(value)), None) =
        (reader.tokens.next(), reader.tokens.next(), reader.tokens.next())
    else {
        return Err(invalid("a filter of metrics is one key, = and a quoted value"));
    };
    let (first, rest) = path;
    let parts = rest.splitn(2, '.').map(str::to_owned);
    Ok((first.into_iter().chain(parts).collect(), value))
}

struct Reader {
    tokens: Peekable<IntoIter<Token>>,
}

impl Reader {
    fn new(text: &str) -> Result<Self, AppError> {
        if text.len() > MAX_BYTES {
            return Err(invalid(format!("it is longer than {MAX_BYTES} bytes")));
        }
        Ok(Self { tokens: tokens(text)?.into_iter().peekable() })
    }

    fn keyword(&mut self, wanted: &str) -> bool {
        self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))).is_some()
    }

    fn order(&mut self, text: &str) -> Result<TraceOrder, AppError> {
        let wrong = || AppError::Invalid(format!("Invalid order_by clause '{}'", shown(text)));
        let (entity, key) = self.path()?;
        let field = match field(entity.as_deref(), &key)?.0 {
            TraceField::Run => TraceField::Metadata(SOURCE_RUN.to_owned()),
            TraceField::Attribute("client_request_id") => return Err(unknown_attribute(&key)),
            field @ (TraceField::Attribute(_) | TraceField::Tag(_) | TraceField::Metadata(_)) => field,
            _ => return Err(wrong()),
        };
        let ascending = match self.tokens.next() {
            None => true,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("asc") => true,
            Some(Token::Word(word)) if word.eq_ignore_ascii_case("desc") => false,
            Some(_) => return Err(wrong()),
        };
        if self.tokens.next().is_some() {
            return Err(wrong());
        }
        Ok(TraceOrder { field, ascending })
    }

    /// `key` or `entity.key`; either may stand in quotes or backticks, and so may the last part of a longer key.
    fn path(&mut self) -> Result<(Option<String>, String), AppError> {
        let mut whole = String::new();
        let mut quoted_first = None;
        match self.tokens.next() {
            Some(Token::Word(word)) => whole = word,
            Some(Token::Backticked(first)) => quoted_first = Some(first),
            _ => return Err(invalid("a condition begins with a key, such as tags.env or attributes.status")),
        }
        if let Some(first) = quoted_first {
            match self.tokens.next_if(|token| matches!(token, Token::Word(word) if word.starts_with('.'))) {
                Some(Token::Word(rest)) => whole = format!("{first}{rest}"),
                _ => return Ok((None, first)),
            }
        }
        if whole.ends_with('.') {
            match self.tokens.next() {
                Some(Token::Backticked(last) | Token::Quoted(last)) if !last.is_empty() => whole.push_str(&last),
                _ => return Err(invalid(format!("{:?} lacks a key", shown(&whole)))),
            }
        }
        match whole.split_once('.') {
            None => Ok((None, whole)),
            Some((_, "")) | Some(("", _)) => Err(invalid("a key is empty")),
            Some((entity, key)) => Ok((Some(entity.to_owned()), key.to_owned())),
        }
    }

    fn condition(&mut self) -> Result<TraceCondition, AppError> {
        let (entity, key) = self.path()?;
        let (field, kind) = field(entity.as_deref(), &key)?;
        let comparison = self.comparison()?;
        if !kind.allows(comparison) {
            return Err(AppError::Invalid(format!(
                "Invalid comparator for '{}': it can't be compared like that",
                shown(&key)
            )));
        }
        let operand = match comparison {
            Comparison::IsNull | Comparison::IsNotNull => Operand::None,
            Comparison::In | Comparison::NotIn => Operand::List(self.list()?),
            _ if kind == Kind::Number => Operand::Number(self.number()?),
            _ => Operand::Text(self.text()?),
        };
        if let (Comparison::Like | Comparison::ILike | Comparison::RLike, Operand::Text(pattern)) =
            (comparison, &operand)
            && pattern.len() > MAX_PATTERN
        {
            return Err(invalid(format!("a pattern is longer than {MAX_PATTERN} bytes")));
        }
        if let (TraceField::Prompt, Operand::Text(prompt)) = (&field, &operand)
            && prompt.matches('/').count() != 1
        {
            return Err(AppError::Invalid(format!(
                "Invalid prompts filter value '{}'. Expected format: prompt = \"name/version\"",
                shown(prompt)
            )));
        }
        Ok(TraceCondition { field, comparison, operand })
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
        for (word, comparison) in [
            ("like", Comparison::Like),
            ("ilike", Comparison::ILike),
            ("rlike", Comparison::RLike),
            ("in", Comparison::In),
        ] {
            if self.keyword(word) {
                return Ok(comparison);
            }
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
        Err(invalid("a key is followed by = != < <= > >= LIKE ILIKE RLIKE IN, NOT IN, IS NULL or IS NOT NULL"))
    }

    fn number(&mut self) -> Result<f64, AppError> {
        let Some(Token::Word(word)) = self.tokens.next() else {
            return Err(invalid("Expected numeric value type"));
        };
        let plain = word.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
        let number: Option<f64> = if plain { word.parse().ok() } else { None };
        number
            .filter(|number| number.is_finite())
            .ok_or_else(|| invalid(format!("Expected numeric value type. Found {}", shown(&word))))
    }

    fn text(&mut self) -> Result<String, AppError> {
        match self.tokens.next() {
            Some(Token::Quoted(text)) => Ok(text),
            _ => Err(invalid("Expected a quoted string value (e.g. 'my-value')")),
        }
    }

    fn list(&mut self) -> Result<Vec<String>, AppError> {
        let malformed = || invalid(format!("expected a list of 1 to {MAX_LIST} texts such as ('a', 'b')"));
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

fn unknown_attribute(key: &str) -> AppError {
    AppError::Invalid(format!(
        "Invalid attribute key '{}' specified. Valid keys are request_id, timestamp, timestamp_ms, execution_time, \
         execution_time_ms, end_time, end_time_ms, status, client_request_id, name, run_id, prompt, text",
        shown(key)
    ))
}

/// What `entity.key` means, and what it holds.
fn field(entity: Option<&str>, key: &str) -> Result<(TraceField, Kind), AppError> {
    Ok(match entity {
        None | Some("attribute" | "attributes" | "trace") => match key {
            "request_id" => (TraceField::Attribute("request_id"), Kind::Text),
            "timestamp" | "timestamp_ms" => (TraceField::Attribute("timestamp_ms"), Kind::Number),
            "execution_time" | "execution_time_ms" => (TraceField::Attribute("execution_time_ms"), Kind::Number),
            "end_time" | "end_time_ms" => (TraceField::Attribute("end_time_ms"), Kind::Number),
            "status" => (TraceField::Attribute("status"), Kind::Text),
            "client_request_id" => (TraceField::Attribute("client_request_id"), Kind::Text),
            "experiment_id" => (TraceField::Attribute("experiment_id"), Kind::Number),
            "name" => (TraceField::Tag(TRACE_NAME.to_owned()), Kind::Text),
            "run_id" => (TraceField::Run, Kind::Text),
            "prompt" => (TraceField::Prompt, Kind::Exact),
            "text" => (TraceField::SpanContent, Kind::Content),
            _ => return Err(unknown_attribute(key)),
        },
        Some("tag" | "tags") if key == LINKED_PROMPTS => (TraceField::Prompt, Kind::Exact),
        Some("tag" | "tags") => (TraceField::Tag(key.to_owned()), Kind::Optional),
        Some("metadata" | "request_metadata") if key == SOURCE_RUN => (TraceField::Run, Kind::Optional),
        Some("metadata" | "request_metadata") => (TraceField::Metadata(key.to_owned()), Kind::Optional),
        Some("span") => match key {
            "name" => (TraceField::Span("name"), Kind::Text),
            "type" => (TraceField::Span("type"), Kind::Text),
            "status" => (TraceField::Span("status"), Kind::Text),
            "content" => (TraceField::SpanContent, Kind::Content),
            _ => match key.strip_prefix("attributes.") {
                Some(attribute) if !attribute.is_empty() => {
                    (TraceField::SpanAttribute(attribute.to_owned()), Kind::Text)
                }
                _ => {
                    return Err(AppError::Invalid(format!(
                        "Invalid span attribute '{}'. Supported attributes: name, status, type, \
                         attributes.<attribute_name>.",
                        shown(key)
                    )));
                }
            },
        },
        Some("feedback") => (TraceField::Assessment("feedback", key.to_owned()), Kind::Optional),
        Some("expectation") => (TraceField::Assessment("expectation", key.to_owned()), Kind::Optional),
        Some("issue") if key == "id" => (TraceField::Issue, Kind::Exact),
        Some(other) => {
            return Err(AppError::Invalid(format!(
                "Invalid entity type '{}'. Valid values are attribute, expectation, feedback, issue, metadata, \
                 request_metadata, span, tag, trace",
                shown(other)
            )));
        }
    })
}

/// A filter, as of traces and as of metrics.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz(text: &str) {
    let _ = equality(text);
    if let Ok(found) = conditions(text) {
        assert!(found.len() <= MAX_CONDITIONS, "{} conditions", found.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> TraceCondition {
        let mut found = conditions(text).unwrap();
        assert_eq!(found.len(), 1, "{text}");
        found.remove(0)
    }

    #[test]
    fn what_clients_write_is_understood() {
        let tag = |key: &str| TraceField::Tag(key.into());
        let cases = [
            ("tags.env = 'prod'", tag("env"), Comparison::Equal),
            ("tag.`my key` != \"x\"", tag("my key"), Comparison::NotEqual),
            ("`tags`.mlflow.user LIKE 'a%'", tag("mlflow.user"), Comparison::Like),
            ("tags.a IS NULL", tag("a"), Comparison::IsNull),
            ("tags.a is not null", tag("a"), Comparison::IsNotNull),
            ("tags.a rlike '^x'", tag("a"), Comparison::RLike),
            ("name = 'x'", tag("mlflow.traceName"), Comparison::Equal),
            ("trace.name ILIKE 'x'", tag("mlflow.traceName"), Comparison::ILike),
            ("metadata.`mlflow.modelId` = 'm'", TraceField::Metadata("mlflow.modelId".into()), Comparison::Equal),
            ("request_metadata.`mlflow.sourceRun` = 'r'", TraceField::Run, Comparison::Equal),
            ("attribute.run_id = 'r'", TraceField::Run, Comparison::Equal),
            ("attributes.status IN ('OK', 'ERROR')", TraceField::Attribute("status"), Comparison::In),
            ("trace.status = 'OK'", TraceField::Attribute("status"), Comparison::Equal),
            ("prompt = 'p/1'", TraceField::Prompt, Comparison::Equal),
            ("trace.text LIKE '%x%'", TraceField::SpanContent, Comparison::Like),
            ("span.name = 'x'", TraceField::Span("name"), Comparison::Equal),
            ("span.type NOT IN ('LLM')", TraceField::Span("type"), Comparison::NotIn),
            ("span.attributes.fruit = 'x'", TraceField::SpanAttribute("fruit".into()), Comparison::Equal),
            ("span.attributes.`a.b c` LIKE 'x'", TraceField::SpanAttribute("a.b c".into()), Comparison::Like),
            ("feedback.quality = 'good'", TraceField::Assessment("feedback", "quality".into()), Comparison::Equal),
            (
                "expectation.\"my name\" = '5'",
                TraceField::Assessment("expectation", "my name".into()),
                Comparison::Equal,
            ),
            ("issue.id = 'iss-1'", TraceField::Issue, Comparison::Equal),
        ];
        for (text, field, comparison) in cases {
            let found = one(text);
            assert_eq!((found.field, found.comparison), (field, comparison), "{text}");
        }
        let found = one("timestamp_ms >= -5");
        assert_eq!((found.field, found.operand), (TraceField::Attribute("timestamp_ms"), Operand::Number(-5.0)));
        assert_eq!(conditions("status = 'OK' and tags.a = 'b' AND execution_time > 5").unwrap().len(), 3);
        assert!(conditions("").unwrap().is_empty());
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "invalid.filter = 'test'",
            "password = 'x'",
            "status = 5",
            "timestamp = 'x'",
            "timestamp LIKE 'x'",
            "tags.a > 'x'",
            "tags.a IN ('x')",
            "tags. = 'x'",
            "tags.a = 'x' OR tags.b = 'y'",
            "tags.a = 'x' tags.b = 'y'",
            "status = 'OK' AND",
            "trace.text = 'x'",
            "prompt LIKE 'x/1'",
            "prompt = 'x'",
            "issue.name = 'x'",
            "span.password = 'x'",
            "span.attributes. = 'x'",
            "feedback. = 'x'",
            "1 = 1",
            "status = 'OK'; DROP TABLE traces",
            "status IN ()",
            "status IN ('a'",
            "timestamp > nan",
            "timestamp > 1e999",
        ] {
            assert!(conditions(text).is_err(), "{text}");
        }
        assert!(conditions(&vec!["tags.a = 'x'"; MAX_CONDITIONS + 1].join(" AND ")).is_err());
        assert!(conditions(&format!("tags.a LIKE '{}'", "%".repeat(MAX_PATTERN + 1))).is_err());
        assert!(conditions(&"x".repeat(MAX_BYTES + 1)).is_err());
    }

    #[test]
    fn orders() {
        let of = |text: &str| order(&[text.to_owned()]).map(|mut keys| keys.remove(0));
        let time = TraceField::Attribute("timestamp_ms");
        assert_eq!(of("timestamp ASC").unwrap(), TraceOrder { field: time.clone(), ascending: true });
        assert_eq!(of("attributes.timestamp_ms desc").unwrap(), TraceOrder { field: time, ascending: false });
        assert_eq!(of("run_id").unwrap().field, TraceField::Metadata(SOURCE_RUN.into()));
        assert_eq!(of("tag.`a b` DESC").unwrap().field, TraceField::Tag("a b".into()));
        for text in
            ["", "timestamp down", "timestamp DESC DESC", "span.name", "feedback.a", "prompt", "client_request_id"]
        {
            assert!(of(text).is_err(), "{text:?}");
        }
        assert!(order(&vec!["timestamp".to_owned(); MAX_ORDER + 1]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,200}") {
            let _ = conditions(&text);
            let _ = order(std::slice::from_ref(&text));
            let _ = equality(&text);
        }
    }
}
