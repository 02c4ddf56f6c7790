use std::collections::BTreeMap;

use super::SourceError;

/// Meanings of one name.
const MAX_MEANINGS: usize = 64;
/// Longest path that is kept.
const MAX_PATH: usize = 200;

/// Modules that are the same wherever they are reached from: `torch.hub.os` is `os`.
const SAME_EVERYWHERE: &[&str] = &[
    "os",
    "posix",
    "nt",
    "subprocess",
    "sys",
    "builtins",
    "__builtins__",
    "pty",
    "shutil",
    "ctypes",
    "importlib",
    "marshal",
    "runpy",
    "_posixsubprocess",
];

/// Functions that every module has.
const BUILT_IN: &[&str] =
    &["exec", "eval", "compile", "getattr", "vars", "globals", "locals", "__import__", "__builtins__", "open"];

/// What names stand for. One has all the meanings that it gets anywhere: which of them holds where a function runs is
/// known to no reader of lines.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(super) struct Aliases {
    meanings: BTreeMap<String, Vec<String>>,
}

impl Aliases {
    /// Adds a meaning; gives whether it is new.
    ///
    /// # Errors
    /// More meanings than a name can have.
    pub(super) fn add(&mut self, name: &str, path: String, line: u64) -> Result<bool, SourceError> {
        let meanings = self.meanings.entry(name.to_owned()).or_default();
        if meanings.contains(&path) {
            return Ok(false);
        }
        if meanings.len() >= MAX_MEANINGS {
            return Err(SourceError { line, what: "a name has too many meanings" });
        }
        meanings.push(path);
        Ok(true)
    }

    /// Adds what a name means within a function, beside what it means elsewhere.
    pub(super) fn add_within(&mut self, name: &str, path: String, line: u64) -> Result<bool, SourceError> {
        if BUILT_IN.contains(&name) {
            self.add(name, name.to_owned(), line)?;
        }
        self.add(name, path, line)
    }

    pub(super) fn get(&self, name: &str) -> Option<&[String]> {
        self.meanings.get(name).map(Vec::as_slice)
    }
}

/// A path with one name more, without the detours that lead to the same thing.
pub(super) fn joined(path: &str, name: &str) -> String {
    match (path, name) {
        (_, "__dict__" | "__call__" | "__func__") => path.to_owned(),
        // Methods of tables, which lead on with what they are called with.
        (
            "builtins" | "__builtins__" | "globals" | "locals" | "sys.modules",
            "get" | "pop" | "setdefault" | "__getitem__",
        ) => {
            format!("{path}.{name}")
        }
        ("builtins" | "__builtins__" | "globals" | "locals" | "sys.modules", _) => name.to_owned(),
        _ if SAME_EVERYWHERE.contains(&name) => name.to_owned(),
        // The names under which the standard library keeps them to itself.
        _ => match name.strip_prefix('_').filter(|plain| SAME_EVERYWHERE.contains(plain)) {
            Some(plain) => plain.to_owned(),
            None => short(format!("{path}.{name}")),
        },
    }
}

/// The table and its key, where a path is that of a method that gives an item.
pub(super) fn table(path: &str) -> Option<&str> {
    [".get", ".pop", ".setdefault", ".__getitem__"].iter().find_map(|method| path.strip_suffix(method))
}

/// What a key of a table leads to, if it is known.
pub(super) fn item(table: &str, key: Option<&str>) -> Option<String> {
    let is_name = |key: &&str| {
        key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.') && !key.is_empty()
    };
    match key {
        Some(key) if is_name(&key) => Some(joined(table, key)),
        Some(_) => None,
        None => {
            matches!(table, "builtins" | "__builtins__" | "globals" | "locals" | "sys.modules").then(|| "?".to_owned())
        }
    }
}

pub(super) fn short(mut path: String) -> String {
    if path.len() > MAX_PATH {
        path.truncate(path.floor_char_boundary(MAX_PATH));
    }
    path
}
