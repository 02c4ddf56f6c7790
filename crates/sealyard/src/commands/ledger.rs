mod erase;
mod export;
mod growth;
mod proof;
mod reindex;
mod search;
mod witness;
mod witnesses;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use sealyard_client::{Client, ClientError};
use sealyard_core::Timestamp;
use sealyard_ledger::merkle::leaf_hash;
use sealyard_ledger::personal::PersonalCheck;
use sealyard_ledger::{Checkpoint, Cosigners, Entry, Facets, Note, VerifierKey, VerifyReport, verify};
use sealyard_server::DataDirectory;
use sealyard_store_sql::{LedgerReader, PostgresUrl};

use crate::cli::Common;
use crate::database::{Database, DatabaseArguments};
use crate::exit::{Exit, Failure, Result};
use crate::{keys, output, remote};

/// No checkpoint or verifier key is larger.
const LARGEST_NOTE: u64 = 64 << 10;

/// The tamper-evident record of everything that happened.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check that no entry was changed, removed, added or reordered.
    ///
    /// A log that was cut back to an older state as a whole only shows against a checkpoint that was kept elsewhere:
    /// keep what `sealyard ledger checkpoint` prints, and name it with --checkpoint.
    ///
    /// Exit codes: 0 the log is whole; 1 it is not, with the problems; 2 it could not be read.
    #[command(after_help = "Examples:
  sealyard ledger verify --data-dir sealyard-data                           offline, without asking the server
  sealyard ledger verify --data-dir backup --verifier-key ledger.pub --checkpoint kept.checkpoint
  sealyard ledger verify --data-dir sealyard-data --database postgresql://sealyard@db.example/sealyard
  sealyard ledger verify --verifier-key ledger.pub                          over the network; every hash is computed here
  sealyard ledger verify --quick --checkpoint kept.checkpoint --verifier-key ledger.pub
  sealyard ledger verify --proof entry.json --verifier-key ledger.pub       one entry, without a server")]
    Verify {
        #[command(flatten)]
        source: Source,
        /// A checkpoint that was kept elsewhere; the log must be its continuation.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        #[command(flatten)]
        witnesses: witnesses::Arguments,
        /// Only check that the log is a continuation of the kept checkpoint, by a proof of some hashes out of the server:
        /// quick for a log of any length, and silent on whether each entry can still be read.
        #[arg(long, requires = "checkpoint", conflicts_with_all = ["data_dir", "proof"])]
        quick: bool,
        /// Check one entry's proof, as `sealyard ledger proof` gave it, without any server.
        #[arg(long, value_name = "FILE", requires = "verifier_key", conflicts_with_all = ["data_dir", "checkpoint"])]
        proof: Option<PathBuf>,
    },
    /// Look for entries by who, what, to what, when and how it ended; newest first.
    Search(search::Arguments),
    /// Get the proof that an entry is in the log, to be kept or given to others: `verify --proof` checks it offline.
    Proof(proof::Arguments),
    /// Write entries out as JSON lines.
    Export(export::Arguments),
    /// Erase what entries have of persons: the addresses that they came from, and names that were typed and belong to nobody.
    /// The entries stay, and the log verifies as before.
    Erase(erase::Arguments),
    /// Watch other servers' ledgers: cosign a checkpoint only if its log grew out of what was cosigned before (C2SP
    /// tlog-witness).
    Witness(witness::Arguments),
    /// Have the server make its index of the ledger anew, out of the entries.
    Reindex(reindex::Arguments),
    /// Print the newest signed checkpoint, to be kept where this server's administrators can't change it.
    #[command(after_help = "Example:
  sealyard ledger checkpoint --data-dir sealyard-data > /media/elsewhere/kept.checkpoint")]
    Checkpoint {
        #[command(flatten)]
        source: Source,
    },
}

#[derive(Debug, clap::Args)]
struct Source {
    /// Read this data directory, without a server [default: ask the server].
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArguments,
    /// The ledger's public key [default: keys/ledger.pub in the data directory, else what the server says].
    #[arg(long, value_name = "FILE")]
    verifier_key: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        match self.command {
            Command::Search(arguments) => arguments.run(common, json),
            Command::Proof(arguments) => arguments.run(common),
            Command::Export(arguments) => arguments.run(common),
            Command::Erase(arguments) => arguments.run(common, json),
            Command::Witness(arguments) => arguments.run(common),
            Command::Reindex(arguments) => arguments.run(common, json),
            Command::Verify { source, proof: Some(proof), witnesses, .. } => {
                proof::verify(&source, &proof, &witnesses.of_any_age()?, json)
            }
            Command::Verify { source, checkpoint: Some(checkpoint), quick: true, witnesses, .. } => {
                let report = growth::verify(&source, common, &read_checkpoint(&checkpoint)?, &witnesses.read()?)?;
                if json {
                    output::json(&report)?
                } else {
                    output::data(&text(&report))?
                }
                Ok(if report.ok { Exit::Fine } else { Exit::No })
            }
            Command::Verify { source, checkpoint, witnesses, .. } => {
                let witnesses = witnesses.read()?;
                let kept = checkpoint.as_deref().map(read_checkpoint).transpose()?;
                let report = match &source.data_dir {
                    Some(directory) => source.offline(directory, kept.as_deref(), &witnesses, common.quiet)?,
                    None => source.online(common, kept.as_deref(), &witnesses)?,
                };
                if json {
                    output::json(&report)?;
                } else {
                    output::data(&text(&report))?;
                    if report.ok && kept.is_none() {
                        output::say(
                            common.quiet,
                            "note: without --checkpoint FILE a log that was cut back as a whole looks like this too",
                        );
                    }
                }
                Ok(if report.ok { Exit::Fine } else { Exit::No })
            }
            Command::Checkpoint { source } => {
                let note = source.newest(common)?;
                if json {
                    output::json(&serde_json::json!({ "checkpoint": note }))?;
                } else {
                    output::data(&note)?;
                }
                Ok(Exit::Fine)
            }
        }
    }
}

