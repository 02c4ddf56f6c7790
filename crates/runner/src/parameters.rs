//! An entry point's command, with its parameters filled in as MLflow does.

use std::collections::BTreeMap;

use crate::RunError;
use crate::project::{EntryPoint, Parameter};

/// The command for a shell, and every parameter's value.
pub(crate) fn command(
    entry_point: &EntryPoint,
    given: &BTreeMap<String, String>,
) -> Result<(String, BTreeMap<String, String>), RunError> {
    let mut values = BTreeMap::new();
    for (name, parameter) in &entry_point.parameters {
        let (kind, default) = match parameter {
            Parameter::Type(kind) => (Some(kind.as_str()), None),
            Parameter::Full(full) => (full.kind.as_deref(), full.default.as_ref()),
        };
        let default = default.and_then(|default| match default {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        });
        let Some(value) = given.get(name).cloned().or(default) else {
            return Err(refuse(name, "it has no default, and no value was given"));
        };
        check(name, kind.unwrap_or("string"), &value)?;
        values.insert(name.clone(), value);
    }
    let mut shell = Shell::new();
    let mut command = fill(&entry_point.command, &values, &mut shell)?;
    for (name, value) in given.iter().filter(|(name, _)| !values.contains_key(*name)) {
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        {
            return Err(refuse(name, "its name may hold letters, digits, `-`, `_` and `.`"));
        }
        command.push_str(&format!(" --{name} {}", shell.word(name, value)?));
    }
    let mut all = given.clone();
    all.extend(values);
    Ok((command, all))
}

fn refuse(name: &str, detail: &str) -> RunError {
    RunError::Parameter { name: name.to_owned(), detail: detail.to_owned() }
}

fn check(name: &str, kind: &str, value: &str) -> Result<(), RunError> {
    if value.contains('\0') {
        return Err(refuse(name, "its value holds a NUL character"));
    }
    match kind {
        "string" | "path" => Ok(()),
        "float" if value.trim().parse::<f64>().is_ok() => Ok(()),
        "float" => Err(refuse(name, "its value is not a number")),
        "uri" if value.contains("://") => Ok(()),
        "uri" => Err(refuse(name, "its value is not a URI")),
        _ => Err(refuse(name, "its type is none of float, string, path and uri")),
    }
}

/// Where in a shell's text a place is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    Plain,
    /// Right after a backslash.
    Escaped,
    Single,
    /// In `"`, with whether a backslash came right before.
    Double(bool),
    Comment,
}

/// Follows the text of a command, to see where a quoted value would not stay one word.
#[derive(Debug)]
struct Shell {
    context: Context,
    word_begins: bool,
    /// Backquotes, here-documents and bash's `$'`, in which quotes mean something else.
    odd: bool,
}

impl Shell {
    const fn new() -> Self {
        Self { context: Context::Plain, word_begins: true, odd: false }
    }

    fn read(&mut self, text: &str) {
        for character in text.chars() {
            self.context = match (self.context, character) {
                (Context::Plain, '\\') => Context::Escaped,
                (Context::Plain, '\'') => Context::Single,
                (Context::Plain, '"') => Context::Double(false),
                (Context::Plain, '#') if self.word_begins => Context::Comment,
                (Context::Comment, '\n')
                | (Context::Single, '\'')
                | (Context::Double(false), '"')
                | (Context::Escaped, _) => Context::Plain,
                (Context::Double(false), '\\') => Context::Double(true),
                (Context::Double(true), _) => Context::Double(false),
                (same, _) => same,
            };
            self.word_begins =
                self.context == Context::Plain && (character.is_whitespace() || ";&|()".contains(character));
        }
        self.odd |= ["`", "<<", "$'"].iter().any(|odd| text.contains(odd));
    }

    /// One word here, whatever is in `value`.
    fn word(&mut self, name: &str, value: &str) -> Result<String, RunError> {
        let word = quote(value);
        if word != value && (self.odd || self.context != Context::Plain) {
            let detail = "its value would be read as part of the command: the project must not put its placeholder in \
                          quotes, a comment, backquotes or a here-document";
            return Err(refuse(name, detail));
        }
        self.word_begins = false;
        Ok(word)
    }
}

