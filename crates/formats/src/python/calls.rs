use std::cell::{Cell, OnceCell};
use std::collections::{BTreeMap, BTreeSet};

use super::aliases::{Aliases, item, joined, short, table};
use super::lexer::{Kind, Token};
use super::{Call, Scope, Source, SourceError};

mod bindings;

/// Bytes of calls and names that are told.
const MAX_TOLD: usize = 128 << 20;
/// What a text weighs beside its bytes.
const TEXT: usize = 48;
/// Tokens of an argument that are looked at for what is called within it.
const MAX_INNER: usize = 500;
/// Tokens of a table of settings that are looked at.
const MAX_SETTINGS: usize = 100_000;
/// Times that names are gathered, for those that are made of others further down.
const MAX_ROUNDS: usize = 4;
/// Paths that a chain of names may have.
const MAX_PATHS: usize = 256;
/// Parts of a path that a name is given: one that is made of itself would grow without end.
const MAX_PARTS: usize = 6;
/// Tables that one name may hold.
const MAX_TABLES: usize = 16;
/// Words that begin no name.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield", "None", "True", "False",
];

pub(super) struct Reader {
    tokens: Vec<Token>,
    aliases: Aliases,
    /// Names that hold a session from here on.
    sessions: BTreeMap<String, String>,
    /// Names that hold a table, and where it begins and ends.
    tables: BTreeMap<String, Vec<(usize, usize)>>,
    stars: BTreeSet<String>,
    /// First names of imported modules.
    modules: BTreeSet<String>,
    /// Whether names are gathered, before anything is told.
    is_gathering: bool,
    source: Source,
    bodies: Vec<(usize, Scope)>,
    /// Bytes that were told.
    told: Cell<usize>,
}

/// A call on its way through the paths that its function may have: what is the same for all is looked up once.
#[derive(Default)]
struct Site {
    arguments: OnceCell<Vec<(usize, usize)>>,
    first: OnceCell<Option<Vec<String>>>,
}

