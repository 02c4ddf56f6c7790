use std::path::PathBuf;

use clap::Subcommand;
use reqwest::Method;
use sealyard_identity::PrincipalName;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Sets up a second factor of your own account: codes of an authenticator app.
///
/// From then on the log-in page asks for a code, and a password alone does nothing: `sealyard login --user` takes --code-file.
/// Tokens go on working.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Begin: prints what an authenticator app reads. It does not count before `confirm`.
    #[command(after_help = "Examples:
  sealyard second-factor begin --password-file ~/.alice
  sealyard second-factor confirm --code-file -")]
    Begin {
        #[command(flatten)]
        who: Who,
    },
    /// Have it asked for from now on. Prints codes to recover with, shown only now.
    Confirm {
        /// The file with a code of the app; `-` is standard input.
        #[arg(long, value_name = "FILE", default_value = "-")]
        code_file: PathBuf,
        /// Log in by name and password for it, in place of a token.
        #[arg(long, value_name = "NAME", requires = "password_file")]
        user: Option<PrincipalName>,
        /// The file with the password, mode 0600.
        #[arg(long, value_name = "FILE", requires = "user")]
        password_file: Option<PathBuf>,
    },
    /// Say whether there is one.
    Status,
    /// End it, by a code of the app or one to recover with.
    Disable {
        /// The file with the code; `-` is standard input.
        #[arg(long, value_name = "FILE", default_value = "-")]
        code_file: PathBuf,
    },
}

#[derive(Debug, clap::Args)]
struct Who {
    /// The file with your password, mode 0600; `-` is standard input, or asks on a terminal.
    #[arg(long, value_name = "FILE", default_value = "-")]
    password_file: PathBuf,
    /// Log in by name and password for it, in place of a token.
    #[arg(long, value_name = "NAME")]
    user: Option<PrincipalName>,
}

const PATH: &str = "/api/sealyard/v1/account/second-factor";

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let mut connection = remote::connection(common)?;
        let (method, path, body) = match &self.command {
            Command::Begin { who } => {
                let password = remote::read_secret(&who.password_file, "password")?;
                if let Some(user) = &who.user {
                    connection.token = None;
                    connection.basic = Some((user.to_string(), password.clone()));
                }
                (Method::POST, PATH.to_owned(), json!({"password": password.expose()}))
            }
            Command::Confirm { code_file, user, password_file } => {
                let code = remote::read_secret(code_file, "code")?;
                if let (Some(user), Some(path)) = (user, password_file) {
                    connection.token = None;
                    connection.basic = Some((user.to_string(), remote::read_secret(path, "password")?));
                }
                (Method::POST, format!("{PATH}/confirm"), json!({"code": code.expose()}))
            }
            Command::Status => (Method::GET, PATH.to_owned(), Value::Null),
            Command::Disable { code_file } => {
                let code = remote::read_secret(code_file, "code")?;
                (Method::DELETE, PATH.to_owned(), json!({"code": code.expose()}))
            }
        };
        let client = remote::client(&connection)?;
        let answer: Value = remote::block_on(async {
            if method == Method::GET {
                return client.get(&path).await.map_err(remote::failure);
            }
            client.call(method, &path, &body).await.map_err(remote::failure)
        })?;
        if json {
            output::json(&answer)?;
            return Ok(Exit::Fine);
        }
        let text = |name: &str| remote::plain(answer.get(name).and_then(Value::as_str).unwrap_or_default());
        match self.command {
            Command::Begin { .. } => {
                output::say(
                    common.quiet,
                    "give this to your authenticator app, then `sealyard second-factor confirm`:",
                );
                output::data(&format!("{}\n", text("uri")))?;
            }
            Command::Confirm { .. } => {
                output::say(common.quiet, "a code is asked for from now on; codes to recover with, shown only now:");
                let codes = answer.get("recovery_codes").and_then(Value::as_array).cloned().unwrap_or_default();
                let line = |code: &Value| format!("{}\n", remote::plain(code.as_str().unwrap_or_default()));
                output::data(&codes.iter().map(line).collect::<String>())?;
            }
            Command::Status => {
                let enabled = answer.get("enabled") == Some(&Value::Bool(true));
                let left = answer.get("recovery_codes").and_then(Value::as_u64).unwrap_or_default();
                let said =
                    if enabled { format!("enabled, {left} codes to recover with left\n") } else { "none\n".to_owned() };
                output::data(&said)?;
            }
            Command::Disable { .. } => output::say(common.quiet, "there is no second factor any more"),
        }
        Ok(Exit::Fine)
    }
}
