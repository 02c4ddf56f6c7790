use std::process::ExitCode;

/// How a command ends; see the contract in the command reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The job was done and all is well.
    Fine,
    /// The job was done and the answer is no.
    No,
    /// The job could not be done, or not wholly.
    CouldNot,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Fine => 0,
            Exit::No => 1,
            Exit::CouldNot => 2,
        })
    }
}

/// An error on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    /// What the user can do.
    pub(crate) hint: Option<String>,
}

impl Failure {
    /// The job could not be done.
    pub(crate) fn could_not(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::CouldNot, error: error.into(), hint: None }
    }

    /// The answer is no.
    pub(crate) fn no(error: impl Into<anyhow::Error>) -> Self {
        Self { exit: Exit::No, error: error.into(), hint: None }
    }

    /// With advice.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With advice, if there is some.
    pub(crate) fn maybe_hint(mut self, hint: Option<impl Into<String>>) -> Self {
        self.hint = hint.map(Into::into).or(self.hint);
        self
    }
}

/// Errors that have no verdict of their own: the job could not be done.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::could_not(error)
    }
}

pub(crate) type Result<T = Exit> = std::result::Result<T, Failure>;