impl Source {
    fn offline(
        &self,
        directory: &Path,
        kept: Option<&str>,
        witnesses: &Cosigners,
        quiet: bool,
    ) -> Result<VerifyReport> {
        let reader = self.open(directory)?;
        let key = self.key(Some(directory))?.ok_or_else(no_key)?;
        let notes = reader.cosigned_checkpoints()?;
        let mut cosigned = notes.clone();
        // The head beside the keys has what witnesses signed last, below a log in which nothing happens too. Its root is one
        // of those that were compared.
        let head = directory.join("keys").join("ledger.checkpoint");
        if witnesses.is_asked_for()
            && let Ok(head) = read_text(&head)
            && notes.iter().any(|note| note.split("\n\n").next() == head.split("\n\n").next())
        {
            cosigned.push(head);
        }
        let seen = witnesses.look(&key, &cosigned);
        let mut edge = Edge { at: seen.size(), time: None };
        let mut personal = PersonalCheck::default();
        let entries = reader.entries().map(|entry| {
            entry.and_then(|entry| {
                edge.see(Some(&entry));
                personal.entry(entry.index, &entry.bytes, |digest| reader.personal(digest))?;
                Ok(entry)
            })
        });
        let report = verify(entries, &notes, &key, kept);
        let report = report.context("the ledger could not be read to its end")?;
        let erased = personal.erased();
        let report = personal.judge(witnesses.judge(report, seen, size_of(kept, &key), edge.time));
        if erased > 0 {
            output::say(
                quiet,
                &format!("note: of {erased} entries, what they had of persons is erased, and the ledger says so"),
            );
        }
        Ok(report)
    }

    /// The entries as the server hands them out; the server's own hashes are not asked for.
    fn online(&self, common: &Common, kept: Option<&str>, witnesses: &Cosigners) -> Result<VerifyReport> {
        let key = self.key(None)?;
        let client = remote::connect(common)?;
        remote::block_on(async {
            let status = client.ledger_checkpoint().await.map_err(remote::failure)?;
            let key = match key {
                Some(key) => key,
                None => {
                    output::say(
                        common.quiet,
                        "note: the verifier key is the server's own word; keep it in a file and name it with --verifier-key",
                    );
                    parse_key(&status.verifier_key, "what the server calls its verifier key")?
                }
            };
            let entries = Pages { client: &client, from: 0, size: status.size, page: Vec::new().into_iter() };
            let notes: Vec<String> = [Some(status.checkpoint), status.cosigned].into_iter().flatten().collect();
            let seen = witnesses.look(&key, &notes);
            let mut edge = Edge { at: seen.size(), time: None };
            let entries = entries.inspect(|entry| edge.see(entry.as_ref().ok()));
            let report = verify(entries, &notes, &key, kept).map_err(remote::failure)?;
            Ok(witnesses.judge(report, seen, size_of(kept, &key), edge.time))
        })
    }

    /// The newest checkpoint; one that does not verify is not worth keeping.
    fn newest(&self, common: &Common) -> Result<String> {
        let (note, key) = match &self.data_dir {
            Some(directory) => {
                let newest = self.open(directory)?.checkpoints()?.pop();
                let newest = newest.ok_or_else(|| anyhow!("nothing was recorded yet, so there is no checkpoint"))?;
                (newest.note, self.key(Some(directory))?.ok_or_else(no_key)?)
            }
            None => {
                let client = remote::connect(common)?;
                let status = remote::block_on(async { client.ledger_checkpoint().await.map_err(remote::failure) })?;
                let key = self
                    .key(None)?
                    .map_or_else(|| parse_key(&status.verifier_key, "what the server calls its verifier key"), Ok)?;
                (status.checkpoint, key)
            }
        };
        let opened = Checkpoint::open(&note, &key).context("the newest checkpoint is not by the ledger's key");
        opened.map(|_| note).map_err(Failure::no)
    }

