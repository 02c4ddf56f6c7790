use std::path::PathBuf;

use clap::Subcommand;
use sealyard_core::SystemRng;
use sealyard_identity::{PrincipalName, generate_password};
use serde_json::json;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Makes users. Takes an administrator.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a user, who may do nothing until `sealyard grants set` says otherwise.
    #[command(after_help = "Examples:
  sealyard users create alice                          a random password, shown once
  sealyard users create bob --password-file bob.txt    the file must be readable by you alone")]
    Create {
        /// What they log in with.
        name: PrincipalName,
        /// They may do everything, also make users.
        #[arg(long)]
        admin: bool,
        /// The file with the password, mode 0600; `-` is standard input [default: a random one].
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let Command::Create { name, admin, password_file } = self.command;
        let password = match &password_file {
            Some(path) => remote::read_secret(path, "password")?,
            None => generate_password(&SystemRng),
        };
        let client = remote::connect(common)?;
        remote::block_on(async { client.create_user(name.as_str(), &password, admin).await.map_err(remote::failure) })?;
        let made = password_file.is_none().then(|| password.expose().as_str());
        if json {
            output::json(&json!({"name": name.as_str(), "admin": admin, "password": made}))?;
        } else {
            let what = if admin { "administrator" } else { "user" };
            output::say(common.quiet, &format!("made the {what} {name}"));
            if let Some(password) = made {
                output::say(common.quiet, "the password is shown only now:");
                output::data(&format!("{password}\n"))?;
            }
        }
        Ok(Exit::Fine)
    }
}
