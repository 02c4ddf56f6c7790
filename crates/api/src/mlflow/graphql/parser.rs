use serde_json::Value as Json;

use super::ParseError;
use super::document::{Document, Field, Kind, Operation, Value, Variable};
use super::lexer::{Lexer, Token};

/// Bytes of a query. The largest of MLflow's pages has 1,500.
const LONGEST: usize = 64 * 1024;
/// Levels of fields; MLflow's own bound.
const DEEPEST: usize = 10;
/// Fields in all; MLflow's own bound.
const MOST_FIELDS: usize = 1000;
/// Levels of a value.
const DEEPEST_VALUE: usize = 8;
/// Operations, variables of one, arguments of a field.
const MOST: usize = 20;
/// Values in lists and objects, in all.
const MOST_VALUES: usize = 10_000;

/// Reads a query. Everything is bounded as it is read: the depth before a level is entered, the count before a field
/// is kept.
pub(super) fn parse(text: &str) -> Result<Document, ParseError> {
    if text.len() > LONGEST {
        return Err(ParseError::TooMuch(format!("Query exceeds maximum length of {LONGEST}")));
    }
    let mut lexer = Lexer::new(text);
    let next = lexer.next()?;
    let mut parser = Parser { lexer, next, fields: 0, values: 0 };
    let mut operations = Vec::new();
    while parser.next != Token::End {
        if operations.len() == MOST {
            return Err(parser.error("too many operations"));
        }
        operations.push(parser.operation()?);
    }
    if operations.is_empty() {
        return Err(parser.error("there is no operation"));
    }
    Ok(Document { operations })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Token,
    fields: usize,
    values: usize,
}