impl Reader {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self {
            tokens,
            aliases: Aliases::default(),
            sessions: BTreeMap::new(),
            tables: BTreeMap::new(),
            stars: BTreeSet::new(),
            modules: BTreeSet::new(),
            is_gathering: true,
            source: Source::default(),
            bodies: Vec::new(),
            told: Cell::new(0),
        }
    }

    /// Gathers what names stand for, wherever they get it, then tells what is called by them.
    pub(super) fn read(mut self) -> Result<Source, SourceError> {
        for _ in 0..MAX_ROUNDS {
            let before = self.aliases.clone();
            self.pass()?;
            if self.aliases == before {
                break;
            }
        }
        self.is_gathering = false;
        self.pass()?;
        Ok(self.source)
    }

    fn pass(&mut self) -> Result<(), SourceError> {
        self.bodies.clear();
        let mut place = 0;
        while let Some(Token { kind: Kind::Line(indent), .. }) = self.tokens.get(place) {
            let (indent, start) = (*indent, place + 1);
            let end = (start..self.tokens.len()).find(|at| matches!(self.kind(*at), Some(Kind::Line(_))));
            let Some(end) = end else { break };
            self.line(indent, start, end)?;
            if self.is_full() {
                return Err(SourceError { line: self.line_of(start), what: "it has too many names" });
            }
            place = end;
        }
        Ok(())
    }

    /// Takes note of what is told; what is past the bound is not.
    fn tell<'p>(&self, texts: impl IntoIterator<Item = &'p String>) -> bool {
        let weight: usize = texts.into_iter().map(|text| text.len() + TEXT).sum();
        self.told.set(self.told.get().saturating_add(weight));
        !self.is_full()
    }

    fn is_full(&self) -> bool {
        self.told.get() > MAX_TOLD
    }

    fn line_of(&self, at: usize) -> u64 {
        self.tokens.get(at).map_or(0, |token| token.line)
    }

    fn kind(&self, at: usize) -> Option<&Kind> {
        self.tokens.get(at).map(|token| &token.kind)
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.kind(at) {
            Some(Kind::Name(name)) => Some(name),
            _ => None,
        }
    }

    fn is_sign(&self, at: usize, sign: char) -> bool {
        matches!(self.kind(at), Some(Kind::Sign(here)) if *here == sign)
    }

    fn close(&self, at: usize) -> usize {
        self.tokens.get(at).map_or(at, |token| token.close.max(at))
    }

    fn scope(&self) -> Scope {
        let inner = self.bodies.iter().rev().map(|(_, scope)| scope);
        let mut found = Scope::Module;
        for scope in inner {
            match scope {
                Scope::Function(_) => return scope.clone(),
                Scope::Main => found = Scope::Main,
                Scope::Module => {}
            }
        }
        found
    }

    fn line(&mut self, indent: usize, start: usize, end: usize) -> Result<(), SourceError> {
        while self.bodies.last().is_some_and(|(outer, _)| *outer >= indent) {
            self.bodies.pop();
        }
        // Statements on one line, but for those within brackets.
        let mut from = start;
        let mut at = start;
        while at <= end {
            if at == end || self.is_sign(at, ';') {
                self.statement(indent, from, at)?;
                from = at + 1;
                at += 1;
            } else {
                at = self.close(at) + 1;
            }
        }
        if self.is_gathering {
            // Names that get a value within an expression.
            for at in start..end {
                if self.name(at).is_some() && self.is_sign(at + 1, ':') && self.is_sign(at + 2, '=') {
                    self.bind(at, at + 3, end, true)?;
                }
            }
        }
        Ok(())
    }

    fn statement(&mut self, indent: usize, start: usize, end: usize) -> Result<(), SourceError> {
        let first = self.name(start).unwrap_or_default().to_owned();
        match first.as_str() {
            "import" => return self.import(start + 1, end),
            "from" => return self.from(start + 1, end),
            _ => {}
        }
        let is_async = first == "async";
        let keyword = if is_async { self.name(start + 1).unwrap_or_default() } else { &first };
        if keyword == "def" {
            let named = start + 1 + usize::from(is_async);
            let name = self.name(named).unwrap_or_default().to_owned();
            // Defaults and annotations are evaluated where the function is defined.
            let open = (named..end).find(|at| self.is_sign(*at, '(')).unwrap_or(end);
            let head = (self.close(open) + 1).min(end);
            self.scan(open, head);
            let colon = (head..end).find(|at| self.is_sign(*at, ':')).unwrap_or(end);
            self.scan(head, colon);
            self.bodies.push((indent, Scope::Function(name)));
            return self.body(indent, colon + 1, end);
        }
        if first == "if" && self.name(start + 1) == Some("__name__") {
            self.bodies.push((indent, Scope::Main));
            let colon = (start..end).find(|at| self.is_sign(*at, ':')).unwrap_or(end);
            return self.body(indent, colon + 1, end);
        }
        if matches!(keyword, "class" | "if" | "else" | "elif" | "try" | "except" | "finally" | "for" | "while" | "with")
        {
            self.bodies.push((indent, Scope::Module));
            let mut at = start;
            while at < end && !self.is_sign(at, ':') {
                at = self.close(at) + 1;
            }
            self.scan(start, at.min(end));
            return self.body(indent, at + 1, end);
        }
        self.assign(start, end)?;
        self.scan(start, end);
        Ok(())
    }

    /// What stands behind a colon on the same line.
    fn body(&mut self, indent: usize, start: usize, end: usize) -> Result<(), SourceError> {
        if start >= end {
            return Ok(());
        }
        match self.name(start) {
            Some("import" | "from") => self.statement(indent + 1, start, end),
            _ => {
                self.assign(start, end)?;
                self.scan(start, end);
                Ok(())
            }
        }
    }

    fn scan(&mut self, start: usize, end: usize) {
        if self.is_gathering {
            return;
        }
        let mut at = start;
        while at < end && !self.is_full() {
            let is_argument = self.is_sign(at + 1, '=') && !self.is_sign(at + 2, '=') && at + 1 < end;
            let is_attribute = at > 0 && self.is_sign(at - 1, '.');
            match self.name(at) {
                Some(name) if KEYWORDS.contains(&name) => at += 1,
                // The name of an argument, or one that gets a value.
                Some(_) if is_argument && !is_attribute => at += 1,
                Some(_) => {
                    let mut calls = Vec::new();
                    let (paths, next) = self.chain(at, end, Some(&mut calls));
                    let line = self.line_of(at);
                    self.tell(&paths);
                    let is_target = self.is_sign(next, '=') && !self.is_sign(next + 1, '=') && next < end;
                    if is_target && next > at + 1 {
                        self.source.assigned.extend(paths.iter().map(|path| (path.clone(), line)));
                    }
                    if calls.is_empty() && !is_attribute {
                        self.source.names.extend(paths.into_iter().map(|path| (path, line)));
                    }
                    self.source.calls.append(&mut calls);
                    // What stands in brackets along the way.
                    let mut inner = at;
                    while inner < next {
                        if self.is_sign(inner, '(') || self.is_sign(inner, '[') {
                            let close = self.close(inner);
                            self.scan(inner + 1, close);
                            inner = close;
                        }
                        inner += 1;
                    }
                    at = next.max(at + 1);
                }
                None => at += 1,
            }
        }
    }

    /// What a name may stand for.
    fn meanings(&self, at: usize) -> Vec<String> {
        let name = self.name(at).unwrap_or_default();
        // An attribute of what is not known.
        if at > 0 && self.is_sign(at - 1, '.') {
            return vec![joined("?", name)];
        }
        let mut paths = self.aliases.get(name).map_or_else(|| vec![self.starred(name)], <[String]>::to_vec);
        paths.extend(self.sessions.get(name).cloned());
        paths
    }

    /// A name with all that follows it: attributes, items, calls. Gives the paths that it may have and what stands
    /// behind it.
    fn chain(&self, start: usize, end: usize, mut calls: Option<&mut Vec<Call>>) -> (Vec<String>, usize) {
        let mut paths = self.meanings(start);
        let mut at = start + 1;
        while at < end {
            if self.is_sign(at, '.')
                && let Some(name) = self.name(at + 1)
            {
                paths = paths.iter().map(|path| joined(path, name)).collect();
                at += 2;
            } else if self.is_sign(at, '(') {
                let close = self.close(at).min(end);
                if let Some(calls) = calls.as_deref_mut() {
                    self.calls(&paths, at, close, calls);
                }
                let site = Site::default();
                paths = paths.iter().flat_map(|path| self.result(path, at, close, &site)).collect();
                at = close + 1;
            } else if self.is_sign(at, '[') {
                let close = self.close(at).min(end);
                let key = self.text(at + 1, close).unwrap_or_else(|| "?".to_owned());
                paths = paths.iter().map(|path| joined(path, &key)).collect();
                at = close + 1;
            } else {
                break;
            }
            if paths.len() > 1 {
                let mut seen = BTreeSet::new();
                paths.retain(|path| seen.insert(path.clone()));
                if paths.len() > MAX_PATHS {
                    self.told.set(usize::MAX);
                    paths.truncate(MAX_PATHS);
                }
            }
        }
        (paths, at)
    }

    /// A name that a `from … import *` may bring.
    fn starred(&self, name: &str) -> String {
        const BROUGHT: &[(&str, &[&str])] = &[
            (
                "os",
                &[
                    "system", "popen", "execv", "execve", "execl", "execvp", "spawnl", "spawnv", "remove", "fork",
                    "dup2",
                ],
            ),
            ("subprocess", &["Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"]),
            ("socket", &["socket", "create_connection"]),
            ("ctypes", &["CDLL", "WinDLL", "cdll", "windll"]),
            ("urllib.request", &["urlopen", "urlretrieve"]),
            ("pty", &["spawn"]),
            ("shutil", &["rmtree"]),
        ];
        let found = BROUGHT.iter().find(|(module, names)| self.stars.contains(*module) && names.contains(&name));
        found.map_or_else(|| name.to_owned(), |(module, _)| format!("{module}.{name}"))
    }

    /// The calls of what may have any of the paths.
    fn calls(&self, paths: &[String], open: usize, close: usize, calls: &mut Vec<Call>) {
        let is_settings = paths.iter().any(|path| path.ends_with("dictConfig"));
        let (max_inner, max_texts) = if is_settings { (MAX_SETTINGS, MAX_SETTINGS) } else { (MAX_INNER, 64) };
        let mut texts = Vec::new();
        let mut inner = Vec::new();
        let mut is_computed = false;
        for (from, to) in self.arguments(open, close) {
            if let Some(text) = self.text(from, to) {
                texts.push(text);
                continue;
            }
            is_computed |= from < to;
            for at in from..to.min(from + max_inner) {
                if matches!(self.kind(at), Some(Kind::Text(_))) && texts.len() < max_texts {
                    texts.extend(self.text(at, at + 1));
                }
                let is_start = at == 0 || !self.is_sign(at - 1, '.');
                if is_start && inner.len() < 64 && self.name(at).is_some_and(|name| !KEYWORDS.contains(&name)) {
                    // Only the path: what is inside it comes later by itself.
                    let (paths, _) = self.chain(at, to, None);
                    inner.extend(paths.iter().map(|path| path.split("()").next().unwrap_or_default().to_owned()));
                }
            }
            // Settings that were written down before.
            let tables = self.name(from).filter(|_| is_settings).and_then(|name| self.tables.get(name));
            for (open, close) in tables.into_iter().flatten() {
                let all = (*open..*close).filter_map(|at| self.text(at, at + 1));
                texts.extend(all.take(max_texts.saturating_sub(texts.len())));
            }
        }
        let line = self.line_of(open);
        for path in paths {
            if !self.tell(texts.iter().chain(&inner).chain([path])) {
                return;
            }
            calls.push(Call {
                path: path.clone(),
                line,
                scope: self.scope(),
                texts: texts.clone(),
                inner: inner.clone(),
                is_computed,
            });
        }
    }

    /// What a call gives, where that is a module or one of its functions.
    fn result(&self, path: &str, open: usize, close: usize, site: &Site) -> Vec<String> {
        let arguments = || site.arguments.get_or_init(|| self.arguments(open, close));
        let argument = |place: usize| arguments().get(place).copied();
        let text = |place: usize| argument(place).and_then(|(from, to)| self.text(from, to));
        let text_or_any = |place: usize| text(place).unwrap_or_else(|| "?".to_owned());
        let first = || {
            let paths = site.first.get_or_init(|| {
                let (from, to) = argument(0)?;
                self.name(from)?;
                let (paths, next) = self.chain(from, to, None);
                (next == to).then_some(paths)
            });
            paths.clone()
        };
        let nothing = || vec!["()".to_owned()];
        let made = || vec![short(format!("{path}()"))];
        match path {
            "importlib.import_module" => vec![text_or_any(0)],
            // It gives the outermost module, but not always.
            "__import__" | "importlib.__import__" => {
                let module = text_or_any(0);
                let top = module.split('.').next().unwrap_or_default().to_owned();
                if top == module { vec![module] } else { vec![top, module] }
            }
            "getattr" => match first() {
                Some(modules) => {
                    let name = text_or_any(1);
                    modules.iter().map(|module| joined(module, &name)).collect()
                }
                None => nothing(),
            },
            _ if path.ends_with(".__getattribute__") => {
                let base = path.strip_suffix(".__getattribute__").unwrap_or_default();
                vec![joined(base, &text_or_any(0))]
            }
            "vars" => first().unwrap_or_else(nothing),
            "globals" | "locals" => vec![path.to_owned()],
            _ => match table(path) {
                Some(table) => item(table, text(0).as_deref()).map_or_else(made, |path| vec![path]),
                None => made(),
            },
        }
    }

    /// The arguments between two brackets, without the names of named ones.
    fn arguments(&self, open: usize, close: usize) -> Vec<(usize, usize)> {
        let mut arguments = Vec::new();
        let (mut from, mut at) = (open + 1, open + 1);
        while at <= close && arguments.len() < 64 {
            if at == close || self.is_sign(at, ',') {
                let is_named = self.name(from).is_some() && self.is_sign(from + 1, '=') && !self.is_sign(from + 2, '=');
                let start = if is_named { from + 2 } else { from };
                if start < at {
                    arguments.push((start, at));
                }
                from = at + 1;
                at += 1;
            } else {
                at = self.close(at) + 1;
            }
        }
        arguments
    }

    /// The text that the tokens are: texts side by side or added.
    fn text(&self, from: usize, to: usize) -> Option<String> {
        let mut out = String::new();
        let mut is_any = false;
        for at in from..to {
            match self.kind(at) {
                Some(Kind::Text(text)) => {
                    is_any = true;
                    out.push_str(text);
                }
                Some(Kind::Sign('+')) if at > from => {}
                _ => return None,
            }
        }
        is_any.then_some(out)
    }
}