    /// The catalog of `directory`, wherever it keeps it.
    fn open(&self, directory: &Path) -> Result<LedgerReader> {
        if let Some(Database { url, password }) = self.database.read()? {
            let mut url = PostgresUrl::parse(url.expose())?;
            if let Some(password) = &password {
                url = url.with_password(password);
            }
            return Ok(LedgerReader::connect(&url).with_context(|| format!("could not read the catalog in {url}"))?);
        }
        if let Ok(elsewhere) = std::fs::read_to_string(DataDirectory::database_note_in(directory)) {
            let elsewhere = remote::plain(elsewhere.trim());
            return Err(Failure::could_not(anyhow!("this data directory's catalog is in the database {elsewhere}"))
                .hint("name it with --database, and its password with --database-password-file, PGPASSWORD or SEALYARD_DATABASE"));
        }
        let path = DataDirectory::catalog_in(directory);
        if !path.is_file() {
            return Err(Failure::could_not(anyhow!("there is no catalog {}", path.display()))
                .hint("--data-dir takes the directory that `sealyard up` was started with, or a copy of it"));
        }
        Ok(LedgerReader::open(&path).with_context(|| format!("could not read the catalog {}", path.display()))?)
    }

    /// The key that was named, or that lies in the data directory.
    fn key(&self, directory: Option<&Path>) -> Result<Option<VerifierKey>> {
        let path = match (&self.verifier_key, directory) {
            (Some(path), _) => path.clone(),
            (None, Some(directory)) => DataDirectory::ledger_verifier_in(directory),
            (None, None) => return Ok(None),
        };
        parse_key(&read_text(&path)?, &path.display().to_string()).map(Some)
    }
}

/// The entries that the checkpoint covers, one page in memory at a time. A server that gives fewer gives a log with
/// problems.
struct Pages<'a> {
    client: &'a Client,
    from: u64,
    size: u64,
    page: std::vec::IntoIter<(u64, Vec<u8>)>,
}

impl Iterator for Pages<'_> {
    type Item = std::result::Result<Entry, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.from >= self.size {
            return None;
        }
        let mut next = self.page.next();
        if next.is_none() {
            let handle = tokio::runtime::Handle::current();
            match tokio::task::block_in_place(|| handle.block_on(self.client.ledger_entries(self.from))) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => {
                    self.from = self.size;
                    return Some(Err(error));
                }
            }
            next = self.page.next();
        }
        let Some((index, bytes)) = next else {
            self.from = self.size;
            return None;
        };
        self.from += 1;
        let leaf = leaf_hash(&bytes);
        Some(Ok(Entry { index, bytes, leaf }))
    }
}

/// The time of the first entry that nobody witnessed.
struct Edge {
    at: Option<u64>,
    time: Option<Timestamp>,
}

impl Edge {
    fn see(&mut self, entry: Option<&Entry>) {
        if let Some(entry) = entry.filter(|entry| Some(entry.index) == self.at) {
            self.time = Some(Timestamp::from_millis(Facets::of(&entry.bytes).time));
        }
    }
}

fn size_of(kept: Option<&str>, key: &VerifierKey) -> Option<u64> {
    kept.and_then(|kept| Checkpoint::open(kept, key).ok()).map(|kept| kept.size)
}

fn no_key() -> Failure {
    Failure::could_not(anyhow!("there is no key to verify with"))
        .hint("name the ledger's public key with --verifier-key FILE")
}

fn parse_key(text: &str, what: &str) -> Result<VerifierKey> {
    text.trim().parse().with_context(|| format!("{what} is no verifier key of a ledger")).map_err(Into::into)
}

fn read_text(path: &Path) -> Result<String> {
    let bytes =
        keys::read_bounded(path, LARGEST_NOTE)?.ok_or_else(|| anyhow!("there is no file {}", path.display()))?;
    Ok(String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text", path.display()))?)
}

/// A checkpoint that somebody kept. A file that is none is a mistake, and says nothing of the log.
fn read_checkpoint(path: &Path) -> Result<String> {
    let text = read_text(path)?;
    let hint = "keep what `sealyard ledger checkpoint` prints";
    Note::parse(&text).with_context(|| format!("{} is not a checkpoint; hint: {hint}", path.display()))?;
    Ok(text)
}

fn text(report: &VerifyReport) -> String {
    let VerifyReport { ok, size, root, witnessed, problems, .. } = report;
    let mut text = format!("{size} entries, root {root}\n");
    if let Some(witnessed) = witnessed {
        text.push_str(&format!("{witnessed} of them cosigned by the witnesses\n"));
    }
    for problem in problems {
        let place = problem.index.map_or_else(String::new, |index| format!(" at {index}"));
        text.push_str(&format!("  FAILED {}{place}: {}\n", problem.rule, remote::plain(&problem.detail)));
    }
    text.push_str(if *ok { "the log is whole\n" } else { "THE LOG WAS CHANGED\n" });
    text
}
