use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sealyard_ledger::{Cosigners, InclusionProof, Problem, SCHEMA, UnprovenError, VerifyReport};
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
pub(super) fn verify(source: &Source, path: &Path, witnesses: &Cosigners, json: bool) -> Result {
    let key = source.key(None)?.ok_or_else(no_key)?;
    let proof: InclusionProof = serde_json::from_str(&read_text(path)?)
        .with_context(|| format!("{} is no proof of an entry", path.display()))?;
    let (entry, checkpoint) = match proof.check(&key) {
        Ok(proven) => proven,
        Err(error) => {
            let rule = match &error {
                UnprovenError::Checkpoint(_) => "ledger.checkpoint-signature",
                _ => "ledger.proof",
            };
            return not_proven(json, &[Problem { rule, index: Some(proof.index), detail: error.to_string() }]);
        }
    };
    let seen = witnesses.look(&key, std::slice::from_ref(&proof.checkpoint));
    let (size, root) = (checkpoint.size, checkpoint.root);
    let report = VerifyReport { schema: SCHEMA, ok: true, size, root, witnessed: None, problems: Vec::new() };
    let VerifyReport { witnessed, problems, .. } = witnesses.judge(report, seen, None, None);
    if !problems.is_empty() {
        return not_proven(json, &problems);
    }
    let event: Value = serde_json::from_slice(&entry).unwrap_or_default();
    if json {
        let mut report = json!({
            "schema": SCHEMA, "ok": true, "index": proof.index, "size": size, "root": root, "event": event, "problems": [],
        });
        if let (Some(witnessed), Some(report)) = (witnessed, report.as_object_mut()) {
            report.insert("witnessed".to_owned(), json!(witnessed));
        }
        output::json(&report)?;
    } else {
        output::data(&format!(
            "entry {} is in the log {} of {size} entries, root {root}\n{}{}\n",
            proof.index,
            remote::plain(&checkpoint.origin),
            if witnessed.is_some() { "the witnesses cosigned it\n" } else { "" },
            remote::plain(&event.to_string()),
        ))?;
    }
    Ok(Exit::Fine)
}

fn not_proven(json: bool, problems: &[Problem]) -> Result {
    if json {
        output::json(&json!({"schema": SCHEMA, "ok": false, "problems": problems}))?;
    } else {
        let mut text = String::new();
        for problem in problems {
            text.push_str(&format!("  FAILED {}: {}\n", problem.rule, remote::plain(&problem.detail)));
        }
        output::data(&format!("{text}NOT PROVEN\n"))?;
    }
    Ok(Exit::No)
}
