//! Rules of shell scripts: they look at the lines, with their numbers from 1.

/// A script, or the commands in another file.
#[derive(Debug)]
pub(crate) struct Artifact {
    pub(crate) commands: Vec<(u64, String)>,
}

impl Artifact {
    /// All lines of a text.
    pub(crate) fn of(text: &str) -> Self {
        Self { commands: (1..).zip(text.lines().map(str::to_owned)).collect() }
    }
}

group! { Artifact;
    script_harmful_command,
}