impl Parser<'_> {
    fn error(&self, what: &str) -> ParseError {
        ParseError::Syntax(format!("Syntax Error: {what} before character {}", self.lexer.at()))
    }

    fn step(&mut self) -> Result<Token, ParseError> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.next, next))
    }

    /// Takes the mark if it comes next.
    fn takes(&mut self, mark: char) -> Result<bool, ParseError> {
        if self.next != Token::Mark(mark) {
            return Ok(false);
        }
        self.step()?;
        Ok(true)
    }

    fn wants(&mut self, mark: char) -> Result<(), ParseError> {
        if self.takes(mark)? { Ok(()) } else { Err(self.error(&format!("expected {mark:?}"))) }
    }

    fn name(&mut self) -> Result<String, ParseError> {
        match self.step()? {
            Token::Name(name) => Ok(name),
            _ => Err(self.error("expected a name")),
        }
    }

    fn operation(&mut self) -> Result<Operation, ParseError> {
        if self.next == Token::Mark('{') {
            let selection = self.selection(1)?;
            return Ok(Operation { kind: Kind::Query, name: None, variables: Vec::new(), selection });
        }
        let kind = match self.name()?.as_str() {
            "query" => Kind::Query,
            "mutation" => Kind::Mutation,
            "fragment" => return Err(self.error("fragments are not supported")),
            _ => return Err(self.error("expected query or mutation")),
        };
        let name = if matches!(self.next, Token::Name(_)) { Some(self.name()?) } else { None };
        let mut variables = Vec::new();
        if self.takes('(')? {
            while !self.takes(')')? {
                if variables.len() == MOST {
                    return Err(self.error("too many variables"));
                }
                variables.push(self.variable()?);
            }
        }
        // Such as `@component(name: "…")`, which says who asks and changes nothing.
        while self.takes('@')? {
            if self.name()? != "component" {
                return Err(self.error("unknown directive"));
            }
            self.arguments()?;
        }
        Ok(Operation { kind, name, variables, selection: self.selection(1)? })
    }

    fn variable(&mut self) -> Result<Variable, ParseError> {
        self.wants('$')?;
        let name = self.name()?;
        self.wants(':')?;
        let required = self.type_of(0)?;
        let default = if self.takes('=')? { Some(self.value(1)?) } else { None };
        Ok(Variable { name, required, default })
    }

    /// Passes a type over; gives whether it ends with `!`.
    fn type_of(&mut self, depth: usize) -> Result<bool, ParseError> {
        if depth > DEEPEST_VALUE {
            return Err(self.error("a type is nested too deep"));
        }
        if self.takes('[')? {
            self.type_of(depth + 1)?;
            self.wants(']')?;
        } else {
            self.name()?;
        }
        self.takes('!')
    }

    fn selection(&mut self, depth: usize) -> Result<Vec<Field>, ParseError> {
        if depth > DEEPEST {
            return Err(ParseError::TooMuch(format!("Query exceeds maximum depth of {DEEPEST}")));
        }
        self.wants('{')?;
        let mut fields = Vec::new();
        while !self.takes('}')? {
            fields.push(self.field(depth)?);
        }
        if fields.is_empty() {
            return Err(self.error("a selection is empty"));
        }
        Ok(fields)
    }

    fn field(&mut self, depth: usize) -> Result<Field, ParseError> {
        if self.next == Token::Spread {
            return Err(self.error("fragments are not supported"));
        }
        self.fields += 1;
        if self.fields > MOST_FIELDS {
            return Err(ParseError::TooMuch(format!("Query exceeds maximum total selections of {MOST_FIELDS}")));
        }
        let first = self.name()?;
        let (alias, name) = if self.takes(':')? { (Some(first), self.name()?) } else { (None, first) };
        let arguments = self.arguments()?;
        if self.next == Token::Mark('@') {
            return Err(self.error("directives on fields are not supported"));
        }
        let selection = if self.next == Token::Mark('{') { self.selection(depth + 1)? } else { Vec::new() };
        Ok(Field { alias, name, arguments, selection })
    }

    fn arguments(&mut self) -> Result<Vec<(String, Value)>, ParseError> {
        if self.takes('(')? { self.pairs(')', 0) } else { Ok(Vec::new()) }
    }

    fn pairs(&mut self, end: char, depth: usize) -> Result<Vec<(String, Value)>, ParseError> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        while !self.takes(end)? {
            if pairs.len() == MOST {
                return Err(self.error("too many arguments"));
            }
            let name = self.name()?;
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(self.error("an argument is given twice"));
            }
            self.wants(':')?;
            pairs.push((name, self.value(depth + 1)?));
        }
        Ok(pairs)
    }

    fn value(&mut self, depth: usize) -> Result<Value, ParseError> {
        self.values += 1;
        if depth > DEEPEST_VALUE || self.values > MOST_VALUES {
            return Err(self.error("a value is too large"));
        }
        Ok(match self.step()? {
            Token::Mark('$') => Value::Variable(self.name()?),
            Token::Mark('[') => {
                let mut values = Vec::new();
                while !self.takes(']')? {
                    values.push(self.value(depth + 1)?);
                }
                Value::List(values)
            }
            Token::Mark('{') => Value::Object(self.pairs('}', depth)?),
            Token::Number(number) => Value::Plain(Json::Number(number)),
            Token::Text(text) => Value::Plain(Json::String(text)),
            Token::Name(name) => Value::Plain(match name.as_str() {
                "true" => Json::Bool(true),
                "false" => Json::Bool(false),
                "null" => Json::Null,
                _ => Json::String(name),
            }),
            _ => return Err(self.error("expected a value")),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_query_of_the_pages_is_read() {
        let document = parse(
            "query GetRun($data: MlflowGetRunInput!, $x: [Int!] = [1]) @component(name: \"MLflow\") {
               a: mlflowGetRun(input: $data) { run { info { runUuid, status } } __typename }
             }
             mutation { mlflowSearchRuns(input: {experimentIds: [\"1\"], runViewType: ALL}) { runs { info { runId } } } }",
        )
        .unwrap();
        let [query, mutation] = document.operations.as_slice() else { panic!() };
        assert_eq!((query.kind, query.name.as_deref()), (Kind::Query, Some("GetRun")));
        assert!(query.variables[0].required && !query.variables[1].required && query.variables[1].default.is_some());
        let field = &query.selection[0];
        assert_eq!((field.key(), field.name.as_str(), field.selection.len()), ("a", "mlflowGetRun", 2));
        assert_eq!(field.arguments, [("input".to_owned(), Value::Variable("data".to_owned()))]);
        assert_eq!((mutation.kind, &mutation.name), (Kind::Mutation, &None));
    }

    #[test]
    fn size_is_bounded_while_it_is_read() {
        let too_much = |text: &str| match parse(text) {
            Err(ParseError::TooMuch(message)) => message,
            other => panic!("{other:?}"),
        };
        assert!(too_much(&format!("{}{}", "{a".repeat(11), "}".repeat(11))).contains("maximum depth of 10"));
        assert!(parse(&format!("{}{}", "{a".repeat(10), "}".repeat(10))).is_ok());
        assert!(too_much(&"{a".repeat(30_000)).contains("maximum depth of 10"));
        assert!(too_much(&format!("{{{}}}", "a ".repeat(1001))).contains("maximum total selections of 1000"));
        assert!(too_much(&" ".repeat(LONGEST + 1)).contains("maximum length"));
        for text in [
            format!("{{a(b:{}", "[".repeat(30_000)),
            format!("{{a(b:{}", "{c:".repeat(20_000)),
            format!("query($a:{}", "[".repeat(30_000)),
            format!("{{a(b:[{}])}}", "1 ".repeat(MOST_VALUES)),
            format!("{{a({})}}", (0..=MOST).map(|n| format!("a{n}:1 ")).collect::<String>()),
            "{a} ".repeat(MOST + 1),
        ] {
            assert!(matches!(parse(&text), Err(ParseError::Syntax(_))));
        }
    }

    #[test]
    fn what_is_not_supported_is_refused() {
        for text in [
            "",
            "{}",
            "{a{}}",
            "{a",
            "{a}}",
            "{a(b:1 b:2)}",
            "{...x}",
            "{... on T {a}}",
            "fragment x on T {a}",
            "{a @include(if: true)}",
            "query @skip {a}",
            "subscription {a}",
            "type T {a: Int}",
            "{a(b:)}",
            "{$a}",
        ] {
            assert!(matches!(parse(text), Err(ParseError::Syntax(_))), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_mixture_of_tokens_breaks_it(tokens in prop::collection::vec(
            prop::sample::select(vec!["{", "}", "(", ")", "a", "query", ":", "$", "!", "[", "]", "\"x\"", "1", "...", "@", "=", "\"", "\\"]), 0..200)) {
            let _ = parse(&tokens.join(" "));
            let _ = parse(&tokens.concat());
        }
    }
}
