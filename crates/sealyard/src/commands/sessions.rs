use clap::Subcommand;
use reqwest::Method;
use sealyard_client::segment;
use sealyard_core::Timestamp;
use sealyard_identity::PrincipalName;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Lists the browsers you are logged in with, and logs out of them; for administrators, those of others.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Whose they are; takes an administrator.
    #[arg(long = "for", global = true, value_name = "USER")]
    user: Option<PrincipalName>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List them.
    List,
    /// End one of them, or log out everywhere.
    End {
        /// As `sealyard sessions list` shows it.
        #[arg(required_unless_present = "all", conflicts_with = "all")]
        id: Option<String>,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
}

const PATH: &str = "/api/sealyard/v1/sessions";

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let whose = self.user.map_or_else(String::new, |user| format!("?user={}", segment(user.as_str())));
        match self.command {
            Command::List => {
                let path = format!("{PATH}{whose}");
                let answer: Value = remote::block_on(async { client.get(&path).await.map_err(remote::failure) })?;
                let sessions = answer.get("sessions").and_then(Value::as_array).cloned().unwrap_or_default();
                if json {
                    output::json(&sessions)?;
                } else {
                    let time = |session: &Value, name: &str| {
                        let time =
                            session.get(name).cloned().and_then(|time| serde_json::from_value::<Timestamp>(time).ok());
                        time.map_or_else(|| "?".to_owned(), Timestamp::to_rfc3339)
                    };
                    let line = |session: &Value| {
                        let id = remote::plain(session.get("id").and_then(Value::as_str).unwrap_or_default());
                        format!("{id}  begun {}  seen {}\n", time(session, "created"), time(session, "seen"))
                    };
                    output::data(&sessions.iter().map(line).collect::<String>())?;
                }
            }
            Command::End { id, .. } => {
                let one = id.map_or_else(String::new, |id| format!("/{}", segment(&id)));
                let path = format!("{PATH}{one}{whose}");
                let answer: Value = remote::block_on(async {
                    client.ask(client.request(Method::DELETE, &path)).await.map_err(remote::failure)
                })?;
                let ended = answer.get("ended").and_then(Value::as_u64).unwrap_or_default();
                if json {
                    output::json(&json!({"ended": ended}))?;
                } else {
                    output::say(common.quiet, &format!("{ended} sessions have ended"));
                }
            }
        }
        Ok(Exit::Fine)
    }
}
