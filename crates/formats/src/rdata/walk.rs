use std::rc::Rc;

use super::input::Input;
use super::{Code, CodeKind, RData, RDataError, RDataLimits};

/// Most names and texts that are kept of one piece of code, and most bytes of each.
const MAX_WORDS: usize = 2000;
const MAX_WORD_BYTES: usize = 4096;
/// Most classes, variables and namespaces that are kept.
const MAX_NAMES: usize = 1000;
/// Most texts of one vector that are kept while it is read.
const MAX_TEXTS: usize = 16;

const SYMBOL: u8 = 1;
const LIST: u8 = 2;
const CLOSURE: u8 = 3;
const ENVIRONMENT: u8 = 4;
const PROMISE: u8 = 5;
const LANGUAGE: u8 = 6;
const SPECIAL: u8 = 7;
const BUILTIN: u8 = 8;
const CHARACTERS: u8 = 9;
const DOTS: u8 = 17;
const BYTECODE: u8 = 21;
const POINTER: u8 = 22;
const ALTERNATIVE: u8 = 238;
const ATTRIBUTED_LIST: u8 = 239;
const ATTRIBUTED_LANGUAGE: u8 = 240;
const REPEATED: u8 = 243;
const REPEATABLE: u8 = 244;
const MISSING: u8 = 251;
const UNBOUND: u8 = 252;
const REFERENCE: u8 = 255;

/// The bit of a list's cell that makes it an active binding.
const ACTIVE: u32 = 1 << 15;

/// Where a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The value itself, or a variable's.
    Root,
    /// Anywhere in a value.
    Data,
    /// The variables of an environment: a list of them, or a table of lists.
    Frame,
    /// A variable of an environment, or one of a function's dots.
    Variable,
}

/// What is known of a value that was passed over.
#[derive(Debug, Default)]
struct Seen {
    kind: u8,
    /// The name of a symbol, or characters.
    text: Option<Rc<str>>,
    /// The first texts of a vector of them.
    texts: Vec<Rc<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Flags(u32);

impl Flags {
    fn kind(self) -> u8 {
        u8::try_from(self.0 & 0xff).unwrap_or_default()
    }

    fn has_attributes(self) -> bool {
        self.0 & 1 << 9 != 0
    }

    fn has_tag(self) -> bool {
        self.0 & 1 << 10 != 0
    }

    fn is_active(self) -> bool {
        self.0 >> 12 & ACTIVE != 0
    }
}

struct Walk<'b, 'l> {
    input: Input<'b>,
    limits: &'l RDataLimits,
    found: RData,
    items: u64,
    depth: usize,
    /// What references refer to: the names of symbols, and nothing of others.
    references: Vec<Option<Rc<str>>>,
    /// The piece of code that is being read.
    code: Option<usize>,
    variable: String,
}

pub(super) fn walk(input: Input<'_>, limits: &RDataLimits, found: RData) -> Result<RData, RDataError> {
    let mut walk =
        Walk { input, limits, found, items: 0, depth: 0, references: Vec::new(), code: None, variable: String::new() };
    walk.item(Place::Root)?;
    walk.found.items = walk.items;
    walk.found.trailing = walk.input.left() as u64;
    Ok(walk.found)
}

impl Walk<'_, '_> {
    fn flags(&mut self) -> Result<Flags, RDataError> {
        self.items += 1;
        if self.items > self.limits.items {
            return Err(RDataError::Bound("values"));
        }
        self.input.integer().map(|flags| Flags(flags.cast_unsigned()))
    }

    fn item(&mut self, place: Place) -> Result<Seen, RDataError> {
        let flags = self.flags()?;
        self.value(flags, place)
    }

