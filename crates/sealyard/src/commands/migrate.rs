use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use sealyard_app::ImportReport;
use sealyard_core::{Redacted, SystemClock, SystemRng};
use sealyard_server::{Migration, MigrationSource};
use sealyard_vault::ArtifactsUrl;

use super::up::{Stop, server_failure};
use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::output::Progress;
use crate::{database, output, remote};

/// Import an MLflow 3 store with its artifacts into a new data directory.
///
/// Ids, names, numbers of versions, times, tags, metrics and files are taken over; each file is scanned as an upload is, and
/// what is unsafe is refused and listed. At the end both sides are read again and compared. The source is only read.
///
/// It can be stopped at any moment; the same command goes on where it was.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sealyard migrate --from mlflow.db --to sealyard-data
  sealyard migrate --from sqlite:////srv/mlflow/mlflow.db --artifacts /srv/mlflow/mlartifacts --to sealyard-data
  sealyard migrate --from postgresql://mlflow@db.example/mlflow --from-password-file password --artifacts mlartifacts --to sealyard-data
  sealyard migrate --from mlflow.db --to sealyard-data --dry-run

Exit code: 0 everything is in; 1 something was refused, the report says what; 2 it is not finished, or both sides differ.")]
pub(crate) struct Arguments {
    /// The source: a SQLite file, or a URI as MLflow writes it (sqlite:///FILE, postgresql://USER@HOST/DATABASE).
    #[arg(long, value_name = "SOURCE")]
    from: String,
    /// A file with the password of a PostgreSQL source, mode 0600 [default: SEALYARD_FROM_PASSWORD].
    #[arg(long, value_name = "FILE")]
    from_password_file: Option<PathBuf>,
    /// The data directory to import into. `sealyard up --data-dir` serves it afterwards.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// The folder of the source's artifacts [default: mlartifacts or mlruns beside a SQLite file]. Nothing outside of it is read.
    #[arg(long, value_name = "DIR", conflicts_with = "without_artifacts")]
    artifacts: Option<PathBuf>,
    /// The SQLite database of MLflow's basic auth: its users come without passwords, with their rights on single experiments
    /// and models.
    #[arg(long, value_name = "FILE")]
    auth_db: Option<PathBuf>,
    #[command(flatten)]
    database: database::DatabaseArguments,
    /// Import no artifacts. Logged models become failed uploads then, and versions are refused.
    #[arg(long)]
    without_artifacts: bool,
    /// Where the new server will keep artifacts, as for `sealyard up --artifacts` [default: below the data directory].
    #[arg(long, env = "SEALYARD_ARTIFACTS", value_name = "URL")]
    vault: Option<ArtifactsUrl>,
    /// The policy of the server to come: aliases that it protects are refused.
    #[arg(long, env = "SEALYARD_POLICY", value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Only show what would be imported.
    #[arg(long)]
    dry_run: bool,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let source = source(&self.from, self.from_password_file.as_deref())?;
        let (database, database_password) =
            self.database.read()?.map_or((None, None), |database| (Some(database.url), database.password));
        let artifacts = match (self.without_artifacts, self.artifacts) {
            (true, _) => None,
            (false, Some(artifacts)) => Some(artifacts),
            (false, None) => Some(usual_artifacts(&source)?),
        };
        if let Some(artifacts) = &artifacts {
            output::say(common.quiet, &format!("artifacts are read from {}", artifacts.display()));
        }
        let stop = Arc::new(AtomicBool::new(false));
        let migration = Migration {
            source,
            data_directory: self.to.clone(),
            users: self.auth_db,
            artifacts,
            database,
            database_password,
            vault: self.vault,
            policy: self.policy,
            dry_run: self.dry_run,
            stop: Arc::clone(&stop),
        };
        let progress = Progress::new(common.quiet);
        let report = remote::block_on(async {
            let mut signals = Stop::catch()?;
            tokio::spawn(async move {
                signals.wait().await;
                stop.store(true, Ordering::Relaxed);
            });
            let shown = progress.clone();
            let say = Box::new(move |text: &str| shown.now(text));
            migration.run(Arc::new(SystemClock), Arc::new(SystemRng), say).await.map_err(server_failure)
        });
        progress.done();
        let report = report?;
        if json {
            output::json(&report)?;
        } else {
            output::data(&text(&report))?;
        }
        if report.dry_run {
            return Ok(Exit::Fine);
        }
        // One that was stopped before both sides were compared says nothing of a difference.
        let compared = report.finished || report.verified_at.is_some();
        if compared && !report.is_verified() {
            let error = anyhow::anyhow!("source and target differ; the report says where");
            return Err(Failure::could_not(error)
                .hint("if somebody wrote to the source meanwhile, stop it and import into a new data directory"));
        }
        if !report.finished {
            let error = anyhow::anyhow!("the import was stopped before its end");
            return Err(Failure::could_not(error).hint("the same command goes on where it was"));
        }
        Ok(if report.refusals > 0 { Exit::No } else { Exit::Fine })
    }
}

