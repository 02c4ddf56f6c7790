//! Models that pass the load gate of this machine: a local policy, evidence from wherever the model is.

use std::path::{Path, PathBuf};

use sealyard_app::{LoadedPolicy, load_gate};
use sealyard_client::{Client, FileFetcher, ModelUri};
use sealyard_core::{Clock as _, FileTree, SystemClock};
use sealyard_gate::{Context, Decision, VerifiedModel};

use crate::exit::{Failure, Result};
use crate::{output, remote};

/// A model that the load gate let through, and where its files were put.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) model: VerifiedModel,
    pub(crate) files: tempfile::TempDir,
}

/// The load gate said no.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) Box<Decision>);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the load gate denied {}", self.0.subject().name)?;
        for reason in self.0.failures() {
            write!(f, "\n  {}: {}", reason.rule(), reason.detail())?;
        }
        Ok(())
    }
}

impl std::error::Error for Refused {}

/// Reads the policy of this machine.
pub(crate) fn read_policy(path: &Path) -> Result<LoadedPolicy> {
    LoadedPolicy::read(path).map_err(|error| {
        Failure::could_not(error)
            .hint("a policy is a TOML file with its public keys beside it; see the chapter on policies")
    })
}

/// Asks the load gate about a registered version, then fetches its files. The server is believed in nothing: the tree's
/// digest is computed here, evidence is verified here, and whoever reads the files hashes them against the tree.
pub(crate) async fn fetch(
    client: &Client,
    uri: &ModelUri,
    policy: &LoadedPolicy,
    environment: Option<String>,
) -> Result<Fetched> {
    let (name, version) = client.resolve(uri).await.map_err(remote::failure)?;
    let manifest = client.manifest(&name, version).await.map_err(remote::failure)?;
    let evidence = client.evidence(&name, version).await.map_err(remote::failure)?;
    let context = Context { environment, ..Context::at(SystemClock.now()) };
    let bundles = evidence.iter().map(|item| item.bundle.as_str());
    let model = load_gate(&format!("models:/{name}/{version}"), manifest.files, bundles, &policy.policy, context)
        .map_err(|decision| Failure::no(Refused(decision)))?;
    let directory = output::private_folder("sealyard-model-")?;
    let fetcher = FileFetcher::new(client.clone(), name, version);
    fetch_files(&fetcher, model.tree(), directory.path()).await?;
    Ok(Fetched { model, files: directory })
}

/// Writes each file of `tree` below `directory`. A file whose bytes are wrong is kept out of nobody's sight: the loader
/// compares it again and names it.
async fn fetch_files(fetcher: &FileFetcher, tree: &FileTree, directory: &Path) -> Result<()> {
    for entry in tree.entries() {
        let target: PathBuf = directory.join(&entry.path);
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
