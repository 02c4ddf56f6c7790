use super::lexer::{RawTag, Token};
use super::{Argument, Expression, Operator, Statement, Tag, Template, TemplateError};

/// How deep expressions may lie in each other.
const MAX_DEPTH: usize = 50;
/// How long a run of attributes, items, calls or filters may be.
const MAX_RUN: usize = 40;

type Result<T> = std::result::Result<T, TemplateError>;

/// The statements of all tags.
pub(super) fn template(raw: &[RawTag]) -> Result<Template> {
    let mut tags = Vec::new();
    for tag in raw {
        let mut parser = Parser { tag, next: 0, depth: 0 };
        let statement =
            if tag.is_statement { parser.statement()? } else { Some(Statement::Use(vec![parser.tuple(true)?])) };
        if parser.next < tag.tokens.len() {
            return Err(parser.error("a tag goes on behind what it says"));
        }
        if let Some(statement) = statement {
            tags.push(Tag { offset: tag.offset, statement });
        }
    }
    Ok(Template { tags })
}

struct Parser<'t> {
    tag: &'t RawTag,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Option<Statement>> {
        let keyword = self.name()?;
        let statement = match keyword.as_str() {
            "if" | "elif" => Statement::Use(vec![self.tuple(false)?]),
            "do" | "autoescape" => Statement::Use(vec![self.tuple(true)?]),
            "for" => self.for_loop()?,
            "set" => self.set()?,
            "with" => self.with()?,
            "macro" => {
                let name = Some(self.name()?);
                let parameters = self.parameters()?;
                Statement::Macro { name, parameters, calls: None }
            }
            "call" => {
                let parameters = if self.is_sign("(") { self.parameters()? } else { Vec::new() };
                Statement::Macro { name: None, parameters, calls: Some(self.expression()?) }
            }
            "filter" => Statement::Use(vec![self.filters(None, true)?]),
            "include" | "extends" | "import" | "from" => {
                let template = self.expression()?;
                self.next = self.tag.tokens.len();
                Statement::Template(template)
            }
            "block" => {
                self.name()?;
                while self.is_name("scoped") || self.is_name("required") {
                    self.next += 1;
                }
                return Ok(None);
            }
            "endblock" => {
                self.next = self.tag.tokens.len();
                return Ok(None);
            }
            "else" | "endif" | "endfor" | "endset" | "endwith" | "endmacro" | "endcall" | "endfilter"
            | "endautoescape" | "generation" | "endgeneration" | "break" | "continue" | "debug" => return Ok(None),
            _ => {
                self.next = 0;
                return Err(self.error("a tag is not known"));
            }
        };
        Ok(Some(statement))
    }

    fn for_loop(&mut self) -> Result<Statement> {
        let targets = self.targets()?;
        self.expect_name("in")?;
        let over = self.tuple(false)?;
        let condition = if self.take_name("if") { Some(self.expression()?) } else { None };
        self.take_name("recursive");
        Ok(Statement::For { targets, over, condition })
    }

    fn set(&mut self) -> Result<Statement> {
        let targets = self.targets()?;
        let value = if self.take_sign("=") {
            Some(self.tuple(true)?)
        } else if self.is_sign("|") {
            Some(self.filters(None, false)?)
        } else {
            None
        };
        Ok(Statement::Set { targets, value })
    }

    fn with(&mut self) -> Result<Statement> {
        let (mut targets, mut values) = (Vec::new(), Vec::new());
        while self.peek().is_some() {
            targets.push(Expression::Name(self.name()?));
            self.expect("=")?;
            values.push(self.expression()?);
            if !self.take_sign(",") {
                break;
            }
        }
        let value = if values.len() == 1 { values.pop() } else { Some(Expression::List(values)) };
        Ok(Statement::Set { targets, value })
    }

    /// Names and attributes of namespaces, with or without brackets around them.
    fn targets(&mut self) -> Result<Vec<Expression>> {
        let mut targets = Vec::new();
        let mut open = 0;
        loop {
            while self.take_sign("(") {
                open += 1;
            }
            if self.is_name("in") || self.is_sign("=") {
                break;
            }
            let mut target = Expression::Name(self.name()?);
            if self.take_sign(".") {
                target = Expression::Attribute(Box::new(target), self.name()?);
            }
            targets.push(target);
            while open > 0 && self.take_sign(")") {
                open -= 1;
            }
            if !self.take_sign(",") {
                break;
            }
        }
        Ok(targets)
    }

    fn parameters(&mut self) -> Result<Vec<(String, Option<Expression>)>> {
        let mut parameters = Vec::new();
        self.expect("(")?;
        while !self.take_sign(")") {
            let name = self.name()?;
            let default = if self.take_sign("=") { Some(self.expression()?) } else { None };
            parameters.push((name, default));
            if !self.take_sign(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(parameters)
    }

    /// One expression, or several with commas between them.
    fn tuple(&mut self, with_choice: bool) -> Result<Expression> {
        let first = self.part(with_choice)?;
        if !self.is_sign(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.take_sign(",") {
            let is_end = matches!(self.peek(), None | Some(Token::Sign(")" | "]" | "}" | "=")));
            if is_end {
                break;
            }
            items.push(self.part(with_choice)?);
        }
        Ok(Expression::List(items))
    }

    fn part(&mut self, with_choice: bool) -> Result<Expression> {
        if with_choice { self.expression() } else { self.nested(Self::either) }
    }

    fn expression(&mut self) -> Result<Expression> {
        self.nested(|parser| {
            let mut value = parser.either()?;
            let mut count = 0;
            while parser.take_name("if") {
                parser.bound(&mut count)?;
                let condition = parser.either()?;
                let mut parts = vec![value, condition];
                if parser.take_name("else") {
                    parts.push(parser.expression()?);
                }
                value = Expression::Choice(parts);
            }
            Ok(value)
        })
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Result<Expression>) -> Result<Expression> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("expressions lie too deep in each other"));
        }
        let expression = parse(self);
        self.depth -= 1;
        expression
    }

    fn bound(&self, count: &mut usize) -> Result<()> {
        *count += 1;
        if *count > MAX_RUN { Err(self.error("an expression is too long")) } else { Ok(()) }
    }

    fn chain(
        &mut self,
        operand: fn(&mut Self) -> Result<Expression>,
        operator: fn(&mut Self) -> Option<Operator>,
    ) -> Result<Expression> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Some(operator) = operator(self) {
            rest.push((operator, operand(self)?));
        }
        Ok(if rest.is_empty() { first } else { Expression::Chain(Box::new(first), rest) })
    }

    fn either(&mut self) -> Result<Expression> {
        self.chain(Self::both, |parser| parser.take_name("or").then_some(Operator::Logic))
    }

    fn both(&mut self) -> Result<Expression> {
        self.chain(Self::negation, |parser| parser.take_name("and").then_some(Operator::Logic))
    }

    fn negation(&mut self) -> Result<Expression> {
        if self.take_name("not") {
            let value = self.nested(Self::negation)?;
            return Ok(Expression::Unary(Box::new(value)));
        }
        self.chain(Self::sum, |parser| {
            let is_sign = ["==", "!=", ">=", "<=", ">", "<"].iter().any(|sign| parser.take_sign(sign));
            let is_not_in = parser.is_name("not") && parser.is_name_at(1, "in");
            if is_not_in {
                parser.next += 2;
            }
            (is_sign || is_not_in || parser.take_name("in")).then_some(Operator::Logic)
        })
    }

    fn sum(&mut self) -> Result<Expression> {
        self.chain(Self::join, |parser| {
            if parser.take_sign("+") { Some(Operator::Add) } else { parser.take_sign("-").then_some(Operator::Other) }
        })
    }

    fn join(&mut self) -> Result<Expression> {
        self.chain(Self::product, |parser| parser.take_sign("~").then_some(Operator::Join))
    }

    fn product(&mut self) -> Result<Expression> {
        self.chain(Self::power, |parser| {
            if parser.take_sign("*") {
                Some(Operator::Times)
            } else if parser.take_sign("%") {
                Some(Operator::Percent)
            } else {
                (parser.take_sign("/") || parser.take_sign("//")).then_some(Operator::Other)
            }
        })
    }

    fn power(&mut self) -> Result<Expression> {
        self.chain(|parser| parser.unary(true), |parser| parser.take_sign("**").then_some(Operator::Power))
    }

    fn unary(&mut self, with_filters: bool) -> Result<Expression> {
        let mut value = if self.take_sign("-") || self.take_sign("+") {
            Expression::Unary(Box::new(self.nested(|parser| parser.unary(false))?))
        } else {
            self.primary()?
        };
        value = self.postfix(value)?;
        if with_filters { self.filters(Some(value), false) } else { Ok(value) }
    }

    fn primary(&mut self) -> Result<Expression> {
        let Some(token) = self.peek().cloned() else { return Err(self.error("an expression is missing")) };
        self.next += 1;
        Ok(match token {
            Token::Name(name) => match name.as_str() {
                "true" | "false" | "none" | "True" | "False" | "None" => Expression::Other,
                _ => Expression::Name(name),
            },
            Token::Text(mut text) => {
                // Texts side by side are one.
                while let Some(Token::Text(more)) = self.peek() {
                    text.push_str(more);
                    self.next += 1;
                }
                Expression::Text(text)
            }
            Token::Integer(number) => Expression::Integer(number),
            Token::Float => Expression::Other,
            Token::Sign("(") => {
                if self.take_sign(")") {
                    return Ok(Expression::List(Vec::new()));
                }
                let inside = self.tuple(true)?;
                self.expect(")")?;
                inside
            }
            Token::Sign("[") => Expression::List(self.items("]")?),
            Token::Sign("{") => self.table()?,
            Token::Sign(_) => {
                self.next -= 1;
                return Err(self.error("an expression is missing"));
            }
        })
    }

    fn items(&mut self, close: &'static str) -> Result<Vec<Expression>> {
        let mut items = Vec::new();
        while !self.take_sign(close) {
            items.push(self.expression()?);
            if !self.take_sign(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn table(&mut self) -> Result<Expression> {
        let mut entries = Vec::new();
        while !self.take_sign("}") {
            let key = self.expression()?;
            self.expect(":")?;
            entries.push((key, self.expression()?));
            if !self.take_sign(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(Expression::Table(entries))
    }

    fn postfix(&mut self, mut value: Expression) -> Result<Expression> {
        let mut count = 0;
        loop {
            if self.take_sign(".") {
                value = match self.peek().cloned() {
                    Some(Token::Integer(number)) => {
                        self.next += 1;
                        Expression::Item(Box::new(value), Box::new(Expression::Integer(number)))
                    }
                    _ => Expression::Attribute(Box::new(value), self.name()?),
                };
            } else if self.take_sign("[") {
                let mut keys = Vec::new();
                while !self.take_sign("]") {
                    keys.push(self.key()?);
                    if !self.take_sign(",") {
                        self.expect("]")?;
                        break;
                    }
                }
                let key = if keys.len() == 1 { keys.pop() } else { Some(Expression::List(keys)) };
                value = Expression::Item(Box::new(value), Box::new(key.unwrap_or(Expression::Other)));
            } else if self.is_sign("(") {
                value = Expression::Call(Box::new(value), self.arguments()?);
            } else {
                return Ok(value);
            }
            self.bound(&mut count)?;
        }
    }

    fn key(&mut self) -> Result<Expression> {
        let mut parts = Vec::new();
        let mut is_slice = false;
        loop {
            let is_end = matches!(self.peek(), Some(Token::Sign(":" | "]" | ",")) | None);
            parts.push(if is_end { None } else { Some(self.expression()?) });
            if !self.take_sign(":") {
                break;
            }
            is_slice = true;
            self.bound(&mut parts.len().clone())?;
        }
        match parts.pop() {
            Some(Some(key)) if !is_slice => Ok(key),
            Some(last) if is_slice => {
                parts.push(last);
                Ok(Expression::Slice(parts))
            }
            _ => Err(self.error("a key is missing")),
        }
    }

    fn arguments(&mut self) -> Result<Vec<Argument>> {
        let mut arguments = Vec::new();
        self.expect("(")?;
        while !self.take_sign(")") {
            let is_star = self.take_sign("*") || self.take_sign("**");
            let is_named = !is_star && matches!(self.tag.tokens.get(self.next + 1), Some((_, Token::Sign("="))));
            let name = if is_named {
                let name = self.name()?;
                self.expect("=")?;
                Some(name)
            } else {
                None
            };
            arguments.push(Argument { name, value: self.expression()? });
            if !self.take_sign(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    /// Filters, tests and calls behind a value. A filter block begins with a filter's name, without the sign.
    fn filters(&mut self, value: Option<Expression>, is_block: bool) -> Result<Expression> {
        let mut value = value;
        let mut is_first = is_block;
        let mut count = 0;
        loop {
            if is_first || self.take_sign("|") {
                is_first = false;
                let name = self.dotted()?;
                let arguments = if self.is_sign("(") { self.arguments()? } else { Vec::new() };
                value = Some(Expression::Filter(value.map(Box::new), name, arguments));
            } else if let Some(tested) = value.take_if(|_| self.is_name("is")) {
                self.next += 1;
                value = Some(self.test(tested)?);
            } else if let Some(called) = value.take_if(|_| self.is_sign("(")) {
                value = Some(Expression::Call(Box::new(called), self.arguments()?));
            } else {
                return value.ok_or_else(|| self.error("an expression is missing"));
            }
            self.bound(&mut count)?;
        }
    }

    fn test(&mut self, value: Expression) -> Result<Expression> {
        self.take_name("not");
        let name = self.dotted()?;
        let mut arguments = Vec::new();
        if self.is_sign("(") {
            arguments = self.arguments()?;
        } else {
            let is_value = match self.peek() {
                Some(Token::Name(name)) => !["else", "or", "and", "is", "if", "not", "in"].contains(&name.as_str()),
                Some(Token::Sign(sign)) => ["[", "{"].contains(sign),
                Some(_) => true,
                None => false,
            };
            if is_value {
                let argument = self.primary()?;
                arguments.push(Argument { name: None, value: self.postfix(argument)? });
            }
        }
        Ok(Expression::Test(Box::new(value), name, arguments))
    }

    /// The name of a filter or test.
    fn dotted(&mut self) -> Result<String> {
        let mut name = self.name()?;
        while self.take_sign(".") {
            name.push('.');
            name.push_str(&self.name()?);
        }
        Ok(name)
    }

    fn peek(&self) -> Option<&Token> {
        self.tag.tokens.get(self.next).map(|(_, token)| token)
    }

    fn name(&mut self) -> Result<String> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.next += 1;
                Ok(name)
            }
            _ => Err(self.error("a name is missing")),
        }
    }

    fn is_name(&self, name: &str) -> bool {
        self.is_name_at(0, name)
    }

    fn is_name_at(&self, ahead: usize, name: &str) -> bool {
        matches!(self.tag.tokens.get(self.next + ahead), Some((_, Token::Name(here))) if here == name)
    }

    fn take_name(&mut self, name: &str) -> bool {
        let is_here = self.is_name(name);
        self.next += usize::from(is_here);
        is_here
    }

    fn expect_name(&mut self, name: &str) -> Result<()> {
        if self.take_name(name) { Ok(()) } else { Err(self.error("a word is missing")) }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(here)) if *here == sign)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_here = self.is_sign(sign);
        self.next += usize::from(is_here);
        is_here
    }

    fn expect(&mut self, sign: &str) -> Result<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.error("a sign is missing")) }
    }

    fn error(&self, what: &'static str) -> TemplateError {
        let offset = self.tag.tokens.get(self.next).map_or(self.tag.offset, |(offset, _)| *offset);
        TemplateError { offset, what }
    }
}
