//! The file of `sealyard up --config`: one section, one file in here.
//!
//! A key that is not known is an error, and so is a section: a mistyped one must not leave a protection off. What the command line
//! says is stronger. Paths in it are relative to the folder that the file is in. No secret stands in it: it names files of mode 0600.

mod identity;
mod ledger;
mod ledger_export;
mod limits;
mod listeners;
mod path;
mod server;
mod tls;
mod vault;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

pub use identity::{
    IdentitySettings, MachineSettings, OidcSettings, PasswordSettings, SecondFactorSetting, SessionSettings,
};
pub use ledger::{LedgerSettings, WitnessSettings};
pub use ledger_export::ExportSettings;
pub use limits::LimitSettings;
pub use listeners::{ListenerKind, ListenerSettings, MAIN};
pub use path::{SecretFile, SettingsPath};
pub use server::{ExternalSources, ServerSettings};
pub use tls::{AcmeSection, CertificateSettings, TlsSettings, TlsSource};
pub(crate) use tls::{clients as client_certificates, own as own_certificate};
pub use vault::{AwsKmsSettings, MasterKeyKind, Pkcs11Settings, TransitSettings, VaultSettings};

/// More than any such file has.
const LARGEST: u64 = 1 << 20;

/// Why a file of settings can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It, or a file that it names, can't be read.
    #[error("could not read {path}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, or says what is not known.
    #[error("{path} can't be understood: {problem}")]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Line, column and what is wrong there.
        problem: String,
    },
    /// What it says does not make sense together.
    #[error("[{section}] in the settings: {problem}")]
    Invalid {
        /// Where.
        section: String,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

impl SettingsError {
    /// A value of `section` that can't be.
    #[must_use]
    pub fn invalid(section: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Invalid { section: section.into(), problem: problem.into() }
    }
}

/// Everything that the file can say.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The folder that its paths are relative to.
    #[serde(skip)]
    pub folder: PathBuf,
    /// Every value that the file has, under its dotted name: what the ledger is told of changes.
    #[serde(skip)]
    pub values: Vec<(String, String)>,
    /// `[server]`: what the options of `sealyard up` say.
    pub server: ServerSettings,
    /// `[identity]`: who somebody is, and who else says so.
    pub identity: IdentitySettings,
    /// `[vault]`: what protects the vault's keys.
    pub vault: VaultSettings,
    /// `[tls]`: the server's certificate, and those of clients.
    pub tls: TlsSettings,
    /// `[listeners.NAME]`: further places to listen at.
    pub listeners: BTreeMap<String, ListenerSettings>,
    /// `[limits]`: how much anybody may take.
    pub limits: LimitSettings,
    /// `[ledger]`: who watches the log.
    pub ledger: LedgerSettings,
}

impl Settings {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// [`SettingsError::Read`] and [`SettingsError::Malformed`].
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let failed = |source| SettingsError::Read { path: path.to_owned(), source };
        if path.metadata().map_err(failed)?.len() > LARGEST {
            return Err(failed(std::io::ErrorKind::FileTooLarge.into()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let absolute = std::path::absolute(path).map_err(failed)?;
        let folder = absolute.parent().unwrap_or(Path::new("/"));
        Self::parse(&text, folder).map_err(|problem| SettingsError::Malformed { path: path.to_owned(), problem })
    }

    /// From `text`, with paths relative to `folder`.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        let table: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        let mut values = Vec::new();
        flatten("", &table, &mut values);
        Ok(Self { folder: folder.to_owned(), values, ..settings })
    }
}

fn flatten(prefix: &str, table: &toml::Table, into: &mut Vec<(String, String)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, into),
            value => into.push((name, value.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_an_error() {
        let parse = |text| Settings::parse(text, Path::new("/etc/sealyard"));
        for text in
            ["[sever]\n", "[server]\nlisten_on = \"127.0.0.1:1\"\n", "x = 1", "[server]\nlisten = \"nowhere\"\n"]
        {
            let problem = parse(text).unwrap_err();
            assert!(problem.contains("line"), "{text}: {problem}");
        }
        assert!(parse("").is_ok());
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("sealyard.toml");
        std::fs::write(
            &file,
            "[server]\ndata_dir = \"data\"\npolicy = \"/etc/policy.toml\"\nlisten = \"127.0.0.1:0\"\n",
        )
        .unwrap();
        let settings = Settings::read(&file).unwrap();
        let of = |path: &SettingsPath| path.resolve(&settings.folder);
        assert_eq!(settings.server.data_dir.as_ref().map(of), Some(directory.path().join("data")));
        assert_eq!(settings.server.policy.as_ref().map(of), Some("/etc/policy.toml".into()));
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("secret"), "hush\n").unwrap();
        let secret: SecretFile = toml::from_str::<std::collections::HashMap<String, SecretFile>>("a = \"secret\"")
            .unwrap()
            .remove("a")
            .unwrap();
        let mode = |mode| {
            let path = directory.path().join("secret");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        mode(0o644);
        assert!(matches!(secret.read(directory.path()), Err(SettingsError::Read { .. })));
        mode(0o600);
        assert_eq!(secret.read(directory.path()).unwrap().expose(), "hush");
    }
}
