//! Where the catalog's database is, as commands are told it.

use std::path::PathBuf;

use anyhow::anyhow;
use sealyard_core::{Redacted, durable};

use crate::exit::{Failure, Result};

/// The URL with its password, which is not for the list of processes.
const VARIABLE: &str = "SEALYARD_DATABASE";
/// libpq's variable for the password.
const PASSWORD: &str = "PGPASSWORD";

#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArguments {
    /// Keep the catalog in this PostgreSQL database instead of SQLite: postgresql://USER@HOST/DATABASE, without the
    /// password [env: SEALYARD_DATABASE, which may have it].
    #[arg(long, value_name = "URL", value_parser = secret)]
    database: Option<Redacted<String>>,
    /// A file with the database's password, mode 0600 [default: PGPASSWORD].
    #[arg(long, value_name = "FILE")]
    database_password_file: Option<PathBuf>,
}

/// The database that was named, and its password if that came apart from it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) url: Redacted<String>,
    pub(crate) password: Option<Redacted<String>>,
}

/// What is written there may have a password by mistake: it is kept from messages from the start.
fn secret(text: &str) -> std::result::Result<Redacted<String>, std::convert::Infallible> {
    Ok(Redacted::new(text.to_owned()))
}

impl DatabaseArguments {
    /// Whether a database was named here, or in the environment.
    pub(crate) fn names_one(&self) -> bool {
        self.database.is_some()
            || self.database_password_file.is_some()
            || std::env::var_os(VARIABLE).is_some_and(|value| !value.is_empty())
    }

    /// What was named here, or in the environment.
    pub(crate) fn read(&self) -> Result<Option<Database>> {
        self.read_from(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read_from(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Database>> {
        let url = match &self.database {
            Some(url) if has_password(url.expose()) => {
                return Err(Failure::could_not(anyhow!(
                    "--database has a password, which others can read in the list of processes"
                ))
                .hint("name a file with --database-password-file, or set SEALYARD_DATABASE instead"));
            }
            Some(url) => Some(url.clone()),
            None => variable(VARIABLE).map(Redacted::new),
        };
        let password = match &self.database_password_file {
            Some(path) => {
                let secret = durable::read_private(path)?
                    .ok_or_else(|| Failure::could_not(anyhow!("there is no password file {}", path.display())))?;
                let text = std::str::from_utf8(&secret)?.trim_end_matches(['\r', '\n']).to_owned();
                Some(Redacted::new(text))
            }
            // As in libpq, a password in the URL is stronger than the variable.
            None if url.as_ref().is_some_and(|url| has_password(url.expose())) => None,
            None => variable(PASSWORD).map(Redacted::new),
        };
        match url {
            Some(url) => Ok(Some(Database { url, password })),
            None if self.database_password_file.is_some() => {
                Err(Failure::could_not(anyhow!("--database-password-file needs --database, or {VARIABLE}")))
            }
            None => Ok(None),
        }
    }
}

/// Whether the URL has a password before its host or among its parameters. It is better to see one too many.
pub(crate) fn has_password(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || parameters.split('&').any(|pair| pair.to_ascii_lowercase().contains("password="))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn arguments(database: Option<&str>, file: Option<PathBuf>) -> DatabaseArguments {
        DatabaseArguments { database: database.map(|url| Redacted::new(url.to_owned())), database_password_file: file }
    }

    fn told(arguments: &DatabaseArguments, variables: &[(&str, &str)]) -> Option<(String, Option<String>)> {
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let Database { url, password } = arguments.read_from(variable).unwrap()?;
        Some((url.expose().clone(), password.map(|password| password.expose().clone())))
    }

    #[test]
    fn a_password_in_the_argument_is_refused() {
        for url in ["postgresql://ada:pw@db/x", "postgresql://:@db/x", "postgresql://ada@db/x?password=pw", "ada:pw@db"]
        {
            let refused = arguments(Some(url), None).read_from(|_| None);
            assert!(refused.is_err(), "{url}");
            assert!(!format!("{:?}", arguments(Some(url), None)).contains("pw"));
        }
        for url in ["postgresql://ada@db:5432/x", "postgresql://db:5432,other:5433/x", "postgresql://ada@[::1]:5432/x"]
        {
            assert!(arguments(Some(url), None).read_from(|_| None).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_password_comes_from_the_nearest_place() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        std::fs::write(&file, "from a file\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
        let named = arguments(Some("postgresql://ada@db/x"), Some(file.clone()));
        assert!(named.read_from(|_| None).is_err(), "others may read it");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        let variables = [("SEALYARD_DATABASE", "postgresql://ada:in-url@db/x"), ("PGPASSWORD", "from pg")];
        let url = "postgresql://ada@db/x".to_owned();
        assert_eq!(told(&named, &variables), Some((url.clone(), Some("from a file".into()))));
        assert_eq!(told(&arguments(Some(&url), None), &variables), Some((url, Some("from pg".into()))));
        let whole = "postgresql://ada:in-url@db/x".to_owned();
        assert_eq!(told(&arguments(None, None), &variables), Some((whole, None)));
        assert_eq!(told(&arguments(None, None), &variables[1..]), None);
        assert!(arguments(None, Some(file)).read_from(|_| None).is_err());
    }
}
