use std::path::PathBuf;

use anyhow::Context as _;
use sealyard_core::durable;
use serde::{Deserialize, Serialize};

use crate::exit::{Failure, Result};
use crate::keys;

/// What `sealyard login` remembers. The token itself lies in a file of its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The server.
    pub(crate) url: String,
    /// PEM of the certificate to trust; none is the system's store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<String>,
    /// The file that holds the token.
    pub(crate) token_file: PathBuf,
    /// Id of a token that the log in made itself, and that the log out ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
}

impl Login {
    /// Where it is remembered.
    pub(crate) fn path() -> Result<PathBuf> {
        Ok(keys::configuration_directory()?.join("login.json"))
    }

    /// What is remembered, if anything.
    pub(crate) fn load() -> Result<Option<Self>> {
        let path = Self::path()?;
        let damaged = || format!("could not read the remembered log in {}", path.display());
        let Some(bytes) = durable::read_private(&path).with_context(damaged)? else { return Ok(None) };
        let login = serde_json::from_slice(&bytes).with_context(damaged).map_err(Failure::could_not);
        login.map(Some).map_err(|failure: Failure| failure.hint("forget it with `sealyard logout` and log in again"))
    }

    /// Remembers it, readable by nobody else.
    pub(crate) fn store(&self) -> Result<()> {
        let path = Self::path()?;
        let text = serde_json::to_vec_pretty(self)?;
        durable::create_private_directory(&keys::configuration_directory()?)
            .and_then(|()| durable::write(&path, &text, 0o600))
            .with_context(|| format!("could not write {}", path.display()))?;
        Ok(())
    }
}
