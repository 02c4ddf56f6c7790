use std::io::Write as _;

use anyhow::Context as _;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::remote;

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  sealyard ledger export --from 0 --to 100000 > ledger.jsonl

Each line has the entry's index, its leaf hash and the event. The ledger has the export itself on record. For sending entries on
as they come there is [ledger.export.NAME] in the settings of the server.")]
pub(super) struct Arguments {
    /// The first entry.
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
    /// The entry before which it ends [default: all that are there].
    #[arg(long, value_name = "INDEX")]
    to: Option<u64>,
}

impl Arguments {
    pub(super) fn run(self, common: &Common) -> Result {
        let client = remote::connect(common)?;
        remote::block_on(async {
            let mut answer = client.export_ledger(self.from, self.to).await.map_err(remote::failure)?;
            let mut out = std::io::stdout().lock();
            while let Some(piece) = answer.chunk().await.context("the export broke off before its end")? {
                out.write_all(&piece)?;
            }
            out.flush()?;
            Ok(Exit::Fine)
        })
    }
}
