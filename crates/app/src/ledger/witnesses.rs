//! Having others watch the log: witnesses cosign its checkpoints, each only if the log grew out of what it cosigned before
//! (C2SP tlog-witness). One that refuses says that the catalog was cut back or rewritten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use sealyard_core::Timestamp;
use sealyard_ledger::merkle::consistency_path;
use sealyard_ledger::witness::AddCheckpoint;
use sealyard_ledger::{Act, Checkpoint, Note, Outcome, WitnessVerifier};
use sealyard_outbound::Outbound;
use sealyard_store::{StoreError, Transaction, ledger_index};

use crate::{App, AppError, Caller};

/// Between two rounds. A checkpoint comes with every few acts; witnesses need not see each.
const ROUND: Duration = Duration::from_secs(5);
/// A witness that did not answer is left alone for this many rounds at most.
const LONGEST_PAUSE: u32 = 60;
/// A cosignature below the newest checkpoint is asked for again after this long, so that one can see how lately a log was
/// witnessed in which nothing happens.
const RENEWED_AFTER: i64 = 600;
/// Requests of one round to one witness: it may stand elsewhere than believed, and the log may have grown meanwhile.
const TRIES: u32 = 3;

/// Somebody who watches the log.
#[derive(Debug)]
pub struct Witness {
    /// Its name in the settings and in the catalog.
    pub name: String,
    /// Its submission prefix.
    pub url: String,
    /// What its cosignatures are checked with.
    pub key: WitnessVerifier,
    /// What requests to it go through.
    pub client: Outbound,
}

/// All who watch, and how many of them it takes.
#[derive(Debug, Default)]
pub struct Witnesses {
    list: Vec<Witness>,
    quorum: u32,
    alarms: Mutex<BTreeMap<String, u64>>,
    pauses: Mutex<BTreeMap<String, (u32, u32)>>,
    renewed: Renewed,
}

/// The size that a witness signed anew, its line, and when.
type Signed = (u64, String, Timestamp);

/// What each witness signed last, to which size and when. The catalog keeps what it signed first: cosignatures there are never
/// changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewed(Arc<Mutex<BTreeMap<String, Signed>>>);

impl Renewed {
    fn put(&self, name: &str, size: u64, line: &str, now: Timestamp) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(name.to_owned(), (size, line.to_owned(), now));
    }

    /// Whether `name` signed this lately.
    fn is_fresh(&self, name: &str, size: u64, now: Timestamp) -> bool {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(name).is_some_and(|(of, _, when)| *of == size && when.plus_seconds(RENEWED_AFTER) > now)
    }

    fn line(&self, name: &str, size: u64) -> Option<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.get(name).filter(|(of, ..)| *of == size).map(|(_, line, _)| line.clone())
    }
}

impl Witnesses {
    /// These, of whom `quorum` make a checkpoint a cosigned one.
    #[must_use]
    pub fn new(list: Vec<Witness>, quorum: u32) -> Self {
        Self { list, quorum, ..Self::default() }
    }
}

/// What one witness said.
enum Answer {
    /// It cosigned, or has cosigned all there is.
    Cosigned,
    /// It stands where this log never was, or was otherwise: at so many entries.
    Alarm(u64),
}

impl App {
    /// With these witnesses.
    #[must_use]
    pub fn with_witnesses(self, witnesses: Witnesses) -> Self {
        Self { witnesses: Arc::new(witnesses), ..self }
    }

    /// Asks the witnesses to cosign for as long as the server runs.
    pub async fn run_witnessing(self: Arc<Self>) {
        if self.witnesses.list.is_empty() {
            return;
        }
        loop {
            tokio::time::sleep(ROUND).await;
            self.ask_witnesses().await;
        }
    }

    /// Asks each witness once, all at the same time; gives how many have cosigned all there is.
    pub async fn ask_witnesses(&self) -> u32 {
        let asked = self.witnesses.list.iter().map(|witness| self.ask_and_note(witness));
        futures::future::join_all(asked).await.into_iter().map(u32::from).sum()
    }

    async fn ask_and_note(&self, witness: &Witness) -> bool {
        if self.is_paused(&witness.name) {
            return false;
        }
        match self.ask(witness).await {
            Ok(Answer::Cosigned) => {
                self.pause(&witness.name, false);
                self.witnesses.alarms.lock().unwrap_or_else(PoisonError::into_inner).remove(&witness.name);
                true
            }
            Ok(Answer::Alarm(stands_at)) => {
                self.pause(&witness.name, true);
                if let Err(error) = self.alarm(witness, stands_at).await {
                    tracing::error!(%error, "a witness's alarm could not be recorded; it will be tried again");
                }
                false
            }
            Err(error) => {
                self.pause(&witness.name, true);
                tracing::warn!(witness = witness.name, %error, "a witness could not be asked; it will be tried again");
                false
            }
        }
    }

