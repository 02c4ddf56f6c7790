use std::path::PathBuf;

use anyhow::Context as _;
use clap::Subcommand;
use sealyard_core::{Clock as _, SystemClock, Timestamp, durable};
use sealyard_identity::{PrincipalName, Scope};
use serde_json::json;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Makes, lists and revokes your own tokens; for administrators, those of others.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token. It is shown once.
    #[command(after_help = "Examples:
  sealyard tokens create --scope experiment:7:edit --expires 30d --output ci.token
  sealyard tokens create --scope read --scope registered-model:diabetes:promote --expires 1h")]
    Create {
        /// What it is limited to: all, read, or RESOURCE:RIGHT such as experiment:7:edit. Several add up.
        #[arg(long = "scope", required = true, value_name = "SCOPE")]
        scopes: Vec<Scope>,
        /// How long it lives: a number with s, m, h, d or w.
        #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = seconds)]
        expires: i64,
        /// Whose it is: a machine's account, `sealyard users create NAME --service`; takes an administrator.
        #[arg(long = "for", value_name = "USER")]
        user: Option<PrincipalName>,
        /// Write the token to a file that only you may read, in place of standard output.
        #[arg(long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// List your tokens, without the tokens themselves.
    List {
        /// Those of this user; takes an administrator.
        #[arg(long = "for", value_name = "USER")]
        user: Option<PrincipalName>,
    },
    /// End one of your tokens now.
    Revoke {
        /// As `sealyard tokens list` shows it.
        id: String,
        /// Whose it is; takes an administrator.
        #[arg(long = "for", value_name = "USER")]
        user: Option<PrincipalName>,
    },
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        match self.command {
            Command::Create { scopes, expires, user, output } => {
                let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                let expires = SystemClock.now().plus_seconds(expires);
                let made = remote::block_on(async {
                    client
                        .create_token_for(user.as_ref().map(PrincipalName::as_str), &scopes, Some(expires))
                        .await
                        .map_err(remote::failure)
                })?;
                let ends = made.expires.as_deref().map_or_else(|| "never".to_owned(), remote::plain);
                if let Some(path) = &output {
                    durable::write(path, made.token.expose().as_bytes(), 0o600)
                        .with_context(|| format!("could not write {}", path.display()))?;
                }
                if json {
                    let token = output.is_none().then(|| made.token.expose().as_str());
                    let value = json!({"token": token, "id": made.id, "scopes": made.scopes, "expires": made.expires});
                    output::json(&value)?;
                } else {
                    let id = remote::plain(&made.id);
                    output::say(common.quiet, &format!("made {id}, which ends {ends}; it is shown only now"));
                    match output {
                        Some(path) => output::data(&format!("{}\n", path.display()))?,
                        None => output::data(&format!("{}\n", made.token.expose()))?,
                    }
                }
            }
            Command::List { user } => {
                let user = user.as_ref().map(PrincipalName::as_str);
                let tokens = remote::block_on(async { client.tokens(user).await.map_err(remote::failure) })?;
                if json {
                    let value = tokens.iter().map(|token| {
                        let expires = token.expires.map(Timestamp::to_rfc3339);
                        json!({"id": token.id, "scopes": token.scopes, "expires": expires, "revoked": token.revoked, "used": token.used.map(Timestamp::to_rfc3339)})
                    });
                    output::json(&value.collect::<Vec<_>>())?;
                } else {
                    for token in &tokens {
                        let state =
                            if token.revoked { "revoked".to_owned() } else { format!("ends {}", shown(token.expires)) };
                        let scopes = remote::plain(&token.scopes.join(" "));
                        let used = token
                            .used
                            .map_or_else(|| "never used".to_owned(), |at| format!("used {}", at.to_rfc3339()));
                        output::data(&format!("{}  {state}  {used}  {scopes}\n", remote::plain(&token.id)))?;
                    }
                }
            }
            Command::Revoke { id, user } => {
                let user = user.as_ref().map(PrincipalName::as_str);
                remote::block_on(async { client.revoke_token(&id, user).await.map_err(remote::failure) })?;
                if json {
                    output::json(&json!({"id": id, "revoked": true}))?;
                } else {
                    output::say(common.quiet, &format!("{id} is revoked"));
                }
            }
        }
        Ok(Exit::Fine)
    }
}

fn shown(expires: Option<Timestamp>) -> String {
    expires.map_or_else(|| "never".to_owned(), Timestamp::to_rfc3339)
}

/// A number with its unit; up to ten years.
pub(crate) fn seconds(text: &str) -> std::result::Result<i64, String> {
    let wrong = || format!("{text:?} is no duration: expected such as 90m, 12h, 30d or 8w, at most 3650d");
    let unit = text.chars().last().ok_or_else(wrong)?;
    let factor = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let seconds = number.and_then(|number| number.parse::<i64>().ok()?.checked_mul(factor));
    seconds.filter(|seconds| (1..=3650 * 86_400).contains(seconds)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!((seconds("90m"), seconds("30d"), seconds("2w")), (Ok(5400), Ok(2_592_000), Ok(1_209_600)));
        for text in ["", "30", "d", "-1d", "+1d", "0h", "1y", "1.5h", "99999999999999999999d", "3651d", "1é"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }
}
