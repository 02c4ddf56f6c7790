//! Rules of shell scripts: they look at the lines.

/// A script.
#[derive(Debug)]
pub(crate) struct Artifact<'s> {
    pub(crate) text: &'s str,
}

group! { Artifact<'_>;
    script_harmful_command,
}