fn source(from: &str, password_file: Option<&Path>) -> Result<MigrationSource> {
    // MLflow's URIs name SQLAlchemy's driver too.
    let scheme = from.split("://").next().unwrap_or_default();
    if matches!(scheme.split('+').next(), Some("postgresql" | "postgres")) && from.contains("://") {
        if database::has_password(from) {
            let error = anyhow::anyhow!("--from has a password, which others can read in the list of processes");
            return Err(
                Failure::could_not(error).hint("name a file with --from-password-file, or set SEALYARD_FROM_PASSWORD")
            );
        }
        let password = match password_file {
            Some(path) => Some(remote::read_secret(path, "password")?),
            None => std::env::var("SEALYARD_FROM_PASSWORD").ok().map(Redacted::new),
        };
        let url = from.replacen(scheme, "postgresql", 1);
        return Ok(MigrationSource::Postgres(Redacted::new(url), password));
    }
    if let Some(path) = from.strip_prefix("sqlite:///") {
        let path = path.split('?').next().unwrap_or_default();
        return Ok(MigrationSource::Sqlite(path.into()));
    }
    if from.contains("://") {
        let error = anyhow::anyhow!("the source is of a kind that can't be read");
        return Err(Failure::could_not(error)
            .hint("SQLite is (a file, or sqlite:///FILE), and PostgreSQL (postgresql://USER@HOST/DATABASE)"));
    }
    Ok(MigrationSource::Sqlite(from.into()))
}

/// Where MLflow keeps artifacts unless it is told otherwise.
fn usual_artifacts(source: &MigrationSource) -> Result<PathBuf> {
    let MigrationSource::Sqlite(path) = source else {
        return Err(Failure::could_not(anyhow::anyhow!("where the source's artifacts are is not known"))
            .hint("say it with --artifacts DIR, or leave them with --without-artifacts"));
    };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut there = ["mlartifacts", "mlruns"].iter().map(|name| folder.join(name)).filter(|folder| folder.is_dir());
    match (there.next(), there.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => {
            Err(Failure::could_not(anyhow::anyhow!("there is neither mlartifacts nor mlruns beside the source"))
                .hint("say where its artifacts are with --artifacts DIR, or leave them with --without-artifacts"))
        }
        (Some(_), Some(_)) => {
            Err(Failure::could_not(anyhow::anyhow!("there are both mlartifacts and mlruns beside the source"))
                .hint("say where its artifacts are with --artifacts DIR"))
        }
    }
}

fn rows(title: &str, tables: &BTreeMap<String, u64>) -> String {
    let rows: String = tables.iter().map(|(table, rows)| format!("  {table:<28} {rows:>12}\n")).collect();
    if rows.is_empty() { String::new() } else { format!("{title}\n{rows}") }
}

fn text(report: &ImportReport) -> String {
    let mut out = format!("schema revision {}\n", report.revision);
    out += &rows("would be imported (rows):", &report.would_import);
    out += &rows("not imported, for there is no place for it here (rows):", &report.not_imported);
    if report.already {
        out += "this source was imported before; nothing was done\n";
    }
    if let Some(at) = report.verified_at {
        out += &format!("both sides were compared at {}:\n", at.to_rfc3339());
    }
    if !report.experiments.is_empty() {
        out += &format!("{:<12} {:<26} {:>12} {:>12} {:>8}\n", "experiment", "table", "source", "here", "refused");
    }
    for (experiment, tables) in &report.experiments {
        let name = if experiment.is_empty() { "-" } else { experiment };
        for (table, check) in tables {
            let mark = if check.same { "" } else { "   DIFFERS" };
            out += &format!(
                "{name:<12} {table:<26} {:>12} {:>12} {:>8}{mark}\n",
                check.source, check.target, check.refused
            );
        }
    }
    for refused in &report.refused {
        let line = format!("refused  {}  by {}: {}", refused.what, refused.rule, refused.reason);
        out += &format!("{}\n", remote::plain(&line));
    }
    if report.refusals > report.refused.len() as u64 {
        out += &format!("and {} more were refused\n", report.refusals - report.refused.len() as u64);
    }
    for by_hand in &report.to_do {
        out += &format!("to do: {}\n", remote::plain(by_hand));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        let path = |from: &str| {
            let Ok(MigrationSource::Sqlite(path)) = source(from, None) else { return None };
            path.to_str().map(str::to_owned)
        };
        assert_eq!(path("mlflow.db").as_deref(), Some("mlflow.db"));
        assert_eq!(path("sqlite:///mlflow.db").as_deref(), Some("mlflow.db"));
        assert_eq!(path("sqlite:////srv/mlflow.db?mode=ro").as_deref(), Some("/srv/mlflow.db"));
        assert_eq!(path("mysql://h/x"), None);
        assert!(
            matches!(source("postgresql+psycopg2://ada@h/x", None), Ok(MigrationSource::Postgres(url, _)) if url.expose() == "postgresql://ada@h/x")
        );
        assert!(source("postgresql://ada:s3cret@h/x", None).is_err());
    }
}
