//! Statements that give names a meaning: imports and assignments.

use super::{KEYWORDS, MAX_PARTS, MAX_TABLES, Reader};
use crate::python::aliases::joined;
use crate::python::lexer::Kind;
use crate::python::{Import, SourceError};

impl Reader {
    /// Gives a name a meaning, if names are gathered.
    fn name_it(&mut self, name: &str, path: String, at: usize) -> Result<(), SourceError> {
        if self.is_gathering {
            let line = self.line_of(at);
            match self.bodies.is_empty() {
                true => self.aliases.add(name, path, line)?,
                false => self.aliases.add_within(name, path, line)?,
            };
        }
        Ok(())
    }

    fn imported(&mut self, module: String, at: usize) {
        if self.is_gathering {
            self.modules.insert(module.split('.').next().unwrap_or_default().to_owned());
        } else {
            self.source.imports.push(Import { module, line: self.line_of(at) });
        }
    }

    pub(super) fn import(&mut self, start: usize, end: usize) -> Result<(), SourceError> {
        let mut at = start;
        while at < end {
            let (module, next) = self.dotted(at, end);
            at = next;
            if module.is_empty() {
                at += 1;
                continue;
            }
            if self.name(at) == Some("as") {
                let name = self.name(at + 1).unwrap_or_default().to_owned();
                self.name_it(&name, module.clone(), at)?;
                at += 2;
            } else {
                let top = module.split('.').next().unwrap_or_default().to_owned();
                self.name_it(&top.clone(), top, at)?;
            }
            self.imported(module, start);
        }
        Ok(())
    }

    pub(super) fn from(&mut self, start: usize, end: usize) -> Result<(), SourceError> {
        let (module, mut at) = self.dotted(start, end);
        self.imported(module.clone(), start);
        if self.name(at) != Some("import") {
            return Ok(());
        }
        at += 1;
        while at < end {
            if self.is_sign(at, '*') {
                self.stars.insert(module.clone());
            }
            if let Some(name) = self.name(at).map(str::to_owned) {
                let is_renamed = self.name(at + 1) == Some("as");
                let alias = if is_renamed { self.name(at + 2).unwrap_or_default().to_owned() } else { name.clone() };
                self.name_it(&alias, joined(&module, &name), at)?;
                at += if is_renamed { 3 } else { 1 };
            } else {
                at += 1;
            }
        }
        Ok(())
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
    pub(super) fn assign(&mut self, start: usize, end: usize) -> Result<(), SourceError> {
        let is_equal = |at: usize| {
            self.is_sign(at, '=')
                && !self.is_sign(at + 1, '=')
                && !"=!<>+-*/%&|^@:".chars().any(|sign| at > 0 && self.is_sign(at - 1, sign))
        };
        let mut parts = self.parts(start, end, is_equal);
        let Some(value) = parts.pop() else { return Ok(()) };
        let is_comma = |at: usize| self.is_sign(at, ',');
        let values = self.parts(value.0, value.1, is_comma);
        let mut bound = Vec::new();
        for (from, to) in parts {
            // Behind a colon stands what it is to be.
            let to = (from..to).find(|at| self.is_sign(*at, ':')).unwrap_or(to);
            let targets = self.parts(from, to, is_comma);
            match targets.as_slice() {
                [_] => bound.push((from, to, value)),
                _ if targets.len() == values.len() => {
                    bound.extend(targets.iter().zip(&values).map(|((from, to), value)| (*from, *to, *value)));
                }
                _ => {}
            }
        }
        for (from, to, (start, end)) in bound {
            if from + 1 == to && self.name(from).is_some() {
                self.bind(from, start, end, false)?;
            }
        }
        Ok(())
    }

    /// What lies between signs, but for those within brackets.
    fn parts(&self, start: usize, end: usize, is_between: impl Fn(usize) -> bool) -> Vec<(usize, usize)> {
        let (mut parts, mut from, mut at) = (Vec::new(), start, start);
        while at < end {
            if is_between(at) {
                parts.push((from, at));
                from = at + 1;
                at += 1;
            } else {
                at = self.close(at) + 1;
            }
        }
        parts.push((from, end));
        parts
    }

    /// Gives the name at `target` what the tokens are; `is_within` where something may stand behind them.
    pub(super) fn bind(&mut self, target: usize, start: usize, end: usize, is_within: bool) -> Result<(), SourceError> {
        let Some(name) = self.name(target).map(str::to_owned) else { return Ok(()) };
        let mut session = None;
        if ['{', '[', '('].iter().any(|sign| self.is_sign(start, *sign)) {
            let tables = self.tables.entry(name.clone()).or_default();
            let place = (start, self.tokens.get(start).map_or(start, |token| token.close));
            if tables.len() < MAX_TABLES && !tables.contains(&place) {
                tables.push(place);
            }
        } else if self.name(start).is_some_and(|name| !KEYWORDS.contains(&name)) {
            let (paths, next) = self.chain(start, end, None);
            if is_within || next == end || matches!(self.name(next), Some("if" | "or" | "and")) {
                // Of what is made, sessions are followed, which ask hosts in their maker's place.
                let is_session = |path: &&String| matches!(path.as_str(), "requests.Session()" | "requests.session()");
                session = paths.iter().find(is_session).filter(|_| next == end).cloned();
                for path in paths {
                    if !path.contains("()") && path.matches('.').count() < MAX_PARTS && self.is_known(&path) {
                        self.name_it(&name, path, target)?;
                    }
                }
            }
        }
        // A session is one until its name gets something else.
        if !self.is_gathering {
            match session {
                Some(session) => self.sessions.insert(name, session),
                None => self.sessions.remove(&name),
            };
        }
        Ok(())
    }

    /// Whether a path begins at something that was imported or that every module has.
    fn is_known(&self, path: &str) -> bool {
        let top = path.split('.').next().unwrap_or_default();
        let is_builtin = ["exec", "eval", "compile", "getattr", "__import__", "__builtins__", "open"].contains(&top);
        // What was imported by a call is in no statement.
        let is_module =
            ["builtins", "ctypes", "importlib", "os", "posix", "pty", "shutil", "socket", "subprocess", "sys"]
                .contains(&top);
        is_builtin || is_module || self.modules.contains(top)
    }
}
