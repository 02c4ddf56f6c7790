use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::{Argument, Expression, Operator, Statement, Template, entity, shape};

/// Values that a variable may have, one after another in its loops or by several `set` tags, that are followed.
const MAX_CHOICES: usize = 16;
/// Longest text, in bytes, and list that is built.
const MAX_LENGTH: usize = 4096;
/// Variables that are followed through each other, and expressions inside each other.
const MAX_DEPTH: usize = 60;
/// Expressions that are looked at for one value.
const MAX_STEPS: usize = 20_000;
/// Expressions that are looked at for all values of a template.
const MAX_STEPS_IN_ALL: usize = 2_000_000;

/// A value that is the same each time a template is rendered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Constant {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A list of such values.
    List(Vec<Constant>),
}

impl Constant {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::List(items) => format!("[{}]", items.iter().map(Self::text).collect::<Vec<_>>().join(", ")),
        }
    }

    fn is_within(&self) -> bool {
        match self {
            Self::Text(text) => text.len() <= MAX_LENGTH,
            Self::Integer(_) => true,
            Self::List(items) => items.len() <= MAX_LENGTH && items.iter().map(Self::size).sum::<usize>() <= MAX_LENGTH,
        }
    }

    fn size(&self) -> usize {
        match self {
            Self::Text(text) => text.len() + 1,
            Self::Integer(_) => 1,
            Self::List(items) => items.iter().map(Self::size).sum::<usize>() + 1,
        }
    }
}

/// What the names of a template stand for.
#[derive(Debug, Default)]
pub struct Bindings<'t> {
    names: BTreeMap<String, Vec<Bound<'t>>>,
    spent: Cell<usize>,
    /// Names whose values are being found, and those whose values are known.
    active: RefCell<BTreeSet<String>>,
    known: RefCell<BTreeMap<String, Vec<Constant>>>,
    /// Whether a name that stands for itself was met.
    is_cut: Cell<bool>,
}

