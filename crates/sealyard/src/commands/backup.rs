use std::path::PathBuf;
use std::sync::Arc;

use sealyard_core::{SystemClock, SystemRng};
use sealyard_server::Backup;
use sealyard_vault::ArtifactsUrl;

use crate::cli::Common;
use crate::commands::up::server_failure;
use crate::database::DatabaseArguments;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Back everything up, while the server runs or while it does not: the catalog at one moment, the objects that it refers to, the
/// server's keys.
///
/// The backup is encrypted to a recovery key that the server need not have. A further backup into the same directory copies what is new.
/// What was interrupted leaves nothing that looks like a backup.
///
/// Exit codes: 0 the backup is whole; 1 it is, but objects that the catalog refers to were missing already; 2 there is none.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard keys recovery office                            office.recovery, to be kept away from the server, and office.recovery.pub
  sealyard backup /mnt/backups --data-dir sealyard-data --recipient office.recovery.pub
  sealyard backup /mnt/backups --database postgresql://sealyard@db.example/sealyard --recipient office.recovery.pub")]
pub(crate) struct Arguments {
    /// The directory of the backups; it is made when it is missing.
    destination: PathBuf,
    /// The server's data directory.
    #[arg(long, env = "SEALYARD_DATA_DIR", default_value = "sealyard-data", value_name = "DIR")]
    data_dir: PathBuf,
    #[command(flatten)]
    database: DatabaseArguments,
    /// Where its artifacts are, if not below the data directory.
    #[arg(long, env = "SEALYARD_ARTIFACTS", value_name = "URL")]
    artifacts: Option<ArtifactsUrl>,
    /// The public half of a recovery key; can be given more than once [default: keys/recovery.pub in the data directory].
    #[arg(long = "recipient", value_name = "FILE")]
    recipients: Vec<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let progress = output::Progress::new(common.quiet);
        let backup = Backup {
            data_directory: self.data_dir,
            database: self.database.read()?.map(|database| (database.url, database.password)),
            artifacts: self.artifacts,
            to: self.destination,
            recipients: self.recipients,
        };
        let shown = progress.clone();
        let sum = remote::block_on(async {
            let say = Box::new(move |done| shown.now(&format!("{done} objects")));
            backup.run(Arc::new(SystemClock), Arc::new(SystemRng), say).await.map_err(server_failure)
        })?;
        progress.done();
        if json {
            output::json(&sum)?;
        } else {
            output::data(&format!(
                "{}: {} objects ({} bytes), {} of them new ({} bytes); {} rows, {} entries of the ledger\n",
                sum.backup, sum.objects, sum.object_bytes, sum.new_objects, sum.new_bytes, sum.rows, sum.ledger
            ))?;
            for object in sum.kept.iter().take(20) {
                output::say(
                    common.quiet,
                    &format!(
                        "missing: object {object} is not stored any more; its copy of an earlier backup is in this one"
                    ),
                );
            }
            for object in sum.missing.iter().take(20) {
                output::say(
                    common.quiet,
                    &format!("missing: object {object}, which the catalog refers to, is not stored"),
                );
            }
        }
        Ok(if sum.missing.is_empty() && sum.kept.is_empty() { Exit::Fine } else { Exit::No })
    }
}
