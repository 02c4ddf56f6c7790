use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sealyard_core::Redacted;
use sealyard_store::StoreError;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);
/// When a server that no longer answers counts as lost.
const SILENCE: Duration = Duration::from_secs(20);

/// Where a PostgreSQL catalog is and how it is reached. It shows itself without the password.
#[derive(Clone)]
pub struct PostgresUrl {
    pub(crate) config: Config,
    /// `None` is no TLS.
    pub(crate) roots: Option<Roots>,
}

/// Whom to trust for the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Roots {
    System,
    File(PathBuf),
}

impl PostgresUrl {
    /// Reads `postgresql://user@host:port/database`, with libpq's parameters; of `sslmode` there are `disable` and
    /// `verify-full`, which `require` and `verify-ca` mean too. Without it, TLS is verified in full unless every host is this
    /// machine. `sslrootcert` is a file of certificates or `system`.
    ///
    /// # Errors
    /// [`StoreError::Invalid`]; what it says never has a part of the URL that could be secret.
    pub fn parse(url: &str) -> Result<Self, StoreError> {
        if !url.starts_with("postgresql://") && !url.starts_with("postgres://") {
            return Err(invalid("it does not begin with postgresql://"));
        }
        let (address, query) = url.split_once('?').unwrap_or((url, ""));
        let mut mode = None;
        let mut roots = Roots::System;
        let mut rest = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value),
                Some(("sslrootcert", "system")) => {}
                Some(("sslrootcert", value)) => roots = Roots::File(Path::new(&unescaped(value)?).to_owned()),
                _ => rest.push(pair),
            }
        }
        let url = if rest.is_empty() { address.to_owned() } else { format!("{address}?{}", rest.join("&")) };
        // The parser's own message may repeat what it did not understand.
        let mut config: Config = url.parse().map_err(|_| invalid("it can't be understood"))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(invalid("it names no host"));
        }
        if config.get_dbname().is_none() {
            return Err(invalid("it names no database"));
        }
        let encrypted = match mode {
            Some("disable") => false,
            Some("require" | "verify-ca" | "verify-full") => true,
            Some(_) => return Err(invalid("sslmode is disable or verify-full")),
            None => !config.get_hosts().iter().all(is_here),
        };
        config.ssl_mode(if encrypted { SslMode::Require } else { SslMode::Disable });
        config.connect_timeout(CONNECT).tcp_user_timeout(SILENCE).keepalives_idle(SILENCE);
        // Of several hosts, the one that takes writes: readers shall see what was written a moment ago.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite).application_name("sealyard");
        Ok(Self { config, roots: encrypted.then_some(roots) })
    }

    /// Whether the URL brought a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: &Redacted<String>) -> Self {
        self.config.password(password.expose());
        self
    }
}

fn invalid(why: &str) -> StoreError {
    StoreError::Invalid(format!(
        "the database's URL can't be used: {why}; it has the form postgresql://USER@HOST/DATABASE"
    ))
}

fn unescaped(text: &str) -> Result<String, StoreError> {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| invalid("sslrootcert is not text"))
}

/// Whether nobody stands between us and the host.
fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgresql://")?;
        if let Some(user) = self.config.get_user() {
            write!(f, "{user}@")?;
        }
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            match host {
                Host::Tcp(name) => write!(f, "{comma}{name}")?,
                Host::Unix(path) => write!(f, "{comma}{}", path.display())?,
            }
            if let Some(port) = self.config.get_ports().get(number).or(self.config.get_ports().first()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_has_no_password() {
        let url = PostgresUrl::parse("postgresql://ada:s3cret@db.example:5433/catalog?sslmode=verify-full").unwrap();
        assert_eq!(url.to_string(), "postgresql://ada@db.example:5433/catalog");
        assert!(!format!("{url:?}").contains("s3cret"));
        assert!(url.has_password());
        for bad in ["postgresql://ada:s3cret@db.example:s3cret/x", "postgresql://ada:s3cret@h/x?s3cret=1", "s3cret://x"]
        {
            let error = format!("{:?}", PostgresUrl::parse(bad).unwrap_err());
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn only_this_machine_is_reached_without_tls() {
        let encrypted = |url: &str| PostgresUrl::parse(url).unwrap().roots.is_some();
        for here in ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "%2Frun%2Fpostgresql"] {
            assert!(!encrypted(&format!("postgresql://ada@{here}/x")), "{here}");
            assert!(encrypted(&format!("postgresql://ada@{here}/x?sslmode=verify-full")), "{here}");
        }
        for away in ["db.example", "10.0.0.1", "localhost.example", "localhost,db.example"] {
            for mode in ["", "?sslmode=require", "?sslmode=verify-ca", "?sslmode=verify-full"] {
                assert!(encrypted(&format!("postgresql://ada@{away}/x{mode}")), "{away}{mode}");
            }
            assert!(!encrypted(&format!("postgresql://ada@{away}/x?sslmode=disable")), "{away}");
            for mode in ["prefer", "allow", "", "DISABLE"] {
                let url = format!("postgresql://ada@{away}/x?sslmode={mode}");
                assert!(matches!(PostgresUrl::parse(&url), Err(StoreError::Invalid(_))), "{url}");
            }
        }
    }

    #[test]
    fn roots_come_from_a_file_or_the_system() {
        let roots = |query: &str| PostgresUrl::parse(&format!("postgres://a@h/x?{query}")).unwrap().roots;
        assert_eq!(roots("sslrootcert=/etc/my%20ca.pem"), Some(Roots::File("/etc/my ca.pem".into())));
        assert_eq!(roots("sslrootcert=system"), Some(Roots::System));
        assert_eq!(roots("connect_timeout=3"), Some(Roots::System));
    }
}