#[derive(Debug, Clone, Copy)]
enum Bound<'t> {
    To(&'t Expression),
    /// To each item, or to one place of each item, in turn.
    Each(&'t Expression, Option<usize>),
    /// To the item at a place.
    Part(&'t Expression, usize),
    Macro,
    Unknown,
}

impl<'t> Bindings<'t> {
    /// The names that `template` gives a value.
    #[must_use]
    pub fn of(template: &'t Template) -> Self {
        let mut bindings = Self::default();
        for tag in &template.tags {
            match &tag.statement {
                Statement::Set { targets, value } => {
                    for (place, target) in targets.iter().enumerate() {
                        let bound = match value {
                            Some(value) if targets.len() == 1 => Bound::To(value),
                            Some(value) => Bound::Part(value, place),
                            None => Bound::Unknown,
                        };
                        bindings.bind(target, bound);
                    }
                }
                Statement::For { targets, over, .. } => {
                    for (place, target) in targets.iter().enumerate() {
                        bindings.bind(target, Bound::Each(over, (targets.len() > 1).then_some(place)));
                    }
                }
                Statement::Macro { name, parameters, .. } => {
                    if let Some(name) = name {
                        bindings.names.entry(name.clone()).or_default().push(Bound::Macro);
                    }
                    for (parameter, _) in parameters {
                        bindings.names.entry(parameter.clone()).or_default().push(Bound::Unknown);
                    }
                }
                Statement::Use(_) | Statement::Template(_) => {}
            }
        }
        bindings.bind_attributes(template);
        bindings.bind_arguments(template);
        bindings
    }

    /// What the calls of `namespace` give its attributes.
    fn bind_attributes(&mut self, template: &'t Template) {
        for tag in &template.tags {
            let Statement::Set { targets, value: Some(Expression::Call(function, arguments)) } = &tag.statement else {
                continue;
            };
            if let ([Expression::Name(target)], Expression::Name(function)) = (&targets[..], &**function)
                && function == "namespace"
            {
                for argument in arguments {
                    if let Some(name) = &argument.name {
                        self.names.entry(format!("{target}.{name}")).or_default().push(Bound::To(&argument.value));
                    }
                }
            }
        }
    }

    /// What calls of macros give their parameters.
    fn bind_arguments(&mut self, template: &'t Template) {
        let mut macros: BTreeMap<&str, &[(String, Option<Expression>)]> = BTreeMap::new();
        for tag in &template.tags {
            if let Statement::Macro { name: Some(name), parameters, .. } = &tag.statement {
                macros.insert(name, parameters);
            }
        }
        for tag in &template.tags {
            for expression in tag.statement.expressions() {
                expression.walk(&mut |inner| {
                    let Expression::Call(function, arguments) = inner else { return };
                    let Expression::Name(function) = &**function else { return };
                    let Some(parameters) = macros.get(function.as_str()) else { return };
                    for (place, argument) in arguments.iter().enumerate() {
                        let name = argument.name.as_ref().or_else(|| parameters.get(place).map(|(name, _)| name));
                        if let Some(name) = name {
                            self.names.entry(name.clone()).or_default().push(Bound::To(&argument.value));
                        }
                    }
                });
            }
        }
    }

    fn bind(&mut self, target: &Expression, bound: Bound<'t>) {
        if let Some(name) = path(target) {
            self.names.entry(name).or_default().push(bound);
        }
    }

    /// Whether the template itself gives the name a value.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// Whether the name is that of a macro, and never of anything else.
    #[must_use]
    pub fn is_macro(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|bounds| bounds.iter().all(|bound| matches!(bound, Bound::Macro)))
    }

    /// Whether the template itself gives the attribute of a namespace a value.
    #[must_use]
    pub fn has_attribute(&self, attribute: &Expression) -> bool {
        path(attribute).is_some_and(|name| self.has(&name))
    }

    /// Whether a name of which `is` holds is part of an expression, or of what the names in it stand for. True where
    /// there is more to look at than is.
    #[must_use]
    pub fn reaches(&self, expression: &Expression, is: impl Fn(&str) -> bool) -> bool {
        let mut steps = MAX_STEPS.min(MAX_STEPS_IN_ALL.saturating_sub(self.spent.get()));
        let most = steps;
        let mut seen = BTreeSet::new();
        let mut open = vec![expression];
        let mut is_reached = false;
        while let Some(expression) = open.pop() {
            if steps == 0 {
                is_reached = true;
                break;
            }
            steps -= 1;
            let bounds = path(expression).and_then(|name| self.names.get_key_value(&name));
            if let Some((name, bounds)) = bounds {
                if seen.insert(name) {
                    open.extend(bounds.iter().filter_map(|bound| match bound {
                        Bound::To(value) | Bound::Each(value, _) | Bound::Part(value, _) => Some(*value),
                        Bound::Macro | Bound::Unknown => None,
                    }));
                }
            } else if let Expression::Name(name) = expression
                && is(name)
            {
                is_reached = true;
                break;
            } else {
                open.extend(expression.children());
            }
        }
        self.spent.set(self.spent.get() + (most - steps));
        is_reached
    }

    /// What an expression may be, as far as that is the same each time. None where nothing of it is known.
    #[must_use]
    pub fn values(&self, expression: &Expression) -> Vec<Constant> {
        let most = MAX_STEPS.min(MAX_STEPS_IN_ALL.saturating_sub(self.spent.get()));
        let mut steps = most;
        let values = self.fold(expression, 0, &mut steps);
        self.spent.set(self.spent.get() + (most - steps));
        values
    }

    /// Whether there was more to look at than is, so that values are missing.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        self.spent.get() >= MAX_STEPS_IN_ALL
    }

    /// The texts among [`Bindings::values`].
    #[must_use]
    pub fn texts(&self, expression: &Expression) -> Vec<String> {
        let of = |value| if let Constant::Text(text) = value { Some(text) } else { None };
        self.values(expression).into_iter().filter_map(of).collect()
    }

    fn fold(&self, expression: &Expression, depth: usize, steps: &mut usize) -> Vec<Constant> {
        if depth > MAX_DEPTH || *steps == 0 {
            return Vec::new();
        }
        *steps -= 1;
        let depth = depth + 1;
        let mut values = match expression {
            Expression::Text(text) => vec![Constant::Text(text.clone())],
            Expression::Integer(number) => vec![Constant::Integer(*number)],
            Expression::Name(_) | Expression::Attribute(..) => self.name(expression, depth, steps),
            Expression::List(items) => {
                // Items of which nothing is known leave a gap that a join shows.
                let mut all = Vec::new();
                for item in items.iter().take(MAX_LENGTH) {
                    match self.fold(item, depth, steps).into_iter().next() {
                        Some(value) => all.push(value),
                        None => return Vec::new(),
                    }
                }
                vec![Constant::List(all)]
            }
            Expression::Table(entries) => {
                let keys = entries.iter().map(|(key, _)| self.fold(key, depth, steps).into_iter().next());
                keys.collect::<Option<Vec<_>>>().map(Constant::List).into_iter().collect()
            }
            Expression::Choice(parts) => match &parts[..] {
                [value, _, other] => [self.fold(value, depth, steps), self.fold(other, depth, steps)].concat(),
                [value, ..] => self.fold(value, depth, steps),
                [] => Vec::new(),
            },
            Expression::Unary(value) => {
                let negate = |value| if let Constant::Integer(n) = value { n.checked_neg() } else { None };
                self.fold(value, depth, steps).into_iter().filter_map(negate).map(Constant::Integer).collect()
            }
            Expression::Chain(first, rest) => {
                let mut values = self.fold(first, depth, steps);
                for (operator, operand) in rest {
                    let right = self.fold(operand, depth, steps);
                    values = if *operator == Operator::Logic {
                        [values, right].concat()
                    } else {
                        pairs(&values, &right, |left, right| binary(*operator, left, right))
                    };
                    values.retain(Constant::is_within);
                }
                values
            }
            Expression::Item(value, key) => {
                let values = self.fold(value, depth, steps);
                match &**key {
                    Expression::Slice(parts) => {
                        let mut bounds = [None, None, None];
                        for (bound, part) in bounds.iter_mut().zip(parts) {
                            let known = part.as_ref().map(|part| self.fold(part, depth, steps).into_iter().next());
                            match known {
                                Some(Some(Constant::Integer(number))) => *bound = Some(number),
                                Some(_) => return Vec::new(),
                                None => {}
                            }
                        }
                        values.iter().filter_map(|value| slice(value, bounds)).collect()
                    }
                    key => pairs(&values, &self.fold(key, depth, steps), item),
                }
            }
            Expression::Filter(Some(value), name, arguments) => {
                let values = self.fold(value, depth, steps);
                self.method(name, values, arguments, depth, steps)
            }
            Expression::Call(function, arguments) => match &**function {
                Expression::Attribute(value, name) if name == "join" => {
                    let separators = self.fold(value, depth, steps);
                    let lists = arguments.first().map(|list| self.fold(&list.value, depth, steps)).unwrap_or_default();
                    pairs(&lists, &separators, |list, separator| Some(joined(list, &separator.text())))
                }
                Expression::Attribute(value, name) => {
                    let values = self.fold(value, depth, steps);
                    self.method(name, values, arguments, depth, steps)
                }
                Expression::Name(name) if name == "dict" => {
                    let keys = arguments.iter().filter_map(|argument| argument.name.clone());
                    vec![Constant::List(keys.map(Constant::Text).collect())]
                }
                _ => Vec::new(),
            },
            Expression::Other | Expression::Slice(_) | Expression::Test(..) | Expression::Filter(None, ..) => {
                Vec::new()
            }
        };
        values.retain(Constant::is_within);
        values.truncate(MAX_CHOICES);
        // Long texts cost more than short ones.
        let size: usize = values.iter().map(Constant::size).sum();
        *steps = steps.saturating_sub(size / 32);
        values
    }

    fn name(&self, expression: &Expression, depth: usize, steps: &mut usize) -> Vec<Constant> {
        let Some(name) = path(expression) else { return Vec::new() };
        let Some(bounds) = self.names.get(&name) else { return Vec::new() };
        if let Some(values) = self.known.borrow().get(&name) {
            return values.clone();
        }
        if !self.active.borrow_mut().insert(name.clone()) {
            // A name that stands for itself: what else it stands for is all that can be told.
            self.is_cut.set(true);
            let plain = |bound: &Bound<'_>| match bound {
                Bound::To(Expression::Text(text)) => Some(Constant::Text(text.clone())),
                Bound::To(Expression::Integer(number)) => Some(Constant::Integer(*number)),
                _ => None,
            };
            return bounds.iter().take(MAX_CHOICES).filter_map(plain).collect();
        }
        let was_cut = self.is_cut.replace(false);
        let values = self.bound(bounds, depth, steps);
        self.active.borrow_mut().remove(&name);
        let is_outermost = self.active.borrow().is_empty();
        if is_outermost || !self.is_cut.get() {
            self.known.borrow_mut().insert(name, values.clone());
        }
        self.is_cut.set(!is_outermost && (was_cut || self.is_cut.get()));
        values
    }

    fn bound(&self, bounds: &[Bound<'_>], depth: usize, steps: &mut usize) -> Vec<Constant> {
        let mut values = Vec::new();
        for bound in bounds.iter().take(MAX_CHOICES) {
            match bound {
                Bound::To(value) => values.extend(self.fold(value, depth, steps)),
                Bound::Part(value, place) => {
                    if let Expression::List(items) = value
                        && let Some(item) = items.get(*place)
                    {
                        values.extend(self.fold(item, depth, steps));
                    }
                }
                Bound::Each(over, place) => {
                    for value in self.fold(over, depth, steps) {
                        let items = match value {
                            Constant::List(items) => items,
                            Constant::Text(text) => text.chars().map(|letter| Constant::Text(letter.into())).collect(),
                            Constant::Integer(_) => Vec::new(),
                        };
                        values.extend(items.into_iter().filter_map(|item| match (place, item) {
                            (None, item) => Some(item),
                            (Some(place), Constant::List(parts)) => parts.into_iter().nth(*place),
                            (Some(_), _) => None,
                        }));
                    }
                }
                Bound::Macro | Bound::Unknown => {}
            }
        }
        values
    }

    fn method(
        &self,
        name: &str,
        values: Vec<Constant>,
        arguments: &[Argument],
        depth: usize,
        steps: &mut usize,
    ) -> Vec<Constant> {
        let mut given = Vec::new();
        for argument in arguments.iter().take(MAX_CHOICES) {
            given.push(self.fold(&argument.value, depth, steps));
        }
        let first = |place: usize| given.get(place).and_then(|values| values.first());
        let text = |place: usize| first(place).map(Constant::text);
        let width = |place: usize| match first(place) {
            Some(Constant::Integer(number)) => Some(usize::try_from(*number).unwrap_or(0)),
            _ => None,
        };
        let mut all = Vec::new();
        for value in values {
            let plain = value.text();
            all.extend(match name {
                "lower" => Some(Constant::Text(plain.to_lowercase())),
                "upper" => Some(Constant::Text(plain.to_uppercase())),
                "swapcase" => Some(Constant::Text(plain.chars().map(swapped).collect())),
                "trim" | "strip" => Some(Constant::Text(trim(&plain, text(0), true, true))),
                "lstrip" => Some(Constant::Text(trim(&plain, text(0), true, false))),
                "rstrip" => Some(Constant::Text(trim(&plain, text(0), false, true))),
                "center" | "ljust" | "rjust" => width(0).filter(|width| *width <= MAX_LENGTH).map(|width| {
                    Constant::Text(shape::padded(&plain, name, width, text(1).unwrap_or_else(|| " ".into())))
                }),
                "expandtabs" => {
                    Some(Constant::Text(shape::without_tabs(&plain, width(0).unwrap_or(8).min(MAX_LENGTH), MAX_LENGTH)))
                }
                "striptags" => Some(Constant::Text(entity::resolved(&shape::without_tags(&plain)))),
                "partition" | "rpartition" => {
                    let parts = text(0).and_then(|cut| {
                        let parts =
                            if name == "partition" { plain.split_once(&*cut) } else { plain.rsplit_once(&*cut) };
                        parts.map(|(before, behind)| [before.to_owned(), cut.clone(), behind.to_owned()])
                    });
                    parts.map(|parts| Constant::List(parts.into_iter().map(Constant::Text).collect()))
                }
                "sum" => total(&value),
                "removeprefix" => {
                    text(0).map(|cut| plain.strip_prefix(&*cut).unwrap_or(&plain).to_owned()).map(Constant::Text)
                }
                "removesuffix" => {
                    text(0).map(|cut| plain.strip_suffix(&*cut).unwrap_or(&plain).to_owned()).map(Constant::Text)
                }
                "string" | "safe" | "escape" | "e" | "forceescape" | "int" | "default" | "d" | "indent" | "tojson" => {
                    Some(value)
                }
                "reverse" => slice(&value, [None, None, Some(-1)]),
                "list" | "sort" | "unique" | "keys" => Some(match value {
                    Constant::Text(text) => {
                        Constant::List(text.chars().map(|letter| Constant::Text(letter.into())).collect())
                    }
                    other => other,
                }),
                "first" => item(&value, &Constant::Integer(0)),
                "last" => item(&value, &Constant::Integer(-1)),
                "join" => Some(joined(&value, &text(0).unwrap_or_default())),
                "replace" => match (text(0), text(1)) {
                    (Some(from), Some(to)) if to.len() <= 64 => Some(Constant::Text(plain.replace(&from, &to))),
                    _ => None,
                },
                "split" => {
                    let parts = text(0).filter(|cut| !cut.is_empty()).map_or_else(
                        || plain.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
                        |cut| plain.split(&*cut).map(str::to_owned).collect(),
                    );
                    Some(Constant::List(parts.into_iter().map(Constant::Text).collect()))
                }
                "format" if plain.contains('%') => {
                    let values: Vec<_> = given.iter().filter_map(|values| values.first().cloned()).collect();
                    (values.len() == given.len()).then(|| percent(&plain, &values))
                }
                "format" => {
                    let values: Vec<_> = given.iter().filter_map(|values| values.first().cloned()).collect();
                    (values.len() == given.len()).then(|| braces(&plain, &values))
                }
                _ => None,
            });
        }
        // `x|default('y')` is `y` where `x` is not known.
        if matches!(name, "default" | "d") {
            all.extend(first(0).cloned());
        }
        all
    }
}

