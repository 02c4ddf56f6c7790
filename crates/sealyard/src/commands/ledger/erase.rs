use sealyard_core::Timestamp;

use super::search::moment;
use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard ledger erase --before 365d                       addresses that are older than a year
  sealyard ledger erase --actor ada --before 1s             everything of one account

The ledger gets an entry that says so. Backups that were made before still have what is erased here.")]
pub(super) struct Arguments {
    /// Of what this account did; of everybody without it.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Of what happened before this: RFC 3339, or such as 365d for so long ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Timestamp,
}

impl Arguments {
    pub(super) fn run(self, common: &Common, json: bool) -> Result {
        let client = remote::connect(common)?;
        let erased = remote::block_on(async {
            client.erase_personal(self.actor.as_deref(), self.before).await.map_err(remote::failure)
        })?;
        if json {
            output::json(&serde_json::json!({ "erased": erased }))?;
        } else {
            output::say(common.quiet, &format!("erased what {erased} entries had of persons; the entries stay"));
        }
        Ok(Exit::Fine)
    }
}
