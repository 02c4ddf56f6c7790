use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// A file or directory could not be used.
    #[error("could not {what} {path}")]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Another server uses the data directory.
    #[error("the data directory {0} is in use by another sealyard server")]
    InUse(PathBuf),
    /// The first token would be written over a file that this server has not made.
    #[error("{0} exists already and may hold another server's token")]
    TokenFileTaken(PathBuf),
    /// The folder holds something, but no server's data.
    #[error("{0} is not empty and holds no data of a sealyard server")]
    Foreign(PathBuf),
    /// The address can't be listened on.
    #[error("could not listen on {address}")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// Certificates can't be got as the settings say.
    #[error("[tls.acme] in the settings can't be used")]
    Acme(#[from] sealyard_acme::AcmeError),
    /// The certificate or its key is not usable.
    #[error("the TLS certificate or key can't be used: {0}")]
    Tls(String),
    /// Plain HTTP or no authentication was asked for on an address that others reach.
    #[error("{0} is only allowed on a loopback address")]
    LoopbackOnly(&'static str),
    /// The catalog's ledger is no continuation of the checkpoint that was kept beside the keys.
    #[error("the ledger was put back to an older state, or is another one: {0}")]
    LedgerRollback(String),
    /// What webhooks may be sent to can't be read.
    #[error("--webhook-allow: {0}")]
    WebhookAllow(#[from] sealyard_outbound::AllowListError),
    /// The folder of the UI can't be used.
    #[error("the UI can't be served")]
    Pages(#[from] sealyard_api::PagesError),
    /// The policy can't be used.
    #[error(transparent)]
    Policy(#[from] sealyard_app::PolicyError),
    /// The vault can't be opened.
    #[error("the vault could not be opened")]
    Vault(#[from] sealyard_vault::VaultError),
    /// The artifact storage can't be set up.
    #[error(transparent)]
    Artifacts(#[from] sealyard_vault::ArtifactsUrlError),
    /// The catalog can't be opened.
    #[error("the catalog could not be opened")]
    Store(#[from] sealyard_store::StoreError),
    /// This data directory's catalog is in a database that was not named.
    #[error("the catalog of this data directory is in the database {0}, which was not named")]
    DatabaseNotNamed(String),
    /// A database was named, but this data directory has a catalog of its own.
    #[error("the data directory has a catalog of its own, {}: a database beside it would be a second one", .0.display())]
    TwoCatalogs(PathBuf),
    /// The settings can't be used.
    #[error(transparent)]
    Settings(#[from] crate::settings::SettingsError),
    /// The catalog's rows were sealed once, and it has no key for that any more.
    #[error("the catalog has lost the key that its rows are sealed with: it is not the one that this directory had")]
    SealsLost,
    /// The vault's keys can't be had.
    #[error(transparent)]
    MasterKey(#[from] sealyard_master_key::MasterKeyError),
    /// The vault's keys are wrapped, and what wraps them was not named.
    #[error("the vault's keys are protected by a master key ({0}), which was not named")]
    MasterKeyNotNamed(String),
    /// A master key was named, but the vault's keys lie here plain.
    #[error("the vault's keys lie in {}, not protected by the master key that was named", .0.display())]
    KeysLiePlain(PathBuf),
    /// The vault's keys lie here plain and wrapped, and are not the same.
    #[error("the vault's keys lie in {} and in {}, and are not the same: which are right?", .0.display(), .1.display())]
    KeysInTwoForms(PathBuf, PathBuf),
    /// A backup could not be made, looked at or restored.
    #[error(transparent)]
    Backup(#[from] sealyard_backup::BackupError),
    /// A restore would mix with what is there.
    #[error("{} is not empty: a backup is restored to a new data directory", .0.display())]
    NotEmpty(PathBuf),
    /// The catalog is of another release.
    #[error("the catalog's schema is not this release's")]
    OtherSchema,
    /// The folder is no data directory.
    #[error("{} is no data directory of a sealyard server", .0.display())]
    NoDataDirectory(PathBuf),
    /// A key can't be opened.
    #[error("a key could not be opened: {0}")]
    Key(String),
    /// The application could not start.
    #[error(transparent)]
    App(#[from] sealyard_app::AppError),
}

impl From<sealyard_transport::TransportError> for ServerError {
    fn from(error: sealyard_transport::TransportError) -> Self {
        match error {
            sealyard_transport::TransportError::File { what, path, source } => Self::File { what, path, source },
            other => Self::Tls(other.to_string()),
        }
    }
}

impl ServerError {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => {
                "choose another port with --listen, or 0 for any free one".to_owned()
            }
            Self::DatabaseNotNamed(_) => "name it with --database, or choose another --data-dir".to_owned(),
            Self::TwoCatalogs(_) => "choose a new --data-dir to go with the database".to_owned(),
            Self::Store(sealyard_store::StoreError::Unavailable) => {
                "is the database's server running, and does it take connections from here?".to_owned()
            }
            Self::InUse(_) => "stop it first, or choose another --data-dir".to_owned(),
            Self::LedgerRollback(_) => {
                "find out who did that. If it was you, restoring a backup: --accept-ledger-rollback goes on, and the ledger has it on record".to_owned()
            }
            Self::TokenFileTaken(_) => "name another file with --bootstrap-token-file, or remove that one".to_owned(),
            Self::Foreign(_) => "name an empty or a new folder with --data-dir".to_owned(),
            Self::Tls(_) => "--tls takes auto, off, or CERTIFICATE,KEY: two PEM files, the chain first".to_owned(),
            Self::Pages(_) => {
                "--ui takes `mlflow`, for an installed one, or the folder mlflow/server/js/build of one".to_owned()
            }
            Self::LoopbackOnly(_) => "listen on 127.0.0.1, or leave the option out".to_owned(),
            Self::Settings(crate::settings::SettingsError::Malformed { .. }) => {
                "the book's page on settings lists each section and key".to_owned()
            }
            Self::SealsLost => {
                "put the right catalog back; if it is right, and was emptied on purpose, remove keys/rows.sealed"
                    .to_owned()
            }
            Self::Backup(error) => return error.hint().map(str::to_owned),
            Self::OtherSchema => "start a server of this release on it once, which brings it up to date".to_owned(),
            Self::MasterKey(error) => return error.hint(),
            Self::MasterKeyNotNamed(_) => "name it in the section [vault] of the settings, with --config".to_owned(),
            Self::KeysInTwoForms(..) => {
                "the file with the newest key (`sealyard vault status` of the last server, or the ledger, says which) is the one; keep a copy of the other elsewhere and remove it here".to_owned()
            }
            Self::KeysLiePlain(_) => {
                "put them under it with `sealyard vault move --to FILE`, while no server runs".to_owned()
            }
            Self::Vault(error) => return error.hint().map(str::to_owned),
            _ => return None,
        })
    }
}
