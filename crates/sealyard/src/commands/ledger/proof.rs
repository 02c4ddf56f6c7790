use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sealyard_ledger::{InclusionProof, UnprovenError};
use serde_json::{Value, json};

use super::{Source, no_key, parse_key, read_text};
use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard ledger proof 4711 --verifier-key ledger.pub > entry.json
  sealyard ledger proof --request-id 0af76519 > entry.json
  sealyard ledger verify --proof entry.json --verifier-key ledger.pub

The proof holds the entry, the hashes from it to the root, and the checkpoint that the ledger's key signed.")]
pub(super) struct Arguments {
    /// The entry's index.
    #[arg(required_unless_present = "request_id", conflicts_with = "request_id")]
    index: Option<u64>,
    /// The newest entry that this request made; answers carry it as `x-request-id`.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// The ledger's public key; without it the proof is only checked against the key that it names itself.
    #[arg(long, value_name = "FILE")]
    verifier_key: Option<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, common: &Common) -> Result {
        let key = self.verifier_key.as_deref().map(|path| parse_key(&read_text(path)?, &path.display().to_string()));
        let key = key.transpose()?;
        let client = remote::connect(common)?;
        let proof = remote::block_on(async {
            let proof = match (self.index, &self.request_id) {
                (Some(index), _) => client.ledger_proof(index).await,
                (None, Some(id)) => client.ledger_proof_of_request(id).await,
                (None, None) => return Err(no_key()),
            };
            proof.map_err(remote::failure)
        })?;
        let key = match key {
            Some(key) => key,
            None => {
                output::say(
                    common.quiet,
                    "note: checked against the key that the server names; name the one you keep with --verifier-key",
                );
                parse_key(&proof.verifier_key, "what the server calls its verifier key")?
            }
        };
        let checked = proof.check(&key).context("the server's proof proves nothing");
        checked.map_err(Failure::no)?;
        output::json(&proof)?;
        Ok(Exit::Fine)
    }
}

/// `verify --proof`: without a server.
pub(super) fn verify(source: &Source, path: &Path, json: bool) -> Result {
    let key = source.key(None)?.ok_or_else(no_key)?;
    let proof: InclusionProof = serde_json::from_str(&read_text(path)?)
        .with_context(|| format!("{} is no proof of an entry", path.display()))?;
    match proof.check(&key) {
        Ok((entry, checkpoint)) => {
            let event: Value = serde_json::from_slice(&entry).unwrap_or_default();
            if json {
                output::json(&json!({
                    "schema": sealyard_ledger::SCHEMA, "ok": true, "index": proof.index, "size": checkpoint.size,
                    "root": checkpoint.root, "event": event, "problems": [],
                }))?;
            } else {
                output::data(&format!(
                    "entry {} is in the log {} of {} entries, root {}\n{}\n",
                    proof.index,
                    remote::plain(&checkpoint.origin),
                    checkpoint.size,
                    checkpoint.root,
                    remote::plain(&event.to_string()),
                ))?;
            }
            Ok(Exit::Fine)
        }
        Err(error) => {
            let rule = match &error {
                UnprovenError::Checkpoint(_) => "ledger.checkpoint-signature",
                _ => "ledger.proof",
            };
            if json {
                let problem = json!({"rule": rule, "index": proof.index, "detail": error.to_string()});
                output::json(&json!({"schema": sealyard_ledger::SCHEMA, "ok": false, "problems": [problem]}))?;
            } else {
                output::data(&format!("  FAILED {rule}: {}\nNOT PROVEN\n", remote::plain(&error.to_string())))?;
            }
            Ok(Exit::No)
        }
    }
}
