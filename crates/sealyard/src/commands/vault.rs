use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;
use sealyard_core::{SystemClock, SystemRng};
use sealyard_server::MasterKeyMove;
use sealyard_server::settings::Settings;
use serde_json::Value;

use crate::cli::Common;
use crate::commands::up::server_failure;
use crate::exit::{Exit, Failure, Result};
use crate::master_key;
use crate::{output, remote};

/// How often the server is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// The keys that everything stored is encrypted under.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard vault status
  sealyard vault rotate && sealyard vault rewrap --wait
  sealyard vault reencrypt --wait                          after a key may have been seen by somebody
  sealyard vault move --data-dir sealyard-data --to transit.toml")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the keys' ids, what protects them, and how far the work with them is.
    Status,
    /// Make a new key. What is written from now on is under it; nothing that is there is touched, and all stays readable.
    Rotate,
    /// Wrap the data keys of all objects and sealed values with the newest key. The content stays as it is.
    Rewrap {
        /// Wait until it is done.
        #[arg(long)]
        wait: bool,
    },
    /// Encrypt all objects anew under new data keys, in the background; it goes on after a restart.
    Reencrypt {
        /// Wait until it is done.
        #[arg(long)]
        wait: bool,
    },
    /// Put the keys under another master key, while no server runs. The keys themselves stay the same: rotate them after it.
    Move {
        /// The data directory.
        #[arg(long, env = "SEALYARD_DATA_DIR", default_value = "sealyard-data", value_name = "DIR")]
        data_dir: PathBuf,
        /// The settings that the server was started with, if it was with any.
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The settings that it will be started with; without them the keys lie in keys/master.key, plain.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let kind = match self.command {
            Command::Move { data_dir, from, to } => return move_keys(common, data_dir, from.as_deref(), to.as_deref()),
            Command::Status => None,
            Command::Rotate => Some(("rotate", false)),
            Command::Rewrap { wait } => Some(("rewrap", wait)),
            Command::Reencrypt { wait } => Some(("reencrypt", wait)),
        };
        let client = remote::connect(common)?;
        let progress = output::Progress::new(common.quiet);
        let status = remote::block_on(async {
            let mut status = match kind {
                None => client.vault_status().await,
                Some(("rotate", _)) => client.rotate_vault_key().await,
                Some((kind, _)) => client.begin_vault_work(kind).await,
            }
            .map_err(remote::failure)?;
            while matches!(kind, Some((_, true))) && is_under_way(&status) {
                let number = |name: &str| number(&status, name);
                progress.now(&format!("{} of {} objects", number("done"), number("total")));
                tokio::time::sleep(LOOK).await;
                status = client.vault_status().await.map_err(remote::failure)?;
            }
            Ok::<_, Failure>(status)
        })?;
        progress.done();
        if json {
            output::json(&status)?;
        } else {
            output::data(&text(&status))?;
        }
        let failed = number(&status, "failed");
        let waited = matches!(kind, Some((_, true)));
        Ok(if waited && failed > 0 { Exit::No } else { Exit::Fine })
    }
}

fn is_under_way(status: &Value) -> bool {
    status.get("work").and_then(|work| work.get("ended")).is_some_and(Value::is_null)
}

/// A number of the work that is done.
fn number(status: &Value, name: &str) -> u64 {
    status.get("work").and_then(|work| work.get(name)).and_then(Value::as_u64).unwrap_or(0)
}

fn text(status: &Value) -> String {
    let plain = |value: Option<&Value>| remote::plain(value.and_then(Value::as_str).unwrap_or("?"));
    let mut text = format!("master key   {}\n", plain(status.get("master")));
    for key in status.get("keys").and_then(Value::as_array).into_iter().flatten() {
        let note =
            if key.get("newest").is_some_and(|newest| newest == true) { "   wraps what is written now" } else { "" };
        text.push_str(&format!("key          {}{note}\n", plain(key.get("id"))));
    }
    if let Some(work) = status.get("work").filter(|work| work.is_object()) {
        let number = |name: &str| number(status, name);
        let state = if is_under_way(status) { "under way" } else { "done" };
        text.push_str(&format!(
            "{:<12} {state}: {} of {} objects looked at, {} written anew, {} could not be\n",
            plain(work.get("kind")),
            number("done"),
            number("total"),
            number("changed"),
            number("failed"),
        ));
    }
    text
}

fn move_keys(common: &Common, data_directory: PathBuf, from: Option<&Path>, to: Option<&Path>) -> Result {
    let read = |path: Option<&Path>| match path {
        Some(path) => Settings::read(path).map_err(|error| server_failure(error.into())),
        None => Ok(Settings::default()),
    };
    let (from, to) = (read(from)?, read(to)?);
    let given = master_key::of_environment();
    let moved = MasterKeyMove { data_directory, from, to, given };
    let (before, after) = remote::block_on(async {
        moved.run(Arc::new(SystemClock), Arc::new(SystemRng)).await.map_err(server_failure)
    })?;
    if remote::wants_json(common)? {
        output::json(&serde_json::json!({ "from": before, "to": after }))?;
    } else {
        output::data(&format!("the vault's keys are protected by {after} now, and no more by {before}\n"))?;
    }
    output::say(
        common.quiet,
        "note: whoever had the keys before still has them; `sealyard vault rotate` and `reencrypt` make new ones",
    );
    Ok(Exit::Fine)
}
