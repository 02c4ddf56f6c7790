use std::collections::BTreeMap;

use super::lexer::{Kind, Token};
use super::{Call, Import, Scope, Source};

/// Calls and names that are told.
const MAX_TOLD: usize = 100_000;
/// Tokens of an argument that are looked at for what is called within it.
const MAX_INNER: usize = 500;
/// Longest path that is kept.
const MAX_PATH: usize = 200;
/// Words that begin no name.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise",
    "return", "try", "while", "with", "yield", "None", "True", "False",
];

pub(super) struct Reader {
    tokens: Vec<Token>,
    aliases: BTreeMap<String, String>,
    stars: Vec<String>,
    source: Source,
    bodies: Vec<(usize, Scope)>,
}

impl Reader {
    pub(super) fn new(tokens: Vec<Token>) -> Self {
        Self { tokens, aliases: BTreeMap::new(), stars: Vec::new(), source: Source::default(), bodies: Vec::new() }
    }

    pub(super) fn read(mut self) -> Source {
        let mut place = 0;
        while let Some(Token { kind: Kind::Line(indent), .. }) = self.tokens.get(place) {
            let (indent, start) = (*indent, place + 1);
            let end = (start..self.tokens.len()).find(|at| matches!(self.kind(*at), Some(Kind::Line(_))));
            let Some(end) = end else { break };
            self.line(indent, start, end);
            place = end;
        }
        self.source
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

    fn line(&mut self, indent: usize, start: usize, end: usize) {
        while self.bodies.last().is_some_and(|(outer, _)| *outer >= indent) {
            self.bodies.pop();
        }
        // Statements on one line, but for those within brackets.
        let mut from = start;
        let mut at = start;
        while at <= end {
            if at == end || self.is_sign(at, ';') {
                self.statement(indent, from, at);
                from = at + 1;
                at += 1;
            } else {
                at = self.close(at) + 1;
            }
        }
    }

    fn statement(&mut self, indent: usize, start: usize, end: usize) {
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
        self.bind(start, end);
        self.scan(start, end);
    }

    /// What stands behind a colon on the same line.
    fn body(&mut self, indent: usize, start: usize, end: usize) {
        if start >= end {
            return;
        }
        match self.name(start) {
            Some("import" | "from") => self.statement(indent + 1, start, end),
            _ => {
                self.bind(start, end);
                self.scan(start, end);
            }
        }
    }

    fn import(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let (module, next) = self.dotted(at, end);
            at = next;
            if module.is_empty() {
                at += 1;
                continue;
            }
            let line = self.tokens.get(start).map_or(0, |token| token.line);
            if self.name(at) == Some("as") {
                let name = self.name(at + 1).unwrap_or_default().to_owned();
                self.aliases.insert(name, module.clone());
                at += 2;
            } else {
                let top = module.split('.').next().unwrap_or_default().to_owned();
                self.aliases.insert(top.clone(), top);
            }
            self.source.imports.push(Import { module, line });
        }
    }

    fn from(&mut self, start: usize, end: usize) {
        let (module, mut at) = self.dotted(start, end);
        let line = self.tokens.get(start).map_or(0, |token| token.line);
        self.source.imports.push(Import { module: module.clone(), line });
        if self.name(at) != Some("import") {
            return;
        }
        at += 1;
        while at < end {
            if self.is_sign(at, '*') {
                self.stars.push(module.clone());
            }
            if let Some(name) = self.name(at).map(str::to_owned) {
                let is_renamed = self.name(at + 1) == Some("as");
                let alias = if is_renamed { self.name(at + 2).unwrap_or_default().to_owned() } else { name.clone() };
                self.aliases.insert(alias, format!("{module}.{name}"));
                at += if is_renamed { 3 } else { 1 };
            } else {
                at += 1;
            }
        }
    }

    fn dotted(&self, start: usize, end: usize) -> (String, usize) {
        let (mut path, mut at) = (String::new(), start);
        while at < end {
            match self.kind(at) {
                Some(Kind::Sign('.')) => path.push('.'),
                Some(Kind::Name(name))
                    if name != "import" && name != "as" && (path.is_empty() || path.ends_with('.')) =>
                {
                    path.push_str(name);
                }
                _ => break,
            }
            at += 1;
        }
        (path, at)
    }

    /// `name = other.name` makes a new name of a function.
    fn bind(&mut self, start: usize, end: usize) {
        let Some(name) = self.name(start).map(str::to_owned) else { return };
        if !self.is_sign(start + 1, '=') || self.is_sign(start + 2, '=') {
            return;
        }
        if self.name(start + 2).is_some_and(|name| !KEYWORDS.contains(&name)) {
            let (path, next) = self.chain(start + 2, end, None);
            // Of what is made, sessions are followed, which ask hosts in their maker's place.
            let is_session = matches!(path.as_str(), "requests.Session()" | "requests.session()");
            if next == end && (is_session || !path.ends_with("()")) && self.is_known(&path) {
                self.aliases.insert(name, path);
                return;
            }
        }
        // What is something else from here on.
        self.aliases.remove(&name);
    }

    /// Whether a path begins at something that was imported or that every module has.
    fn is_known(&self, path: &str) -> bool {
        let top = path.split('.').next().unwrap_or_default();
        let is_builtin = ["exec", "eval", "compile", "getattr", "__import__", "__builtins__", "open"].contains(&top);
        // What was imported by a call is in no statement.
        let is_module = ["builtins", "ctypes", "os", "posix", "pty", "shutil", "socket", "subprocess"].contains(&top);
        is_builtin || is_module || self.source.imports.iter().any(|import| import.module.split('.').next() == Some(top))
    }

