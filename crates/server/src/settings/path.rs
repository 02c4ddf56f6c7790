use std::path::{Path, PathBuf};

use sealyard_core::{Redacted, durable};
use serde::Deserialize;

use super::SettingsError;

/// A path as it stands in the settings. It is none that can be opened before it is put to the folder of its file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SettingsPath(PathBuf);

impl SettingsPath {
    /// The path, from the `folder` that the settings are in ([`Settings::folder`](super::Settings::folder)).
    #[must_use]
    pub fn resolve(&self, folder: &Path) -> PathBuf {
        folder.join(&self.0)
    }
}

/// The path of a file with a secret in it, of mode 0600.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct SecretFile(SettingsPath);

impl SecretFile {
    /// What is in it, without the line's end.
    ///
    /// # Errors
    /// [`SettingsError::Read`], also where others can read it, it is empty, or no text.
    pub fn read(&self, folder: &Path) -> Result<Redacted<String>, SettingsError> {
        let path = self.0.resolve(folder);
        let failed = |source| SettingsError::Read { path: path.clone(), source };
        let bytes = durable::read_private(&path).map_err(failed)?;
        let bytes = bytes.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| failed(std::io::ErrorKind::InvalidData.into()))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, "the file is empty"))),
            text => Ok(Redacted::new(text.to_owned())),
        }
    }
}
