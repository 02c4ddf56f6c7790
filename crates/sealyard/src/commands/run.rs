use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use sealyard_core::{Digest, Rng, SystemRng};

use crate::cli::{Common, Format};
use crate::exit::{Exit, Failure, Result};
use crate::output::Progress;
use crate::training::{self, Job};
use crate::{keys, output, remote};

/// Train an MLproject in its verified environment inside the sandbox.
///
/// The environment is made only from the project's hash-pinned lock. The code runs without privileges, without the
/// network but for the tracking server, and with a token that is good for one experiment and ends with the run.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  sealyard run examples/diabetes
  sealyard run examples/diabetes -P alpha=0.1 --experiment ridge
  sealyard run examples/diabetes --register diabetes --key runner     (signs provenance of the new version)")]
pub(crate) struct Arguments {
    /// The folder that holds MLproject.
    #[arg(value_name = "DIR")]
    project: PathBuf,
    /// The entry point.
    #[arg(short = 'e', long, default_value = "main", value_name = "NAME")]
    entry_point: String,
    /// A parameter of the entry point.
    #[arg(short = 'P', long = "parameter", value_name = "NAME=VALUE", value_parser = pair)]
    parameters: Vec<(String, String)>,
    /// What the data must be; sealyard.toml pins it too.
    #[arg(long, value_name = "NAME=sha256:HEX", value_parser = data)]
    data: Vec<(String, Digest)>,
    /// The experiment to log to; made when there is none.
    #[arg(long, env = "MLFLOW_EXPERIMENT_NAME", default_value = "Default", value_name = "NAME")]
    experiment: String,
    /// Register the model as the next version of this name.
    #[arg(long, value_name = "MODEL", requires = "key")]
    register: Option<String>,
    /// The runner's key: signs provenance of what is registered.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Stop the training after so many seconds.
    #[arg(long, default_value_t = 3600, value_name = "SECONDS")]
    timeout: u64,
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| "expected NAME=VALUE".to_owned())
}

fn data(text: &str) -> std::result::Result<(String, Digest), String> {
    let (name, digest) = pair(text)?;
    digest.parse().map(|digest| (name, digest)).map_err(|error: sealyard_core::DigestError| error.to_string())
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let key = self.key.as_deref().map(keys::signing_key).transpose()?;
        let connection = remote::connection(common)?;
        let client = remote::connect(common)?;
        let progress = Progress::new(common.quiet);
        let job = Job {
            project: self.project,
            entry_point: self.entry_point,
            parameters: self.parameters.into_iter().collect::<BTreeMap<_, _>>(),
            data: self.data.into_iter().collect(),
            cache: training::cache_directory(),
            invocation: (&SystemRng as &dyn Rng).hex_id(),
            limits: sealyard_sandbox::Limits { wall_seconds: self.timeout, ..Default::default() },
        };
        remote::block_on(async {
            let experiment = client.experiment(&self.experiment).await.map_err(remote::failure)?;
            let trained =
                training::train(&client, connection.certificate.as_deref(), &experiment, job, &progress).await?;
            let mut version = None;
            if let (Some(name), Some(key)) = (&self.register, &key) {
                let [model] = trained.models.as_slice() else {
                    return Err(Failure::could_not(anyhow::anyhow!(
                        "the run logged {} models; only one can be registered",
                        trained.models.len()
                    )));
                };
                let source = format!("models:/{model}");
                let number = client.register(name, &source, Some(&trained.run_id)).await.map_err(remote::failure)?;
                let tree = training::own_tree(&client, name, number).await?;
                let bundle = training::attest(&client, &trained.record, name, number, &tree, key).await?;
                version = Some((format!("models:/{name}/{number}"), tree.digest(), bundle.digest()));
            }
            progress.done();
            match common.format {
                Format::Json => output::json(&serde_json::json!({
                    "schema": "sealyard.run/1",
                    "run_id": trained.run_id,
                    "models": trained.models,
                    "version": version.as_ref().map(|(uri, ..)| uri),
                    "digest": version.as_ref().map(|(_, digest, _)| digest),
                    "provenance": version.as_ref().map(|(.., bundle)| bundle),
                    "record": trained.record,
                }))?,
                _ => {
                    output::data(&format!("run ID   {}\n", trained.run_id))?;
                    for model in &trained.models {
                        output::data(&format!("model    models:/{model}\n"))?;
                    }
                    if let Some((uri, digest, bundle)) = &version {
                        output::data(&format!("version  {uri}  {digest}\nprovenance  {bundle}\n"))?;
                    }
                }
            }
            Ok(Exit::Fine)
        })
    }
}