/// A name, or the attribute of a namespace.
fn path(target: &Expression) -> Option<String> {
    match target {
        Expression::Name(name) => Some(name.clone()),
        Expression::Attribute(value, attribute) => match &**value {
            Expression::Name(name) => Some(format!("{name}.{attribute}")),
            _ => None,
        },
        _ => None,
    }
}

fn pairs(
    left: &[Constant],
    right: &[Constant],
    of: impl Fn(&Constant, &Constant) -> Option<Constant>,
) -> Vec<Constant> {
    let of = &of;
    left.iter().flat_map(|left| right.iter().filter_map(move |right| of(left, right))).take(MAX_CHOICES).collect()
}

fn binary(operator: Operator, left: &Constant, right: &Constant) -> Option<Constant> {
    Some(match (operator, left, right) {
        (Operator::Add, Constant::Integer(left), Constant::Integer(right)) => {
            Constant::Integer(left.checked_add(*right)?)
        }
        (Operator::Add, Constant::List(left), Constant::List(right)) => {
            Constant::List([&left[..], &right[..]].concat())
        }
        (Operator::Add, Constant::Text(left), Constant::Text(right)) => Constant::Text(format!("{left}{right}")),
        (Operator::Join, left, right) => Constant::Text(left.text() + &right.text()),
        (Operator::Times, Constant::Integer(left), Constant::Integer(right)) => {
            Constant::Integer(left.saturating_mul(*right))
        }
        (Operator::Times, Constant::Text(text), Constant::Integer(count))
        | (Operator::Times, Constant::Integer(count), Constant::Text(text)) => {
            let count = usize::try_from(*count).unwrap_or(0);
            if text.len().saturating_mul(count) > MAX_LENGTH {
                return None;
            }
            Constant::Text(text.repeat(count))
        }
        (Operator::Power, Constant::Integer(left), Constant::Integer(right)) => {
            Constant::Integer(left.saturating_pow(u32::try_from(*right).ok()?))
        }
        (Operator::Percent, Constant::Text(text), Constant::List(values)) => percent(text, values),
        (Operator::Percent, Constant::Text(text), value) => percent(text, std::slice::from_ref(value)),
        _ => return None,
    })
}

