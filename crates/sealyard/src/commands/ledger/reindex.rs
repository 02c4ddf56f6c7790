use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {}

impl Arguments {
    pub(super) fn run(self, common: &Common, json: bool) -> Result {
        let client = remote::connect(common)?;
        remote::block_on(async { client.reindex_ledger().await.map_err(remote::failure) })?;
        if json {
            output::json(&serde_json::json!({"reindexing": true}))?;
        } else {
            output::say(
                common.quiet,
                "the server makes its index anew; until it has, searches say that they are incomplete",
            );
        }
        Ok(Exit::Fine)
    }
}
