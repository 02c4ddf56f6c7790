//! Searching the ledger: the index says where to look, the entries say what is there.

use sealyard_core::{Digest, Timestamp};
use sealyard_identity::{Authorized, LedgerLog, Manage, Read};
use sealyard_ledger::merkle::leaf_hash;
use sealyard_ledger::{Act, Facets, Outcome};
use sealyard_store::model::{LedgerEntry, LedgerPlace, LedgerQuery};

use crate::{App, AppError, Caller};

/// Most entries of one page.
const MOST: u32 = 500;
/// Longest text that is looked for.
const LONGEST: usize = 1024;

/// What is looked for; everything that is given must hold.
#[derive(Debug, Clone, Default)]
pub struct LedgerSearch {
    /// Who.
    pub actor: Option<String>,
    /// To what, such as `experiment:7` or `registered-model:fraud`.
    pub subject: Option<String>,
    /// By which rule it was refused.
    pub rule: Option<String>,
    /// What was done, such as `run-created`.
    pub act: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
    /// The request's id.
    pub request_id: Option<String>,
    /// Not before this.
    pub since: Option<Timestamp>,
    /// Before this.
    pub until: Option<Timestamp>,
    /// At most so many entries.
    pub limit: u32,
    /// Where the last page ended.
    pub page_token: Option<String>,
}

/// A page of entries, newest first.
#[derive(Debug, Clone)]
pub struct FoundEntries {
    /// The entries.
    pub entries: Vec<FoundEntry>,
    /// Where the next page goes on; `None` after the last one.
    pub next_page_token: Option<String>,
    /// How many entries the index holds.
    pub indexed: u64,
    /// How many the log has. While the index is being made there are more than it holds.
    pub size: u64,
    /// Entries that the index named and that are not what it says: one of both was changed.
    pub mismatches: Vec<u64>,
}

/// One entry that was found.
#[derive(Debug, Clone)]
pub struct FoundEntry {
    /// Its index in the log.
    pub index: u64,
    /// Its bytes as they were written.
    pub bytes: Vec<u8>,
    /// The leaf's hash, computed now of these bytes.
    pub leaf: Digest,
    /// Whether that is the hash that is kept with it. Only a proof says what was signed.
    pub intact: bool,
}

impl App {
    /// Entries that match, newest first. Every act that was acknowledged before is found, unless the index is being made.
    ///
    /// # Errors
    /// [`AppError::Invalid`] for a search that makes no sense.
    pub async fn search_ledger(
        &self,
        _authorized: &Authorized<Read, LedgerLog>,
        search: LedgerSearch,
    ) -> Result<FoundEntries, AppError> {
        let query = query(search)?;
        self.catch_up().await?;
        self.store()
            .read(move |tx| {
                let places = tx.find_entries(&query)?;
                let next_page_token = (places.len() == query.limit as usize)
                    .then(|| places.last().map(|place| format!("{}-{}", place.time.as_millis(), place.index)))
                    .flatten();
                let indexes: Vec<u64> = places.iter().map(|place| place.index).collect();
                let mut there = tx.entries_at(&indexes)?.into_iter().peekable();
                let (mut entries, mut mismatches) = (Vec::new(), Vec::new());
                for place in places {
                    match there.next_if(|entry| entry.index == place.index) {
                        Some(entry) if fits(&query, &place, &entry) => {
                            let LedgerEntry { index, bytes, leaf } = entry;
                            let computed = leaf_hash(&bytes);
                            entries.push(FoundEntry { index, leaf: computed, intact: computed == leaf, bytes });
                        }
                        _ => mismatches.push(place.index),
                    }
                }
                if !mismatches.is_empty() {
                    tracing::error!(
                        ?mismatches,
                        "the index of the ledger and its entries differ: `sealyard ledger reindex` makes it anew"
                    );
                }
                let (indexed, size) = (tx.indexed()?, tx.entry_count()?);
                Ok(FoundEntries { entries, next_page_token, indexed, size, mismatches })
            })
            .await
    }

    /// Makes the index and the nodes of the tree anew, out of the entries, in the background.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn reindex_ledger(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Manage, LedgerLog>,
    ) -> Result<(), AppError> {
        let event = self.event(caller, Outcome::Done, Act::LedgerReindexed {});
        self.store()
            .write(move |tx| {
                tx.clear_ledger_index()?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }
}

fn query(search: LedgerSearch) -> Result<LedgerQuery, AppError> {
    let LedgerSearch { actor, subject, rule, act, outcome, request_id, since, until, limit, page_token } = search;
    for text in [&actor, &subject, &rule, &act, &request_id].into_iter().flatten() {
        if text.len() > LONGEST {
            return Err(AppError::Invalid(format!("what is looked for may be {LONGEST} bytes long at most")));
        }
    }
    if outcome.as_deref().is_some_and(|outcome| !["done", "refused", "failed"].contains(&outcome)) {
        return Err(AppError::Invalid("an outcome is done, refused or failed".to_owned()));
    }
    let after = page_token.as_deref().map(place).transpose()?;
    let limit = limit.clamp(1, MOST);
    Ok(LedgerQuery { actor, subject, rule, act, outcome, request_id, since, until, after, limit })
}

fn place(token: &str) -> Result<LedgerPlace, AppError> {
    let parsed = token.rsplit_once('-').and_then(|(time, index)| {
        let index: u64 = index.parse().ok().filter(|index| *index <= i64::MAX as u64)?;
        Some(LedgerPlace { time: Timestamp::from_millis(time.parse().ok()?), index })
    });
    parsed.ok_or_else(|| AppError::Invalid("the page token is not one of this search".to_owned()))
}

/// Whether the entry is what the index says that it is.
fn fits(query: &LedgerQuery, place: &LedgerPlace, entry: &LedgerEntry) -> bool {
    let facets = Facets::of(&entry.bytes);
    let is = |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
    facets.time == place.time.as_millis()
        && is(&query.actor, &facets.actor)
        && is(&query.act, &facets.act)
        && is(&query.outcome, &facets.outcome)
        && query.request_id.as_ref().is_none_or(|id| facets.request_id.as_ref() == Some(id))
        && query.subject.as_ref().is_none_or(|subject| facets.subjects.contains(subject))
        && query.rule.as_ref().is_none_or(|rule| facets.rules.contains(rule))
}