/// A text with values in place of `%s`, `%c`, `%d` and the like.
fn percent(text: &str, values: &[Constant]) -> Constant {
    let mut values = values.iter();
    let mut out = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        while letters.next_if(|next| "-+ #0123456789.".contains(*next)).is_some() {}
        match letters.next() {
            Some('%') | None => out.push('%'),
            Some(kind) => match values.next() {
                Some(Constant::Integer(code)) if kind == 'c' => {
                    out.extend(u32::try_from(*code).ok().and_then(char::from_u32));
                }
                Some(Constant::Integer(number)) if matches!(kind, 'x' | 'X') => out.push_str(&format!("{number:x}")),
                Some(value) => out.push_str(&value.text()),
                None => {}
            },
        }
    }
    Constant::Text(out)
}

/// A text with values in place of `{}`, `{0}` and `{0:c}`.
fn braces(text: &str, values: &[Constant]) -> Constant {
    let mut out = String::new();
    let mut rest = text;
    let mut next = 0;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let Some((field, after)) = behind.split_once('}') else { break };
        let (name, form) = field.split_once(':').unwrap_or((field, ""));
        let place = name.parse().unwrap_or(next);
        next = place + 1;
        match values.get(place) {
            Some(Constant::Integer(code)) if form == "c" => {
                out.extend(u32::try_from(*code).ok().and_then(char::from_u32));
            }
            Some(value) if name.is_empty() || name.parse::<usize>().is_ok() => out.push_str(&value.text()),
            // What walks through attributes stays to be seen.
            _ => out.push_str(&format!("{{{field}}}")),
        }
        rest = after;
    }
    out.push_str(rest);
    Constant::Text(out)
}