    fn scan(&mut self, start: usize, end: usize) {
        let mut at = start;
        while at < end {
            let is_argument = self.is_sign(at + 1, '=') && !self.is_sign(at + 2, '=') && at + 1 < end;
            let is_attribute = at > 0 && self.is_sign(at - 1, '.');
            match self.name(at) {
                Some(name) if KEYWORDS.contains(&name) => at += 1,
                // The name of an argument, or one that gets a value.
                Some(_) if is_argument && !is_attribute => at += 1,
                Some(_) => {
                    let mut calls = Vec::new();
                    let (path, next) = self.chain(at, end, Some(&mut calls));
                    let path = if is_attribute { format!("?.{path}") } else { path };
                    let has_call = !calls.is_empty();
                    for mut call in calls {
                        if is_attribute {
                            call.path = format!("?.{}", call.path);
                        }
                        self.tell(call);
                    }
                    if !has_call && !is_attribute && self.source.names.len() < MAX_TOLD {
                        let line = self.tokens.get(at).map_or(0, |token| token.line);
                        self.source.names.push((path, line));
                    }
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

    fn tell(&mut self, call: Call) {
        if self.source.calls.len() < MAX_TOLD {
            self.source.calls.push(call);
        }
    }

    /// A name with all that follows it: attributes, items, calls. Gives its path and what stands behind it.
    fn chain(&self, start: usize, end: usize, mut calls: Option<&mut Vec<Call>>) -> (String, usize) {
        let first = self.name(start).unwrap_or_default();
        let mut path = self.aliases.get(first).cloned().unwrap_or_else(|| self.starred(first));
        let mut at = start + 1;
        while at < end {
            if self.is_sign(at, '.')
                && let Some(name) = self.name(at + 1)
            {
                path = joined(&path, name);
                at += 2;
            } else if self.is_sign(at, '(') {
                let close = self.close(at).min(end);
                if let Some(calls) = calls.as_deref_mut() {
                    calls.push(self.call(&path, at, close));
                }
                path = self.result(&path, at, close);
                at = close + 1;
            } else if self.is_sign(at, '[') {
                let close = self.close(at).min(end);
                path = match self.text(at + 1, close) {
                    Some(key) => joined(&path, &key),
                    None => joined(&path, "?"),
                };
                at = close + 1;
            } else {
                break;
            }
        }
        (path, at)
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
        let found = BROUGHT
            .iter()
            .find(|(module, names)| self.stars.iter().any(|star| star == module) && names.contains(&name));
        found.map_or_else(|| name.to_owned(), |(module, _)| format!("{module}.{name}"))
    }

    fn call(&self, path: &str, open: usize, close: usize) -> Call {
        let mut texts = Vec::new();
        let mut inner = Vec::new();
        let mut is_computed = false;
        for (from, to) in self.arguments(open, close) {
            match self.text(from, to) {
                Some(text) => texts.push(text),
                None => {
                    is_computed |= from < to;
                    for at in from..to.min(from + MAX_INNER) {
                        if matches!(self.kind(at), Some(Kind::Text(_))) && texts.len() < 64 {
                            texts.extend(self.text(at, at + 1));
                        }
                        let is_start = at == 0 || !self.is_sign(at - 1, '.');
                        if is_start && inner.len() < 64 && self.name(at).is_some_and(|name| !KEYWORDS.contains(&name)) {
                            // Only the path: what is inside it comes later by itself.
                            let (path, _) = self.chain(at, to, None);
                            let path = path.split("()").next().unwrap_or_default().to_owned();
                            inner.push(path);
                        }
                    }
                }
            }
        }
        let line = self.tokens.get(open).map_or(0, |token| token.line);
        Call { path: path.to_owned(), line, scope: self.scope(), texts, inner, is_computed }
    }

    /// What a call gives, where that is a module or one of its functions.
    fn result(&self, path: &str, open: usize, close: usize) -> String {
        let arguments = self.arguments(open, close);
        let argument = |place: usize| arguments.get(place).copied();
        let text = |place: usize| argument(place).and_then(|(from, to)| self.text(from, to));
        let path_of = |place: usize| {
            let (from, to) = argument(place)?;
            self.name(from)?;
            let (path, next) = self.chain(from, to, None);
            (next == to).then_some(path)
        };
        match path {
            "__import__" | "importlib.import_module" | "importlib.__import__" => {
                text(0).unwrap_or_else(|| "?".to_owned())
            }
            "getattr" => match path_of(0) {
                Some(module) => joined(&module, &text(1).unwrap_or_else(|| "?".to_owned())),
                None => "()".to_owned(),
            },
            _ if path.ends_with(".__getattribute__") => {
                let base = path.strip_suffix(".__getattribute__").unwrap_or_default();
                joined(base, &text(0).unwrap_or_else(|| "?".to_owned()))
            }
            "vars" => path_of(0).unwrap_or_else(|| "()".to_owned()),
            "globals" | "locals" => path.to_owned(),
            _ => short(format!("{path}()")),
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

/// A path with one name more, without the detours that lead to the same thing.
fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        (_, "__dict__" | "__call__" | "__func__") => path.to_owned(),
        ("builtins" | "__builtins__" | "globals" | "locals" | "sys.modules", _) => name.to_owned(),
        _ => short(format!("{path}.{name}")),
    }
}

fn short(mut path: String) -> String {
    if path.len() > MAX_PATH {
        path.truncate(path.floor_char_boundary(MAX_PATH));
    }
    path
}
