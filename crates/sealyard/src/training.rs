//! Training a project and what follows from it: the run on the server, a registered version, signed provenance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::Method;
use sealyard_client::{Client, FileFetcher};
use sealyard_core::{Clock as _, FileTree, Subject, SystemClock};
use sealyard_evidence::{Bundle, SigningKey, Statement};
use sealyard_runner::{Experiment, RunError, RunRequest, Runner, Tracking, TrainingRecord};
use serde_json::{Value, json};

use crate::exit::{Failure, Result};
use crate::output::Progress;
use crate::remote;

/// What a training run left on the server.
#[derive(Debug)]
pub(crate) struct Trained {
    pub(crate) record: TrainingRecord,
    pub(crate) run_id: String,
    /// The run as the server has it.
    pub(crate) run: Value,
    /// Ids of the models it logged.
    pub(crate) models: Vec<String>,
}

/// What to train, apart from where.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) project: PathBuf,
    pub(crate) entry_point: String,
    pub(crate) parameters: std::collections::BTreeMap<String, String>,
    pub(crate) data: std::collections::BTreeMap<String, sealyard_core::Digest>,
    pub(crate) cache: PathBuf,
    /// Names the run.
    pub(crate) invocation: String,
    pub(crate) limits: sealyard_sandbox::Limits,
}

/// Where wheels and environments are kept: `$XDG_CACHE_HOME/sealyard` or `~/.cache/sealyard`.
pub(crate) fn cache_directory() -> PathBuf {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
        .or_else(home)
        .unwrap_or_else(|| PathBuf::from("/var/tmp"))
        .join("sealyard")
}

/// What the runner is doing, in words.
fn describe(event: &sealyard_runner::Progress) -> String {
    use sealyard_runner::Progress;
    match event {
        Progress::Checking => "hashing the project and its data".to_owned(),
        Progress::Environment(event) => environment(event),
        Progress::Starting { command } => format!("starting in the sandbox: {command}"),
        Progress::Output(line) => format!("| {line}"),
        _ => "working".to_owned(),
    }
}

/// What the build of an environment is doing, in words.
pub(crate) fn environment(event: &sealyard_env::Progress) -> String {
    use sealyard_env::Progress;
    match event {
        Progress::Fetching { done, total } => format!("fetching wheels: {done} of {total} are there"),
        Progress::Verifying { done, total } => format!("hashing wheels against the lock: {done} of {total}"),
        Progress::Installing { done, total } => format!("unpacking wheels: {done} of {total}"),
        Progress::Compiling => "compiling modules to byte code".to_owned(),
        Progress::Checking { files } => format!("hashing the {files} files of the environment"),
        _ => "preparing the environment".to_owned(),
    }
}

