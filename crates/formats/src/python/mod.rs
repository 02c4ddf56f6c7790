//! Python source, read as far as it takes to say what it calls: imports, calls with the names resolved through them, and
//! where each would run. It is no full parser: expressions are read token by token, statements only where they bind names
//! or begin a body.
//!
//! <https://docs.python.org/3/reference/lexical_analysis.html>

mod aliases;
mod calls;
mod letters;
mod lexer;

/// Longest source that is read.
pub const MAX_SOURCE: usize = 4 << 20;

/// When a call runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// As soon as the module is imported.
    Module,
    /// When the file is run as a program.
    Main,
    /// When the function of that name is called.
    Function(String),
}

/// A call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What is called, from the module that it comes from: `os.system`. A `?` is a part that is not known, `()` what a
    /// call gave.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// When it runs.
    pub scope: Scope,
    /// Arguments that are texts, in order.
    pub texts: Vec<String>,
    /// What is called within the arguments.
    pub inner: Vec<String>,
    /// Whether an argument is anything but a text.
    pub is_computed: bool,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// The module.
    pub module: String,
    /// The line, from 1.
    pub line: u64,
}

/// What a source says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Imports in order.
    pub imports: Vec<Import>,
    /// Calls in order.
    pub calls: Vec<Call>,
    /// Names that are used without being called, resolved like those of calls, with their lines.
    pub names: Vec<(String, u64)>,
    /// Attributes and items that get a value, with their lines.
    pub assigned: Vec<(String, u64)>,
}

/// A text that is no Python, or more than is read.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct SourceError {
    /// Where.
    pub line: u64,
    /// What is wrong.
    pub what: &'static str,
}

impl Source {
    /// Reads a source.
    ///
    /// # Errors
    /// Texts and brackets that do not end, and past the bounds of length, depth and count.
    pub fn read(text: &str) -> Result<Self, SourceError> {
        if text.len() > MAX_SOURCE {
            return Err(SourceError { line: 0, what: "it is too long" });
        }
        calls::Reader::new(lexer::tokens(text)?).read()
    }
}

#[cfg(test)]
mod tests;
