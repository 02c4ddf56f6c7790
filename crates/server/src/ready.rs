use std::path::Path;

use sealyard_core::{Redacted, durable};
use serde::Serialize;

use crate::ServerError;

/// What a first start made, shown once.
#[derive(Debug)]
pub struct FirstStart {
    /// The administrator's name.
    pub user: String,
    /// The administrator's password.
    pub password: Redacted<String>,
    /// The administrator's token, if a file was named for it.
    pub token: Option<Redacted<String>>,
}

#[derive(Serialize)]
struct Ready<'a> {
    url: &'a str,
    ca: Option<&'a Path>,
    user: &'a str,
    token_file: Option<&'a Path>,
}

/// Tells whoever waits for it that the server serves.
pub(crate) fn write(
    path: &Path,
    url: &str,
    ca: Option<&Path>,
    user: &str,
    token_file: Option<&Path>,
) -> Result<(), ServerError> {
    let failed = |source| ServerError::File { what: "write", path: path.to_owned(), source };
    let mut text = serde_json::to_vec(&Ready { url, ca, user, token_file })
        .map_err(|error| failed(std::io::Error::other(error)))?;
    text.push(b'\n');
    durable::write(path, &text, 0o600).map_err(failed)
}