/// Puts quoted values in the place of `{name}`; `{{` and `}}` are braces.
fn fill(template: &str, values: &BTreeMap<String, String>, shell: &mut Shell) -> Result<String, RunError> {
    let mut command = String::new();
    let mut rest = template;
    while let Some(position) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(position);
        command.push_str(before);
        shell.read(before);
        if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
            let brace = from.get(..1).unwrap_or_default();
            command.push_str(brace);
            shell.read(brace);
            rest = after;
            continue;
        }
        let name = from.strip_prefix('{').and_then(|from| from.split_once('}'));
        let Some((name, after)) = name else { return Err(refuse(from, "a brace of the command has no partner")) };
        let value = values
            .get(name)
            .ok_or_else(|| refuse(name, "the command uses it, but the entry point does not declare it"))?;
        command.push_str(&shell.word(name, value)?);
        rest = after;
    }
    command.push_str(rest);
    shell.read(rest);
    Ok(command)
}

/// One word for a POSIX shell, whatever is in it.
pub(crate) fn quote(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./-_".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry_point(command: &str) -> EntryPoint {
        let parameters =
            serde_json::json!({"a": "float", "b": {"type": "string", "default": "x y"}, "c": {"default": 0.5}});
        EntryPoint { parameters: serde_json::from_value(parameters).unwrap(), command: command.to_owned() }
    }

    fn run(command_line: &str, given: &[(&str, &str)]) -> Result<String, RunError> {
        let given = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        command(&entry_point(command_line), &given).map(|(command, _)| command)
    }

    #[test]
    fn values_defaults_and_extras_are_filled_in_quoted() {
        assert_eq!(run("t {a} {b} {{c}}", &[("a", "1e-3")]).unwrap(), "t 1e-3 'x y' {c}");
        assert_eq!(run("t {c}", &[("a", "1"), ("z", "$(id)")]).unwrap(), "t 0.5 --z '$(id)'");
        assert_eq!(run("t {b}", &[("a", "1"), ("b", "'; id #")]).unwrap(), "t ''\"'\"'; id #'");
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (line, given) in [
            ("t {a}", &[][..]),
            ("t {a}", &[("a", "one")]),
            ("t {x}", &[("a", "1")]),
            ("t {a", &[("a", "1")]),
            ("t", &[("a", "1"), ("x;id", "1")]),
            ("t", &[("a", "1"), ("b", "\0")]),
        ] {
            assert!(matches!(run(line, given), Err(RunError::Parameter { .. })), "{line} {given:?}");
        }
    }

    #[test]
    fn a_value_is_one_word_wherever_the_project_put_its_placeholder() {
        let hostile = [("a", "1"), ("b", "x; touch /tmp/ran")];
        for line in [
            "t '{b}'",
            "t \"{b}\"",
            "t \\{b}",
            "t # {b}",
            "t `u {b}`",
            "t <<E\n{b}\nE",
            "t \"\\\"{b}\"",
            "t \"$(u {b})\"",
            "t 'it'\"'\"'{b}'",
        ] {
            assert!(matches!(run(line, &hostile), Err(RunError::Parameter { .. })), "{line}");
            assert!(run(line, &[("a", "1"), ("b", "plain-1.5")]).is_ok(), "{line}");
        }
        for line in ["t {b}", "t 'x' {b}", "t \"x\\\"\" {b}", "t x#y {b}", "t # note\nt {b}", "t $(u {b})"] {
            assert!(run(line, &hostile).unwrap().contains("'x; touch /tmp/ran'"), "{line}");
        }
        // What is added at the end must not land in a comment or in quotes either.
        for line in ["t # note", "t 'open", "t \"open"] {
            assert!(run(line, &[("a", "1"), ("z", "x; touch /tmp/ran")]).is_err(), "{line}");
        }
    }
}
