use sealyard_formats::rdata::Code;

/// Functions of R that run programs, load code, or reach files and hosts that no model needs.
const DANGEROUS: &[&str] = &[
    "dyn.load",
    "download.file",
    "file.remove",
    "install.packages",
    "library.dynam",
    "mcparallel",
    "pipe",
    "shell",
    "shell.exec",
    "socketConnection",
    "socketSelect",
    "source",
    "sys.source",
    "system",
    "system2",
    "unlink",
    "url",
];

/// Functions that take another function by its name.
const INDIRECT: &[&str] = &[
    "Filter",
    "Find",
    "Map",
    "Reduce",
    "do.call",
    "get",
    "get0",
    "getExportedValue",
    "getFromNamespace",
    "lapply",
    "match.fun",
    "mget",
    "sapply",
    "vapply",
];

/// The dangerous functions that a piece of code calls, directly or by their names.
pub(super) fn dangerous(code: &Code) -> Vec<&str> {
    let calls = |name: &str| code.calls.iter().any(|call| call == name);
    let mut found: Vec<&str> = code.calls.iter().map(String::as_str).filter(|name| DANGEROUS.contains(name)).collect();
    if INDIRECT.iter().any(|name| calls(name)) {
        found.extend(code.words.iter().map(String::as_str).filter(|word| DANGEROUS.contains(word)));
    }
    let evaluates = ["eval", "evalq", "parse", "str2expression", "str2lang"].iter().any(|name| calls(name));
    if evaluates {
        let in_text = |name: &&str| code.words.iter().any(|word| has_call(word, name));
        found.extend(DANGEROUS.iter().filter(|name| in_text(name)));
    }
    // Code that is made of a text may be any code.
    if (calls("eval") || calls("evalq")) && (calls("parse") || calls("str2lang") || calls("str2expression")) {
        found.push("eval");
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Whether a text of R calls a function of that name.
fn has_call(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(place, _)| {
        let before = text.get(..place).and_then(|before| before.chars().next_back());
        let behind = text.get(place + name.len()..).unwrap_or_default().trim_start();
        behind.starts_with('(') && !before.is_some_and(|letter| letter.is_alphanumeric() || matches!(letter, '.' | '_'))
    })
}

/// What the code calls, for a person to read.
pub(super) fn trace(code: &Code) -> Vec<String> {
    let mut trace = Vec::new();
    if !code.calls.is_empty() {
        trace.push(format!("calls: {}", code.calls.iter().take(20).cloned().collect::<Vec<_>>().join(", ")));
    }
    let mut texts: Vec<_> = code.words.iter().filter(|word| !code.calls.contains(word)).cloned().collect();
    texts.dedup();
    texts.truncate(20);
    if !texts.is_empty() {
        trace.push(format!("with: {}", texts.join(", ")));
    }
    trace
}
