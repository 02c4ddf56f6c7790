use sealyard_client::{Client, ClientError};
use sealyard_core::{Digest, Timestamp};
use sealyard_ledger::merkle::empty_root;
use sealyard_ledger::{Checkpoint, Cosigners, Facets, Problem, SCHEMA, UnprovenError, VerifierKey, VerifyReport};

use super::{Source, parse_key};
use crate::cli::Common;
use crate::exit::Result;
use crate::remote;

/// `verify --quick`: whether the server's log is a continuation of `kept`, by proofs instead of all entries. With witnesses,
/// what they cosigned must be a continuation of it, and the server's log one of that.
pub(super) fn verify(source: &Source, common: &Common, kept: &str, witnesses: &Cosigners) -> Result<VerifyReport> {
    let key = source.key(None)?;
    let client = remote::connect(common)?;
    remote::block_on(async {
        let status = match (&key, witnesses.is_asked_for()) {
            (Some(_), false) => None,
            _ => Some(client.ledger_checkpoint().await.map_err(remote::failure)?),
        };
        let key = match (key, &status) {
            (None, Some(status)) => parse_key(&status.verifier_key, "what the server calls its verifier key")?,
            (Some(key), _) => key,
            (None, None) => return Err(super::no_key()),
        };
        let older = match Checkpoint::open(kept, &key) {
            Ok(older) => older,
            Err(error) => return Ok(broken("ledger.checkpoint-signature", None, &error)),
        };
        let asker = Asker { client: &client, key: &key };
        let Some(status) = status.filter(|_| witnesses.is_asked_for()) else {
            return Ok(match asker.growth(&older, None).await? {
                Ok(newer) => whole(newer.size, newer.root),
                Err(report) => report,
            });
        };
        let notes: Vec<String> = [Some(status.checkpoint), status.cosigned].into_iter().flatten().collect();
        let seen = witnesses.look(&key, &notes);
        let cosigned = seen.newest.clone().filter(|cosigned| cosigned.size >= older.size);
        // Both are of one past only if there is one path through both.
        let middle = cosigned.as_ref().unwrap_or(&older);
        if let Some(cosigned) = &cosigned {
            match asker.growth(&older, Some(cosigned.size)).await? {
                Ok(there) if there.root == cosigned.root => {}
                Ok(_) => {
                    let detail = "the server proves another log than the one that the witnesses cosigned";
                    return Ok(broken("ledger.rewritten", Some(cosigned.size), &detail));
                }
                Err(report) => return Ok(report),
            }
        }
        let newer = match asker.growth(middle, None).await? {
            Ok(newer) => newer,
            Err(report) => return Ok(report),
        };
        let beyond = match &cosigned {
            Some(cosigned) if cosigned.size < newer.size => Some(asker.time_of(cosigned.size).await?),
            _ => None,
        };
        Ok(witnesses.judge(whole(newer.size, newer.root), seen, Some(older.size), beyond))
    })
}

struct Asker<'a> {
    client: &'a Client,
    key: &'a VerifierKey,
}

impl Asker<'_> {
    /// The checkpoint that is proven to continue `older`, or the report of one that is not.
    async fn growth(
        &self,
        older: &Checkpoint,
        to: Option<u64>,
    ) -> Result<std::result::Result<Checkpoint, VerifyReport>> {
        let proof = match self.client.ledger_growth(older.size, to).await {
            // It is asked for no more than what this log's key signed: a log that has less was cut back.
            Err(ClientError::Answer { status: 400, .. }) => {
                let size = to.unwrap_or(older.size);
                let detail = format!("the server's log has no {size} entries any more");
                return Ok(Err(broken("ledger.rollback", Some(size), &detail)));
            }
            other => other.map_err(remote::failure)?,
        };
        Ok(match proof.check(older, self.key) {
            Ok(newer) if to.is_none_or(|to| newer.size == to) => Ok(newer),
            Ok(_) => Err(broken("ledger.rewritten", to, &"the server proves another checkpoint than was asked for")),
            Err(error @ UnprovenError::Proof(_)) => {
                let detail = format!("the server's log is no continuation of the kept checkpoint: {error}");
                Err(broken("ledger.rewritten", Some(older.size), &detail))
            }
            Err(error) => Err(broken("ledger.checkpoint-signature", None, &error)),
        })
    }

    /// What the entry says of when it was written. One that is not proven is of no time.
    async fn time_of(&self, index: u64) -> Result<Timestamp> {
        let proof = self.client.ledger_proof(index).await.map_err(remote::failure)?;
        let entry = proof.check(self.key).ok().filter(|_| proof.index == index);
        Ok(Timestamp::from_millis(entry.map_or(0, |(entry, _)| Facets::of(&entry).time)))
    }
}

fn whole(size: u64, root: Digest) -> VerifyReport {
    VerifyReport { schema: SCHEMA, ok: true, size, root, witnessed: None, problems: Vec::new() }
}

fn broken(rule: &'static str, index: Option<u64>, error: &dyn std::fmt::Display) -> VerifyReport {
    let problems = vec![Problem { rule, index, detail: error.to_string() }];
    VerifyReport { schema: SCHEMA, ok: false, size: 0, root: empty_root(), witnessed: None, problems }
}