fn joined(list: &Constant, separator: &str) -> Constant {
    Constant::Text(match list {
        Constant::List(items) => items.iter().map(Constant::text).collect::<Vec<_>>().join(separator),
        Constant::Text(text) => text.chars().map(String::from).collect::<Vec<_>>().join(separator),
        Constant::Integer(number) => number.to_string(),
    })
}

fn item(value: &Constant, key: &Constant) -> Option<Constant> {
    let Constant::Integer(place) = key else { return None };
    let at = |length: usize| {
        let place = if *place < 0 { place.checked_add(i64::try_from(length).ok()?)? } else { *place };
        usize::try_from(place).ok()
    };
    match value {
        Constant::List(items) => items.get(at(items.len())?).cloned(),
        Constant::Text(text) => text.chars().nth(at(text.chars().count())?).map(|letter| Constant::Text(letter.into())),
        Constant::Integer(_) => None,
    }
}

fn slice(value: &Constant, [from, to, step]: [Option<i64>; 3]) -> Option<Constant> {
    let letters: Vec<Constant> = match value {
        Constant::List(items) => items.clone(),
        Constant::Text(text) => text.chars().map(|letter| Constant::Text(letter.into())).collect(),
        Constant::Integer(_) => return None,
    };
    let length = i64::try_from(letters.len()).ok()?;
    let step = step.unwrap_or(1);
    let clamp =
        |bound: i64, least, most| (if bound < 0 { bound.saturating_add(length) } else { bound }).clamp(least, most);
    let mut out = Vec::new();
    if step > 0 {
        let (mut place, end) = (clamp(from.unwrap_or(0), 0, length), clamp(to.unwrap_or(length), 0, length));
        while place < end {
            out.extend(usize::try_from(place).ok().and_then(|place| letters.get(place)).cloned());
            place = place.saturating_add(step);
        }
    } else if step < 0 {
        let mut place = from.map_or(length - 1, |from| clamp(from, -1, length - 1));
        let end = to.map_or(-1, |to| clamp(to, -1, length - 1));
        while place > end {
            out.extend(usize::try_from(place).ok().and_then(|place| letters.get(place)).cloned());
            place = place.saturating_add(step);
        }
    } else {
        return None;
    }
    Some(match value {
        Constant::List(_) => Constant::List(out),
        _ => joined(&Constant::List(out), ""),
    })
}

/// A list's items put together, as far as they are of one kind.
fn total(value: &Constant) -> Option<Constant> {
    let Constant::List(items) = value else { return None };
    let (first, rest) = items.split_first()?;
    rest.iter().try_fold(first.clone(), |sum, item| binary(Operator::Add, &sum, item).filter(Constant::is_within))
}

fn swapped(letter: char) -> char {
    if letter.is_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
}

fn trim(text: &str, letters: Option<String>, start: bool, end: bool) -> String {
    let is_cut = |letter: char| match &letters {
        Some(letters) => letters.contains(letter),
        None => letter.is_whitespace(),
    };
    let text = if start { text.trim_start_matches(is_cut) } else { text };
    (if end { text.trim_end_matches(is_cut) } else { text }).to_owned()
}
