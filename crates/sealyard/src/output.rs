//! Data on standard output, talk on standard error.

use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::exit::{Exit, Failure, Result};

/// Writes text to standard output. A reader that went away is no error.
pub(crate) fn data(text: &str) -> Result<()> {
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes one JSON object, pretty, with a newline.
pub(crate) fn json(value: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    data(&text)
}

/// Says something to the person who runs the command.
pub(crate) fn say(quiet: bool, text: &str) {
    if !quiet {
        let _ = writeln!(std::io::stderr().lock(), "{}", plain(text));
    }
}

/// Lines without what a terminal would obey: names and messages may come from a server, a project or a model.
fn plain(text: &str) -> String {
    text.split('\n').map(crate::remote::plain).collect::<Vec<_>>().join("\n")
}

/// What went wrong, why, and what to do.
pub(crate) fn failure(failure: &Failure, color: bool) {
    let (red, cyan, bold, reset) =
        if color { ("\x1b[1;31m", "\x1b[1;36m", "\x1b[1m", "\x1b[0m") } else { ("", "", "", "") };
    let label = if failure.exit == Exit::No { "refused" } else { "error" };
    let mut text = format!("{red}{label}:{reset} {bold}{}{reset}\n", plain(&failure.error.to_string()));
    let mut shown = failure.error.to_string();
    for cause in failure.error.chain().skip(1) {
        let cause = cause.to_string();
        // Causes that their parent has already put into words are not said twice.
        if !shown.contains(&cause) {
            text.push_str(&format!("  because: {}\n", plain(&cause)));
        }
        shown = cause;
    }
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("{cyan}hint:{reset} {}\n", plain(hint)));
    }
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Logs of the libraries, to standard error; `SEALYARD_LOG` takes a filter such as `info` or `sealyard_api=debug`.
pub(crate) fn start_logging(usual: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("SEALYARD_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(usual));
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
}

/// Progress of long work: a spinner on a terminal, lines in a pipe, nothing when quiet.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    /// What a pipe was told last, without its numbers: a log wants a line for each step, not for each wheel.
    last: Arc<Mutex<String>>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Self { bar, quiet, last: Arc::default() }
    }

    /// What is being done now; replaced by the next.
    pub(crate) fn now(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(plain(text)),
            None => {
                let step: String = text.chars().filter(|character| !character.is_ascii_digit()).collect();
                let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
                if *last != step || text.starts_with('|') {
                    *last = step;
                    say(self.quiet, &format!("  {text}"));
                }
            }
        }
    }

    /// A line that stays.
    pub(crate) fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| say(self.quiet, text)),
            None => say(self.quiet, text),
        }
    }

    /// The work is done.
    pub(crate) fn done(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A temporary folder that nobody else can enter; removed when it is dropped.
pub(crate) fn private_folder(prefix: &str) -> std::io::Result<tempfile::TempDir> {
    use std::os::unix::fs::PermissionsExt as _;
    tempfile::Builder::new().prefix(prefix).permissions(std::fs::Permissions::from_mode(0o700)).tempdir()
}
