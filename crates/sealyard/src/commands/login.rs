use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sealyard_client::{ClientError, Connection, CreatedToken};
use sealyard_core::{Clock as _, Redacted, SystemClock, durable};

use super::browser_login::BrowserLogin;
use super::whoami;
use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::remote::{self, Login};
use crate::{keys, output, prompt};

/// How long a token lives that a log in by password makes: 30 days.
const TOKEN_SECONDS: i64 = 30 * 24 * 60 * 60;

/// Remembers a server, the certificate to trust and where the token is, for the commands that follow.
///
/// With --user a token is made for this machine, lasting 30 days, and the password is forgotten; `sealyard logout` ends
/// the token. With --oidc you log in at an identity provider in a browser of this machine, and the token lasts 12 hours. Passwords and tokens are read from files that only you may read, never from the command line.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard login https://127.0.0.1:5000 --ca sealyard-data/keys/tls.crt --token-file admin.token
  sealyard login https://sealyard.example.org --user alice          # asks for the password
  sealyard login https://sealyard.example.org --user alice --password-file ~/.alice
  sealyard login https://sealyard.example.org --oidc corp
  pass show sealyard | sealyard login https://sealyard.example.org --user alice --password-file -")]
pub(crate) struct Arguments {
    /// The server's URL [default: --server].
    #[arg(value_name = "URL")]
    url: Option<String>,
    /// Log in by name and password.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The file with the password, mode 0600; `-` is standard input. Without it a terminal is asked.
    #[arg(long, value_name = "FILE", requires = "user")]
    password_file: Option<PathBuf>,
    /// The file with a code of your authenticator app, where your account has a second factor.
    #[arg(long, value_name = "FILE", requires = "user")]
    code_file: Option<PathBuf>,
    /// Log in by a browser at this OpenID provider, as the server's settings call it.
    #[arg(long, value_name = "PROVIDER", conflicts_with = "user")]
    oidc: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let url = self.url.or_else(|| common.server.clone()).ok_or_else(|| {
            Failure::could_not(anyhow!("no server is named")).hint("sealyard login https://HOST:PORT --token-file FILE")
        })?;
        let url = url.trim_end_matches('/').to_owned();
        let certificate = common.ca.as_deref().map(remote::read_certificate).transpose()?;
        let previous = Login::load().ok().flatten();
        let mut connection =
            Connection { url: url.clone(), certificate: certificate.clone(), token: None, basic: None };
        let (token_file, token_id) = match self.user {
            Some(user) => {
                let terminal = PathBuf::from("-");
                let password_file = match self.password_file {
                    None if prompt::somebody_is_there() => &terminal,
                    None => {
                        let error = anyhow!("there is no terminal to ask for the password");
                        return Err(
                            Failure::could_not(error).hint("--password-file FILE has it; `-` is standard input")
                        );
                    }
                    Some(ref path) => path,
                };
                let password = remote::read_secret(password_file, "password")?;
                connection.basic = Some((user, password));
                let code = self.code_file.map(|path| remote::read_secret(&path, "code")).transpose()?;
                let (path, id) = make_token(&mut connection, code.as_ref())?;
                (path, Some(id))
            }
            _ if self.oidc.is_some() => {
                let (path, id) = by_browser(&mut connection, self.oidc.as_deref().unwrap_or_default())?;
                (path, Some(id))
            }
            _ => {
                let path = common.token_file.as_deref().ok_or_else(|| {
                    Failure::could_not(anyhow!("nothing to log in with"))
                        .hint("name a token with --token-file FILE, --user NAME with --password-file FILE, or --oidc PROVIDER")
                })?;
                let path = path.canonicalize().with_context(|| format!("there is no token file {}", path.display()))?;
                connection.token = Some(remote::read_token(&path)?);
                (path, None)
            }
        };
        let client = remote::client(&connection)?;
        // Nothing is remembered that does not work.
        let who = remote::block_on(async { client.whoami().await.map_err(remote::failure) })?;
        Login { url: url.clone(), ca: certificate, token_file, token_id }.store()?;
        if previous.is_some_and(|previous| previous.token_id.is_some()) {
            output::say(
                common.quiet,
                "note: the token of the log in before stays valid until it expires; `sealyard tokens list` shows it",
            );
        }
        if json {
            output::json(&serde_json::json!({"url": url, "principal": who}))?;
        } else {
            output::say(common.quiet, &format!("logged in to {url} as {}", whoami::name(&who)));
        }
        Ok(Exit::Fine)
    }
}

/// The file of a token that a log in made.
pub(super) fn own_token_file() -> Result<PathBuf> {
    Ok(keys::configuration_directory()?.join("token"))
}

/// Exchanges the password for a token, which the connection then uses. Where the account turns out to have a second factor, a
/// terminal is asked for its code.
fn make_token(connection: &mut Connection, code: Option<&Redacted<String>>) -> Result<(PathBuf, String)> {
    let client = remote::client(connection)?;
    let expires = SystemClock.now().plus_seconds(TOKEN_SECONDS);
    let wants_code = |error: &ClientError| error.rules().iter().any(|rule| rule == "identity.second-factor");
    let made = remote::block_on(async {
        let all = ["all".to_owned()];
        let made = match client.create_token_with_code(code, &all, Some(expires)).await {
            Err(error) if wants_code(&error) && code.is_none() && prompt::somebody_is_there() => {
                let asked = remote::read_secret(Path::new("-"), "code of your authenticator app")?;
                client.create_token_with_code(Some(&asked), &all, Some(expires)).await
            }
            made => made,
        };
        made.map_err(|error| {
            let factor = wants_code(&error);
            let hint = "the account has a second factor: --code-file FILE has a code of your authenticator app";
            remote::failure(error).maybe_hint(factor.then_some(hint))
        })
    })?;
    connection.basic = None;
    keep(connection, made)
}

/// Has a browser log in, and gets the token that was allowed there.
fn by_browser(connection: &mut Connection, provider: &str) -> Result<(PathBuf, String)> {
    let login = BrowserLogin::begin()?;
    let client = remote::client(connection)?;
    let address = login.address(&connection.url, provider)?;
    // Without it nobody can go on, so that it is said with --quiet too.
    output::say(
        false,
        &format!(
            "open this in a browser of this machine, and type {} where it asks for that:\n{address}",
            login.shown()
        ),
    );
    let code = login.wait()?;
    let made = remote::block_on(async { client.redeem_log_in(&code, &login.verifier).await.map_err(remote::failure) })?;
    keep(connection, made)
}

/// Writes a new token where only its owner reads it, for the connection to use.
fn keep(connection: &mut Connection, made: CreatedToken) -> Result<(PathBuf, String)> {
    let path = own_token_file()?;
    let directory = path.parent().unwrap_or(Path::new("."));
    durable::create_private_directory(directory)
        .and_then(|()| durable::write(&path, made.token.expose().as_bytes(), 0o600))
        .with_context(|| format!("could not write {}", path.display()))?;
    connection.token = Some(made.token);
    Ok((path, made.id))
}