    fn value(&mut self, flags: Flags, place: Place) -> Result<Seen, RDataError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(RDataError::Bound("values inside each other"));
        }
        // What holds other values has functions of its own: on the way down each takes its part of the stack.
        let seen = match flags.kind() {
            19 | 20 => self.values(flags, place)?,
            LIST | LANGUAGE | DOTS | CLOSURE | PROMISE => self.pairs(flags, place)?,
            ENVIRONMENT => self.environment()?,
            POINTER => self.pointer()?,
            ALTERNATIVE => self.alternative()?,
            BYTECODE => self.compiled()?,
            _ => self.leaf(flags)?,
        };
        if flags.has_attributes() && has_attributes_behind(flags.kind()) {
            self.attributes(place)?;
        }
        self.depth -= 1;
        Ok(seen)
    }

    /// A vector of values.
    fn values(&mut self, flags: Flags, place: Place) -> Result<Seen, RDataError> {
        let count = self.input.count()?;
        let inner = if place == Place::Frame { place } else { Place::Data };
        for _ in 0..count {
            self.item(inner)?;
        }
        Ok(Seen { kind: flags.kind(), ..Seen::default() })
    }

    /// What holds no other values but characters.
    fn leaf(&mut self, flags: Flags) -> Result<Seen, RDataError> {
        let kind = flags.kind();
        let mut seen = Seen { kind, ..Seen::default() };
        match kind {
            // Values that have one instance: NULL, the environments of R itself, marks for what is missing.
            241 | 242 | 250 | MISSING | UNBOUND | 253 | 254 => return Ok(seen),
            REFERENCE => {
                let index = match flags.0 >> 8 {
                    0 => self.input.integer()?.cast_unsigned(),
                    index => index,
                };
                let index = usize::try_from(index).ok().and_then(|index| index.checked_sub(1));
                let target = index.and_then(|index| self.references.get(index));
                seen.text = target.ok_or(RDataError::Broken("a reference"))?.clone();
                if seen.text.is_some() {
                    seen.kind = SYMBOL;
                }
                self.word(seen.text.as_ref());
                return Ok(seen);
            }
            SYMBOL => {
                let flags = self.flags()?;
                seen.text = self.characters(flags)?;
                self.references.push(seen.text.clone());
                self.word(seen.text.as_ref());
                return Ok(seen);
            }
            // The environment of a package, a namespace, and what a program outside restores.
            247..=249 => {
                let texts = self.texts()?;
                if kind == 249
                    && let Some(name) = texts.first()
                    && self.found.namespaces.len() < MAX_NAMES
                    && !self.found.namespaces.iter().any(|known| known.as_str() == &**name)
                {
                    self.found.namespaces.push(name.to_string());
                }
                self.references.push(None);
                return Ok(seen);
            }
            23 => self.references.push(None),
            SPECIAL | BUILTIN => {
                let length = self.input.count()?;
                let name: Rc<str> = self.input.text(length)?.into();
                self.call(&name);
                seen.text = Some(name);
            }
            CHARACTERS => seen.text = self.characters(flags)?,
            10 => self.numbers("logical", 4)?,
            13 => self.numbers("integer", 4)?,
            14 => self.numbers("double", 8)?,
            15 => self.complex()?,
            24 => self.numbers("raw", 1)?,
            16 => {
                let count = self.input.count()?;
                self.vector("character", count);
                for _ in 0..count {
                    let flags = self.flags()?;
                    let text = self.characters(flags)?;
                    self.word(text.as_ref());
                    if let Some(text) = text
                        && seen.texts.len() < MAX_TEXTS
                    {
                        seen.texts.push(text);
                    }
                }
            }
            25 => {}
            kind => return Err(RDataError::UnknownType(kind)),
        }
        Ok(seen)
    }

    /// Characters; none for those that are missing.
    fn characters(&mut self, flags: Flags) -> Result<Option<Rc<str>>, RDataError> {
        if flags.kind() != CHARACTERS || flags.has_attributes() {
            return Err(RDataError::Broken("a text"));
        }
        match self.input.integer()? {
            -1 => Ok(None),
            length => {
                let length = usize::try_from(length).map_err(|_| RDataError::Broken("a text"))?;
                Ok(Some(self.input.text(length)?.into()))
            }
        }
    }

    /// A place that a program outside fills in, with two values that it keeps.
    fn pointer(&mut self) -> Result<Seen, RDataError> {
        self.references.push(None);
        self.found.pointers += 1;
        self.item(Place::Data)?;
        self.item(Place::Data)?;
        Ok(Seen { kind: POINTER, ..Seen::default() })
    }

    /// A vector in another form: what it is, its state, and its attributes.
    fn alternative(&mut self) -> Result<Seen, RDataError> {
        self.item(Place::Data)?;
        self.item(Place::Data)?;
        self.attributes(Place::Data)?;
        Ok(Seen { kind: ALTERNATIVE, ..Seen::default() })
    }

    /// Compiled code.
    fn compiled(&mut self) -> Result<Seen, RDataError> {
        // How many repeated constants there are.
        if self.input.integer()? < 0 {
            return Err(RDataError::Broken("compiled code"));
        }
        let outer = self.begin(CodeKind::Language)?;
        self.bytecode()?;
        self.code = outer;
        Ok(Seen { kind: BYTECODE, ..Seen::default() })
    }

    fn numbers(&mut self, name: &'static str, width: usize) -> Result<(), RDataError> {
        let count = self.input.count()?;
        self.vector(name, count);
        self.input.skip_numbers(count, width)
    }

    fn complex(&mut self) -> Result<(), RDataError> {
        let count = self.input.count()?;
        self.vector("complex", count);
        self.input.skip_numbers(count.checked_mul(2).ok_or(RDataError::Truncated)?, 8)
    }

    fn vector(&mut self, name: &'static str, count: usize) {
        let entry = self.found.vectors.entry(name).or_default();
        entry.0 += 1;
        entry.1 = entry.1.saturating_add(count as u64);
    }

    /// Texts as the names of namespaces are written.
    fn texts(&mut self) -> Result<Vec<Rc<str>>, RDataError> {
        if self.input.integer()? != 0 {
            return Err(RDataError::Broken("names"));
        }
        let count = self.input.count()?;
        let mut texts = Vec::new();
        for _ in 0..count {
            let flags = self.flags()?;
            if let Some(text) = self.characters(flags)?
                && texts.len() < MAX_TEXTS
            {
                texts.push(text);
            }
        }
        Ok(texts)
    }

    fn environment(&mut self) -> Result<Seen, RDataError> {
        // Whether it is locked.
        self.input.integer()?;
        self.references.push(None);
        // What a function's environment holds is not the function's code.
        let outer = self.code.take();
        let variable = std::mem::take(&mut self.variable);
        self.item(Place::Data)?;
        self.item(Place::Frame)?;
        self.item(Place::Frame)?;
        self.attributes(Place::Data)?;
        self.code = outer;
        self.variable = variable;
        Ok(Seen { kind: ENVIRONMENT, ..Seen::default() })
    }

    /// A list, a call, or what is built like them: attributes, tag, head, and the rest, which is followed without going
    /// deeper.
    fn pairs(&mut self, flags: Flags, place: Place) -> Result<Seen, RDataError> {
        let outer = self.code;
        let first = flags.kind();
        let (mut flags, mut is_first) = (flags, true);
        loop {
            let kind = flags.kind();
            if !matches!(kind, LIST | LANGUAGE | DOTS | CLOSURE | PROMISE) {
                self.value(flags, place)?;
                break;
            }
            match kind {
                LIST | DOTS => self.cell(flags, place)?,
                CLOSURE | PROMISE => {
                    self.unit(flags, place)?;
                    break;
                }
                _ => {
                    if is_first && self.code.is_none() {
                        self.begin(CodeKind::Language)?;
                    }
                    self.called(flags)?;
                    // What follows are the arguments.
                    flags = self.flags()?;
                    while flags.kind() == LIST {
                        self.cell(flags, Place::Data)?;
                        flags = self.flags()?;
                    }
                    self.value(flags, Place::Data)?;
                    break;
                }
            }
            is_first = false;
            flags = self.flags()?;
        }
        self.code = outer;
        Ok(Seen { kind: first, ..Seen::default() })
    }

    /// Attributes, tag and head of a list's cell.
    fn cell(&mut self, flags: Flags, place: Place) -> Result<(), RDataError> {
        if flags.has_attributes() {
            self.attributes(Place::Data)?;
        }
        let tag = if flags.has_tag() { self.item(Place::Data)?.text } else { None };
        let is_variable = place == Place::Root && self.found.is_workspace && self.depth == 1;
        if is_variable && let Some(tag) = &tag {
            if self.found.variables.len() < MAX_NAMES {
                self.found.variables.push(tag.to_string());
            }
            self.variable = tag.to_string();
        }
        let outer = self.code;
        if flags.is_active() && place == Place::Frame {
            self.begin(CodeKind::ActiveBinding)?;
        }
        let inner = match place {
            Place::Root if is_variable => Place::Root,
            Place::Frame => Place::Variable,
            _ if flags.kind() == DOTS => Place::Variable,
            _ => Place::Data,
        };
        self.item(inner)?;
        self.code = outer;
        if is_variable {
            self.variable.clear();
        }
        Ok(())
    }

    /// The function of a call.
    fn called(&mut self, flags: Flags) -> Result<(), RDataError> {
        if flags.has_attributes() {
            self.attributes(Place::Data)?;
        }
        if flags.has_tag() {
            self.item(Place::Data)?;
        }
        let next = self.flags()?;
        if next.kind() != LANGUAGE {
            let head = self.value(next, Place::Data)?;
            if head.kind == SYMBOL
                && let Some(name) = head.text
            {
                self.call(&name);
            } else if let [name] = head.texts.as_slice() {
                // R takes a text in this place for a name.
                self.call(name);
            }
            return Ok(());
        }
        // `package::function(…)`: the words of it are what is called.
        let before = self.words();
        self.value(next, Place::Data)?;
        let words: Vec<Rc<str>> = self
            .code
            .and_then(|code| self.found.codes.get(code))
            .and_then(|code| code.words.get(before..))
            .unwrap_or_default()
            .iter()
            .map(|word| Rc::from(word.as_str()))
            .collect();
        for word in words {
            self.call(&word);
        }
        Ok(())
    }

    /// A function or a promise: its attributes, environment, formals or value, and code.
    fn unit(&mut self, flags: Flags, place: Place) -> Result<(), RDataError> {
        let is_promise = flags.kind() == PROMISE;
        let outer = self.code;
        if is_promise {
            // The value that it may have is no part of its code.
            self.code = None;
        } else if outer.is_none() {
            self.begin(CodeKind::Function)?;
        }
        if flags.has_attributes() {
            self.attributes(if is_promise { Place::Data } else { place })?;
        }
        if flags.has_tag() {
            self.item(Place::Data)?;
        }
        let value = self.item(Place::Data)?;
        // One with a value has been run, and is not run again.
        if is_promise && matches!(value.kind, UNBOUND | MISSING) {
            self.begin(CodeKind::Promise { is_variable: place == Place::Variable })?;
        }
        self.item(Place::Data)?;
        self.code = outer;
        Ok(())
    }

    /// A list of attributes; classes are noted.
    fn attributes(&mut self, place: Place) -> Result<(), RDataError> {
        let mut flags = self.flags()?;
        while flags.kind() == LIST {
            if flags.has_attributes() {
                self.value_of_attribute()?;
            }
            let tag = if flags.has_tag() { self.item(Place::Data)?.text } else { None };
            let value = self.item(Place::Data)?;
            if tag.as_deref() == Some("class") {
                for class in value.texts {
                    if place == Place::Root && self.found.root_classes.len() < MAX_NAMES {
                        self.found.root_classes.push(class.to_string());
                    }
                    if self.found.classes.len() < MAX_NAMES || self.found.classes.contains_key(&*class) {
                        *self.found.classes.entry(class.to_string()).or_default() += 1;
                    }
                }
            }
            flags = self.flags()?;
        }
        self.value(flags, Place::Data)?;
        Ok(())
    }

    fn value_of_attribute(&mut self) -> Result<(), RDataError> {
        self.item(Place::Data).map(|_| ())
    }

    /// The numbers of compiled code, and its constants.
    fn bytecode(&mut self) -> Result<(), RDataError> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(RDataError::Bound("values inside each other"));
        }
        self.item(Place::Data)?;
        let count = self.input.integer()?;
        for _ in 0..count {
            self.items += 1;
            let kind = self.input.integer()?;
            match u8::try_from(kind).unwrap_or_default() {
                BYTECODE => self.bytecode()?,
                kind @ (LANGUAGE | LIST | REPEATABLE | REPEATED | ATTRIBUTED_LANGUAGE | ATTRIBUTED_LIST) => {
                    self.constant(kind)?;
                }
                _ => {
                    let seen = self.item(Place::Data)?;
                    // Its instructions call functions by constants like this one.
                    if seen.kind == SYMBOL
                        && let Some(name) = seen.text
                    {
                        self.call(&name);
                    }
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// A call or list among the constants of compiled code, in a form of its own.
    fn constant(&mut self, kind: u8) -> Result<(), RDataError> {
        let (mut kind, depth) = (kind, self.depth);
        // The rest of each list is followed without going deeper.
        loop {
            self.items += 1;
            if self.items > self.limits.items {
                return Err(RDataError::Bound("values"));
            }
            if kind == REPEATED {
                self.input.integer()?;
                break;
            }
            if kind == REPEATABLE {
                self.input.integer()?;
                kind = self.constant_kind()?;
            }
            if !matches!(kind, LANGUAGE | LIST | ATTRIBUTED_LANGUAGE | ATTRIBUTED_LIST) {
                self.item(Place::Data)?;
                break;
            }
            if matches!(kind, ATTRIBUTED_LANGUAGE | ATTRIBUTED_LIST) {
                self.attributes(Place::Data)?;
            }
            self.item(Place::Data)?;
            let is_call = matches!(kind, LANGUAGE | ATTRIBUTED_LANGUAGE);
            let head = self.constant_kind()?;
            if matches!(head, LANGUAGE | LIST | REPEATABLE | REPEATED | ATTRIBUTED_LANGUAGE | ATTRIBUTED_LIST) {
                self.depth += 1;
                if self.depth > self.limits.depth {
                    return Err(RDataError::Bound("values inside each other"));
                }
                let before = self.words();
                self.constant(head)?;
                self.depth = depth;
                if is_call {
                    self.call_words(before);
                }
            } else {
                let seen = self.item(Place::Data)?;
                if is_call
                    && seen.kind == SYMBOL
                    && let Some(name) = seen.text
                {
                    self.call(&name);
                }
            }
            kind = self.constant_kind()?;
        }
        Ok(())
    }

    fn constant_kind(&mut self) -> Result<u8, RDataError> {
        self.input.integer().map(|kind| u8::try_from(kind).unwrap_or_default())
    }

    /// Begins a piece of code; gives the one that it is in.
    fn begin(&mut self, kind: CodeKind) -> Result<Option<usize>, RDataError> {
        let outer = self.code;
        if kind == CodeKind::Language && outer.is_some() {
            return Ok(outer);
        }
        if self.found.codes.len() >= self.limits.codes {
            return Err(RDataError::Bound("pieces of code"));
        }
        self.code = Some(self.found.codes.len());
        let (offset, variable) = (self.input.place(), self.variable.clone());
        self.found.codes.push(Code { kind, offset, calls: Vec::new(), words: Vec::new(), variable });
        Ok(outer)
    }

    fn words(&self) -> usize {
        self.code.and_then(|code| self.found.codes.get(code)).map_or(0, |code| code.words.len())
    }

    fn word(&mut self, text: Option<&Rc<str>>) {
        let code = self.code.and_then(|code| self.found.codes.get_mut(code));
        if let (Some(code), Some(text)) = (code, text)
            && code.words.len() < MAX_WORDS
        {
            code.words.push(cut(text));
        }
    }

    fn call(&mut self, name: &str) {
        if let Some(code) = self.code.and_then(|code| self.found.codes.get_mut(code))
            && code.calls.len() < MAX_WORDS
            && !code.calls.iter().any(|known| known == name)
        {
            code.calls.push(cut(name));
        }
    }

    /// Takes the words since `before` for functions that are called.
    fn call_words(&mut self, before: usize) {
        let code = self.code.and_then(|code| self.found.codes.get(code));
        let words = code.and_then(|code| code.words.get(before..)).unwrap_or_default().to_vec();
        for word in words {
            self.call(&word);
        }
    }
}

/// Whether attributes follow a value of a kind; others have them before their parts, in a place of their own, or never.
fn has_attributes_behind(kind: u8) -> bool {
    matches!(kind, SPECIAL | BUILTIN | 10 | 13..=16 | 19..=25)
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_WORD_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}