/// Trains `job` against the server and finds what it logged there.
pub(crate) async fn train(
    client: &Client,
    certificate: Option<&str>,
    experiment: &str,
    job: Job,
    progress: &Progress,
) -> Result<Trained> {
    // Good for nothing but this experiment. It ends with the run; should this process be killed, a minute after the
    // longest run.
    let seconds = i64::try_from(job.limits.wall_seconds).unwrap_or(i64::MAX).saturating_add(60);
    let scopes = [format!("experiment:{experiment}:edit")];
    let made = client.create_token(&scopes, Some(SystemClock.now().plus_seconds(seconds))).await;
    let made = made.map_err(remote::failure)?;
    let request = RunRequest {
        project_directory: job.project,
        entry_point: job.entry_point,
        parameters: job.parameters,
        data: job.data,
        tracking: Tracking {
            url: client.url().to_owned(),
            ca_pem: certificate.map(str::to_owned),
            token: Some(made.token),
            experiment: Experiment::Id(experiment.to_owned()),
        },
        cache_directory: job.cache,
        interpreter: None,
        invocation: job.invocation.clone(),
        limits: job.limits,
    };
    let shown = progress.clone();
    let record = tokio::task::spawn_blocking(move || {
        let runner = Runner::new(Arc::new(SystemClock));
        runner.run(&request, &mut |event| shown.now(&describe(&event)))
    })
    .await;
    client.revoke_token(&made.id, None).await.map_err(remote::failure)?;
    let record = record?.map_err(run_failure)?;
    let run = find_run(client, experiment, &job.invocation).await?;
    let run_id = run.pointer("/info/run_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let models = client.logged_models_of(experiment, &run_id).await.map_err(remote::failure)?;
    Ok(Trained { record, run_id, run, models })
}

/// A refusal by a rule is a no; a training command that failed, or an environment that can't be had, is not.
pub(crate) fn run_failure(error: RunError) -> Failure {
    let hint = error.hint().map(str::to_owned);
    let lines = match &error {
        RunError::Failed { last_lines, .. } if !last_lines.is_empty() => Some(last_lines.join("\n    ")),
        _ => None,
    };
    // A command that failed and an interpreter that is not there leave the job undone; the other rules said no.
    let no = error.rule().is_some_and(|rule| !matches!(rule, "sandbox.egress" | "environment.interpreter"));
    let mut failure = anyhow::Error::new(error);
    if let Some(lines) = lines {
        let summary = format!("{failure}\n  it printed at last:\n    {lines}");
        failure = failure.context(summary);
    }
    if no { Failure::no(failure) } else { Failure::could_not(failure) }.maybe_hint(hint)
}

async fn find_run(client: &Client, experiment: &str, invocation: &str) -> Result<Value> {
    let body = json!({
        "experiment_ids": [experiment],
        "filter": format!("tags.`sealyard.invocation` = '{invocation}'"),
        "max_results": 2,
    });
    let answer: Value =
        client.call(Method::POST, "/api/2.0/mlflow/runs/search", &body).await.map_err(remote::failure)?;
    match answer.get("runs").and_then(Value::as_array).map(Vec::as_slice) {
        Some([run]) => Ok(run.clone()),
        _ => Err(Failure::could_not(anyhow::anyhow!("the training code logged no run"))
            .hint("it should call mlflow.start_run() once; its output is above")),
    }
}

/// The files of a version, fetched and hashed here: the digest that signatures and provenance speak of is our own.
pub(crate) async fn own_tree(client: &Client, name: &str, version: u32) -> Result<FileTree> {
    let manifest = client.manifest(name, version).await.map_err(remote::failure)?;
    let folder = crate::output::private_folder("sealyard-version-")?;
    fetch_all(client, name, version, &manifest.files, folder.path()).await?;
    let tree = FileTree::of_directory(folder.path())?;
    if tree != manifest.files {
        return Err(Failure::no(anyhow::anyhow!(
            "the files of {name}/{version} are not those of the server's manifest"
        )));
    }
    Ok(tree)
}

async fn fetch_all(client: &Client, name: &str, version: u32, tree: &FileTree, folder: &Path) -> Result<()> {
    let fetcher = FileFetcher::new(client.clone(), name.to_owned(), version);
    for entry in tree.entries() {
        let target = folder.join(&entry.path);
        if let Some(parent) = target.parent() {
            std::fs::create_dir_all(parent)?;
        }
        fetcher.fetch(entry, &target).await.map_err(|error| match error {
            sealyard_client::FetchError::Client(error) => remote::failure(error),
            other => Failure::could_not(other),
        })?;
    }
    Ok(())
}

/// Signs provenance of the version with the runner's key and adds it to the version's evidence.
pub(crate) async fn attest(
    client: &Client,
    record: &TrainingRecord,
    name: &str,
    version: u32,
    tree: &FileTree,
    key: &SigningKey,
) -> Result<Bundle> {
    let subject = Subject { name: format!("models:/{name}/{version}"), digest: tree.digest() };
    let statement = Statement::new(&[subject], &record.provenance())?;
    let bundle = Bundle::sign(&statement, key)?;
    client.add_evidence(name, version, bundle.text()).await.map_err(remote::failure)?;
    Ok(bundle)
}
