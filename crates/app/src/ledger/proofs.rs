//! Proofs and tiles of the log. Each proof is checked before it is given out: one that does not hold means that the catalog
//! was changed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::Digest;
use sealyard_identity::{Authorized, LedgerLog, Read};
use sealyard_ledger::merkle::{consistency_path, inclusion_path, root_of};
use sealyard_ledger::tile::{TilePath, bundle};
use sealyard_ledger::{Checkpoint, ConsistencyProof, InclusionProof, PROOF_SCHEMA, VerifierKey};
use sealyard_store::model::LedgerQuery;
use sealyard_store::{StoreError, Transaction, ledger_index};

use super::witnesses::{Renewed, cosigned, with_lines};
use crate::{App, AppError};

impl App {
    /// The proof that the entry `index` is in the log as it was last signed.
    ///
    /// # Errors
    /// [`AppError::NotFound`] where there is no such entry; [`AppError::Store`] where the log does not give what was signed.
    pub async fn prove_entry(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        index: u64,
    ) -> Result<InclusionProof, AppError> {
        self.catch_up().await?;
        let (key, quorum, renewed) = (self.ledger_key.verifier(), self.quorum(), self.renewed());
        self.store()
            .read(move |tx| {
                let missing = || AppError::NotFound { kind: "ledger entry", id: index.to_string() };
                // Best is one that witnesses have seen too.
                let cosigned = cosigned(tx, &renewed, quorum)?.filter(|(size, _)| index < *size);
                let (note, newest) = match cosigned {
                    Some((_, note)) => (note.clone(), Checkpoint::open(&note, &key).map_err(|error| broken(&error))?),
                    None => newest(tx, &renewed, &key)?.ok_or_else(missing)?,
                };
                let path = inclusion_path(&mut ledger_index::tree(tx, newest.size), index, newest.size);
                let inclusion = path.map_err(StoreError::from)?.ok_or_else(missing)?;
                let entry = tx.entries_at(&[index])?.pop().ok_or_else(missing)?;
                let proof = InclusionProof {
                    schema: PROOF_SCHEMA.to_owned(),
                    index,
                    entry: STANDARD.encode(&entry.bytes),
                    inclusion,
                    checkpoint: note,
                    verifier_key: key.to_string(),
                };
                proof.check(&key).map_err(|error| broken(&error))?;
                Ok(proof)
            })
            .await
    }

    /// The proof for the newest entry that the request `id` made.
    ///
    /// # Errors
    /// As [`App::prove_entry`].
    pub async fn prove_request(
        &self,
        authorized: &Authorized<Read, LedgerLog>,
        id: &str,
    ) -> Result<InclusionProof, AppError> {
        self.catch_up().await?;
        let query = LedgerQuery { request_id: Some(id.to_owned()), limit: 1, ..LedgerQuery::default() };
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.find_entries(&query)?)).await?;
        match found.first() {
            Some(place) => self.prove_entry(authorized, place.index).await,
            None => Err(AppError::NotFound { kind: "ledger entry of the request", id: id.to_owned() }),
        }
    }

    /// The proof that the log of `from` entries is a beginning of the one of `to` entries, for which there must be a
    /// checkpoint; else of what was last signed.
    ///
    /// # Errors
    /// [`AppError::Invalid`] where the log is not as long, or has no such checkpoint.
    pub async fn prove_growth(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, AppError> {
        self.catch_up().await?;
        let (key, renewed) = (self.ledger_key.verifier(), self.renewed());
        self.store()
            .read(move |tx| {
                let shorter = || AppError::Invalid(format!("the log has no {from} entries"));
                let (note, newest) = match to {
                    None => newest(tx, &renewed, &key)?.ok_or_else(shorter)?,
                    Some(to) => {
                        let unsigned = || AppError::Invalid(format!("the log has no checkpoint of {to} entries"));
                        let note = i64::try_from(to).is_ok().then(|| tx.checkpoint_of(to)).transpose()?.flatten();
                        let note = note.ok_or_else(unsigned)?;
                        let checkpoint = Checkpoint::open(&note, &key).map_err(|error| broken(&error))?;
                        (with_lines(tx, &renewed, to, note)?, checkpoint)
                    }
                };
                if from > newest.size {
                    return Err(shorter());
                }
                let path = consistency_path(&mut ledger_index::tree(tx, newest.size), from, newest.size);
                let consistency = path.map_err(StoreError::from)?.ok_or_else(shorter)?;
                let root = root_of(&mut ledger_index::tree(tx, from), from).map_err(StoreError::from)?;
                let proof = ConsistencyProof { from, consistency, checkpoint: note };
                let older = Checkpoint { origin: newest.origin, size: from, root };
                proof.check(&older, &key).map_err(|error| broken(&error))?;
                Ok(proof)
            })
            .await
    }

    /// The newest checkpoint as a note; nothing else.
    ///
    /// # Errors
    /// [`AppError::NotFound`] before the first event was sequenced.
    pub async fn ledger_note(&self, authorized: &Authorized<Read, LedgerLog>) -> Result<String, AppError> {
        Ok(self.ledger_status(authorized).await?.checkpoint)
    }

    /// A tile of the tree, or a bundle of entries, as C2SP tlog-tiles lays it out. There are only those that what was signed
    /// has.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn ledger_tile(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        path: &str,
    ) -> Result<Vec<u8>, AppError> {
        let missing = |id: String| AppError::NotFound { kind: "tile", id };
        let wanted = TilePath::parse(path).ok_or_else(|| missing(path.chars().take(80).collect()))?;
        let (key, renewed) = (self.ledger_key.verifier(), self.renewed());
        self.store()
            .read(move |tx| {
                let tile = wanted.tile();
                let size = newest(tx, &renewed, &key)?.map_or(0, |(_, newest)| newest.size);
                if !tile.is_in(size) {
                    return Err(missing(wanted.to_string()));
                }
                match wanted {
                    TilePath::Hashes(_) => {
                        let hashes = ledger_index::tile(tx, tile)?;
                        Ok(hashes.iter().flat_map(Digest::as_bytes).copied().collect())
                    }
                    TilePath::Entries(_) => {
                        let entries = tx.entries(tile.first(), u32::from(tile.width))?;
                        if entries.len() != usize::from(tile.width) {
                            return Err(StoreError::Ledger("it has fewer entries than were signed".to_owned()).into());
                        }
                        // Entries of an earlier release could be longer than a bundle can say.
                        bundle(entries.iter().map(|entry| entry.bytes.as_slice()))
                            .ok_or_else(|| missing(format!("{wanted}: an entry is too long for a bundle")))
                    }
                }
            })
            .await
    }
}

fn newest(
    tx: &mut dyn Transaction,
    renewed: &Renewed,
    key: &VerifierKey,
) -> Result<Option<(String, Checkpoint)>, AppError> {
    let Some(record) = tx.latest_checkpoint()? else { return Ok(None) };
    let checkpoint = Checkpoint::open(&record.note, key).map_err(|error| broken(&error))?;
    Ok(Some((with_lines(tx, renewed, record.size, record.note)?, checkpoint)))
}

fn broken(error: &dyn std::fmt::Display) -> AppError {
    StoreError::Ledger(format!("what is kept does not prove what was signed: {error}")).into()
}
