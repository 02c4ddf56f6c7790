//! Asking whoever sits at the terminal.

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use sealyard_core::Redacted;

use crate::exit::Result;
use crate::output;

/// Whether there is somebody to ask.
pub(crate) fn somebody_is_there() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks for a line that the terminal does not show.
pub(crate) fn hidden(what: &str) -> Result<Redacted<String>> {
    // Not even --quiet silences a question.
    output::say(false, &format!("{what} (not shown):"));
    let _hidden = Hidden::begin().with_context(|| format!("the terminal can't hide the {what}"))?;
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .take(1 << 16)
        .read_line(&mut line)
        .with_context(|| format!("could not read the {what} from the terminal"))?;
    Ok(Redacted::new(line))
}

/// A terminal that does not show what is typed, as long as this is there.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> rustix::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut now = before.clone();
        now.local_modes.remove(LocalModes::ECHO);
        now.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &now)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}
