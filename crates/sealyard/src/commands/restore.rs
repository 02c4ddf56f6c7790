use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use sealyard_core::{SystemClock, SystemRng};
use sealyard_server::settings::Settings;
use sealyard_server::{Restore, RestoreTo, ServerError};
use sealyard_vault::ArtifactsUrl;

use crate::cli::Common;
use crate::commands::up::server_failure;
use crate::database::DatabaseArguments;
use crate::exit::{Exit, Failure, Result};
use crate::{master_key, output, remote};

/// No checkpoint or public key is larger.
const LARGEST_NOTE: u64 = 64 << 10;

/// Restore a backup to a new data directory, after everything in it was looked at; or only look.
///
/// Every stored object is compared with the digest that the catalog has of its content, and the ledger is verified, against the
/// checkpoint that is named and those of all backups in the directory. A backup that is older than one of these is refused:
/// it would bring back rights that were taken away and versions that were withdrawn. --force-older does it all the same, and the restored
/// ledger says so.
///
/// Exit codes: 0 all is well; 1 something is wrong with the backup, and nothing was restored; 2 it could not be done.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard restore /mnt/backups --recovery-key office.recovery --verify-only
  sealyard restore /mnt/backups --recovery-key office.recovery --data-dir new-data --checkpoint kept.checkpoint --verifier-key ledger.pub
  sealyard restore /mnt/backups --recovery-key office.recovery --data-dir new-data --database postgresql://sealyard@db.example/new")]
pub(crate) struct Arguments {
    /// The directory of the backups.
    source: PathBuf,
    /// The private half of a recovery key.
    #[arg(long, value_name = "FILE")]
    recovery_key: PathBuf,
    /// Where to; there must be nothing.
    #[arg(long, value_name = "DIR", required_unless_present = "verify_only", conflicts_with = "verify_only")]
    data_dir: Option<PathBuf>,
    /// Only look at it.
    #[arg(long)]
    verify_only: bool,
    /// Which backup [default: the newest].
    #[arg(long, value_name = "NAME")]
    backup: Option<String>,
    /// A checkpoint of the ledger that was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// The ledger's public key, as it was kept elsewhere [default: the backup's own word].
    #[arg(long, value_name = "FILE")]
    verifier_key: Option<PathBuf>,
    /// Restore although something younger is known.
    #[arg(long)]
    force_older: bool,
    /// Restore what is whole, where objects are damaged or missing; the restored ledger names them.
    #[arg(long)]
    without_damaged: bool,
    #[command(flatten)]
    database: DatabaseArguments,
    /// Leave a workspace out that was deleted for good since, with its key; may be given several times.
    #[arg(long, value_name = "NAME", conflicts_with = "verify_only")]
    without_workspace: Vec<String>,
    /// Where artifacts go, if not below the data directory.
    #[arg(long, value_name = "URL")]
    artifacts: Option<ArtifactsUrl>,
    /// The server's settings, where a master key is in them.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

fn read_text(path: &Path) -> Result<String> {
    let length = path.metadata().with_context(|| format!("could not read {}", path.display()))?.len();
    if length > LARGEST_NOTE {
        return Err(anyhow!("{} is too large", path.display()).into());
    }
    Ok(std::fs::read_to_string(path).with_context(|| format!("could not read {}", path.display()))?)
}

/// What a rule refused is an answer; the rest could not be done.
fn failure(error: ServerError) -> Failure {
    match &error {
        ServerError::Backup(inner) if inner.rule().is_some() => Failure::no(error),
        _ => server_failure(error),
    }
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let progress = output::Progress::new(common.quiet);
        let settings = match &self.config {
            Some(path) => Settings::read(path).map_err(|error| server_failure(error.into()))?,
            None => Settings::default(),
        };
        let to = match self.data_dir {
            Some(data_directory) => Some(RestoreTo {
                data_directory,
                database: self.database.read()?.map(|database| (database.url, database.password)),
                artifacts: self.artifacts,
                without: self.without_workspace,
            }),
            None => None,
        };
        let is_restored = to.is_some();
        let (believed, forced) = (self.verifier_key.is_none(), self.force_older);
        let restore = Restore {
            from: self.source,
            backup: self.backup,
            recovery_key: self.recovery_key,
            verifier_key: self.verifier_key.as_deref().map(read_text).transpose()?,
            checkpoint: self.checkpoint.as_deref().map(read_text).transpose()?,
            force_older: self.force_older,
            without_damaged: self.without_damaged,
            settings,
            master_key: master_key::of_environment(),
        };
        let shown = progress.clone();
        let report = remote::block_on(async {
            let say = Box::new(move |what: &str, done| shown.now(&format!("{done} objects {what}")));
            restore.run(to, Arc::new(SystemClock), Arc::new(SystemRng), say).await.map_err(failure)
        })?;
        progress.done();
        if json {
            output::json(&report)?;
        } else {
            let state = match (report.ok, is_restored) {
                (true, true) => "restored",
                (true, false) => "is whole",
                (false, true) => "is not restored",
                (false, false) => "is not as it was made",
            };
            output::data(&format!(
                "{} {state}: {} objects, the content of {} compared, {} entries of the ledger verified\n",
                report.backup, report.objects, report.compared, report.ledger
            ))?;
            for problem in &report.problems {
                output::data(&format!("  {}  {}\n", problem.rule, remote::plain(&problem.detail)))?;
            }
            for problem in &report.overruled {
                output::data(&format!("  {}, overruled  {}\n", problem.rule, remote::plain(&problem.detail)))?;
            }
        }
        if forced && is_restored && report.ok {
            output::say(
                common.quiet,
                "note: an older backup has the keys of workspaces that were deleted since; leave them out with --without-workspace NAME",
            );
        }
        if believed && report.ok {
            output::say(
                common.quiet,
                "note: without --verifier-key FILE the backup's own word is taken for who made it",
            );
        }
        Ok(if report.ok { Exit::Fine } else { Exit::No })
    }
}
