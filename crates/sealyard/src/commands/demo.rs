use clap::Args;

use crate::cli::{Common, Format};
use crate::commands::up::Stop;
use crate::demo;
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote};

/// Run the whole pipeline on a bundled project, then the attacks.
///
/// Everything is real: a server with TLS on loopback, a Python environment from a lock with hashes, training in the sandbox,
/// signatures, gates, a native prediction. Then eleven attacks are carried out; each must be stopped by the rule that is
/// meant for it. Nothing outside a temporary folder and the cache of Python packages is changed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Leave the server running at the end and print the login.
    #[arg(long)]
    keep: bool,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        remote::block_on(async {
            let mut stop = Stop::catch()?;
            // Interrupted, the demo still removes its folder; the sandbox ends with this process.
            let (report, context) = tokio::select! {
                result = demo::run(common, self.keep) => result?,
                () = stop.wait() => {
                    return Err(Failure::could_not(anyhow::anyhow!("interrupted; the demo's folder is removed")));
                }
            };
            match common.format {
                Format::Json => output::json(&report)?,
                _ => output::data(&report.table())?,
            }
            if self.keep {
                output::say(common.quiet, "Ctrl-C stops the server and removes its folder.");
                stop.wait().await;
            }
            context.stop().await;
            Ok(if report.ok() { Exit::Fine } else { Exit::No })
        })
    }
}
