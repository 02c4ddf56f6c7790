use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Removes stored artifact bytes that nothing refers to.
///
/// Deleting artifacts removes their bytes at once, and a server that starts removes what a killed one left. This does the
/// same while servers run. What a run, a logged model, a version or an upload under way refers to is never removed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard gc --dry-run
  sealyard gc")]
pub(crate) struct Arguments {
    /// Only count what would be removed.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let answer = remote::block_on(async { client.collect_garbage(self.dry_run).await.map_err(remote::failure) })?;
        if json {
            output::json(&answer)?;
            return Ok(Exit::Fine);
        }
        let number = |name: &str| answer.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        let act = if self.dry_run { "would be removed" } else { "removed" };
        output::data(&format!(
            "{} objects stored, {} {act} ({} bytes), {} too young to tell, {} uploads given up\n",
            number("stored"),
            number("unused"),
            number("unused_bytes"),
            number("young"),
            number("uploads"),
        ))?;
        Ok(Exit::Fine)
    }
}