    fn is_paused(&self, name: &str) -> bool {
        let mut pauses = self.witnesses.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        match pauses.get_mut(name) {
            Some((left, _)) if *left > 0 => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    fn pause(&self, name: &str, failed: bool) {
        let mut pauses = self.witnesses.pauses.lock().unwrap_or_else(PoisonError::into_inner);
        if failed {
            let longer = pauses.get(name).map_or(1, |(_, last)| (last * 2).min(LONGEST_PAUSE));
            pauses.insert(name.to_owned(), (longer, longer));
        } else {
            pauses.remove(name);
        }
    }

    async fn ask(&self, witness: &Witness) -> Result<Answer, AppError> {
        let name = witness.name.clone();
        let known = self.store().read(move |tx| Ok::<_, AppError>(tx.cosigned_size(&name)?)).await?;
        let mut old = known.unwrap_or(0);
        for _ in 0..TRIES {
            let Some((request, size)) = self.request(old).await? else {
                // There is no log of that length here.
                return Ok(if old == 0 { Answer::Cosigned } else { Answer::Alarm(old) });
            };
            let fresh = self.witnesses.renewed.is_fresh(&witness.name, size, self.now());
            if known == Some(size) && old == size && fresh {
                return Ok(Answer::Cosigned);
            }
            let url = format!("{}/add-checkpoint", witness.url.trim_end_matches('/'));
            let headers = [("content-type", "text/plain; charset=utf-8".to_owned())];
            let answer = witness.client.post(&url, &headers, Bytes::from(request.to_body())).await;
            let answer = answer.map_err(|error| AppError::internal("a witness did not answer", error))?;
            match answer.status {
                200 => {
                    self.keep(witness, &request.checkpoint, size, &answer.body).await?;
                    return Ok(Answer::Cosigned);
                }
                409 => {
                    let text = String::from_utf8_lossy(&answer.body);
                    let stands_at: u64 = text.trim().parse().map_err(|_| unexpected("409 without a size"))?;
                    if stands_at == old {
                        // It was asked from where it stands: another root for as many entries.
                        return Ok(Answer::Alarm(stands_at));
                    }
                    old = stands_at;
                }
                422 => return Ok(Answer::Alarm(old)),
                status => return Err(unexpected(&format!("HTTP {status}"))),
            }
        }
        Ok(if self.request(old).await?.is_none() { Answer::Alarm(old) } else { Answer::Cosigned })
    }

    /// The request for the newest checkpoint from `old` entries on; `None` if the log has not as many.
    async fn request(&self, old: u64) -> Result<Option<(AddCheckpoint, u64)>, AppError> {
        let key = self.ledger_key.verifier();
        self.store()
            .read(move |tx| {
                let Some(record) = tx.latest_checkpoint()? else { return Ok(None) };
                let newest = Checkpoint::open(&record.note, &key)
                    .map_err(|error| StoreError::Ledger(format!("its newest checkpoint: {error}")))?;
                let path = consistency_path(&mut ledger_index::tree(tx, newest.size), old, newest.size);
                let Some(proof) = path.map_err(StoreError::from)? else { return Ok(None) };
                Ok(Some((AddCheckpoint { old, proof, checkpoint: record.note }, newest.size)))
            })
            .await
    }

    /// Keeps the cosignature if it is one of this witness's; what else it sends is ignored.
    async fn keep(&self, witness: &Witness, note: &str, size: u64, body: &[u8]) -> Result<(), AppError> {
        let body = std::str::from_utf8(body).map_err(|_| unexpected("an answer that is no text"))?;
        let good = |line: &&str| {
            let signed = Note::parse(&format!("{note}{line}\n")).ok();
            signed.is_some_and(|signed| matches!(witness.key.cosigned(&signed), Ok(Some(_))))
        };
        let line = body.lines().take(16).find(good).ok_or_else(|| unexpected("no cosignature by its key"))?;
        let (name, line, now) = (witness.name.clone(), format!("{line}\n"), self.now());
        let kept = line.clone();
        self.store().write(move |tx| Ok::<_, AppError>(tx.add_cosignature(size, &name, &kept, now)?)).await?;
        self.witnesses.renewed.put(&witness.name, size, &line, now);
        Ok(())
    }

    /// Records once, until it is over, that a witness stands where this log never was.
    async fn alarm(&self, witness: &Witness, stands_at: u64) -> Result<(), AppError> {
        tracing::error!(
            witness = witness.name,
            stands_at,
            "A WITNESS REFUSES THIS LEDGER: the log was cut back or rewritten since the witness cosigned it"
        );
        let before = {
            let mut alarms = self.witnesses.alarms.lock().unwrap_or_else(PoisonError::into_inner);
            alarms.insert(witness.name.clone(), stands_at)
        };
        if before == Some(stands_at) {
            return Ok(());
        }
        let act = Act::WitnessRefused { witness: witness.name.clone(), stands_at };
        self.record(self.event(&Caller::system(), Outcome::Failed, act)).await
    }

    pub(super) fn quorum(&self) -> u32 {
        self.witnesses.quorum
    }

    pub(super) fn renewed(&self) -> Renewed {
        self.witnesses.renewed.clone()
    }
}

/// Size and note of the newest checkpoint that `quorum` witnesses cosigned.
pub(super) fn cosigned(
    tx: &mut dyn Transaction,
    renewed: &Renewed,
    quorum: u32,
) -> Result<Option<(u64, String)>, AppError> {
    if quorum == 0 {
        return Ok(None);
    }
    let Some(size) = tx.cosigned_by(quorum)? else { return Ok(None) };
    let Some(note) = tx.checkpoint_of(size)? else { return Ok(None) };
    Ok(Some((size, with_lines(tx, renewed, size, note)?)))
}

/// A note with the cosignatures that there are, the newest of each witness.
pub(super) fn with_lines(
    tx: &mut dyn Transaction,
    renewed: &Renewed,
    size: u64,
    mut note: String,
) -> Result<String, AppError> {
    for (witness, line) in tx.cosignatures(size)? {
        note.push_str(&renewed.line(&witness, size).unwrap_or(line));
    }
    Ok(note)
}

fn unexpected(what: &str) -> AppError {
    AppError::internal("a witness answered with what the protocol does not have", what.to_owned())
}
