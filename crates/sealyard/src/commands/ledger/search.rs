use sealyard_client::{FoundEntry, LedgerPage};
use sealyard_core::{Clock as _, SystemClock, Timestamp};
use sealyard_ledger::Facets;
use sealyard_ledger::merkle::leaf_hash;
use serde_json::{Value, json};

use crate::cli::Common;
use crate::commands::tokens::seconds;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Entries of one request.
const PAGE: u64 = 500;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard ledger search --subject registered-model:fraud
  sealyard ledger search --actor ada --outcome refused --since 7d
  sealyard ledger search --rule authorization --since 2026-01-01T00:00:00Z --format json

A subject is written experiment:7, run:ID, registered-model:NAME, registered-model:NAME/3, logged-model:ID, user:NAME,
token:ID, webhook:ID, workspace:NAME, sha256:HEX and so on. An act is the name that stands in the entry.")]
pub(super) struct Arguments {
    /// Who did it.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// What it was done to.
    #[arg(long, value_name = "SUBJECT")]
    subject: Option<String>,
    /// What was done.
    #[arg(long, value_name = "ACT")]
    act: Option<String>,
    /// By which rule it was refused.
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// How it ended.
    #[arg(long, value_parser = ["done", "refused", "failed"])]
    outcome: Option<String>,
    /// Which request did it.
    #[arg(long, value_name = "ID")]
    request_id: Option<String>,
    /// Not before this: RFC 3339, or such as 7d for so long ago.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Timestamp>,
    /// Before this.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Timestamp>,
    /// At most so many entries, the newest ones.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    limit: u64,
}

impl Arguments {
    pub(super) fn run(self, common: &Common, json: bool) -> Result {
        let millis = |time: Option<Timestamp>| time.map(|time| time.as_millis().to_string());
        let limit = self.limit;
        let given = [
            ("actor", self.actor),
            ("subject", self.subject),
            ("act", self.act),
            ("rule", self.rule),
            ("outcome", self.outcome),
            ("request_id", self.request_id),
            ("since", millis(self.since)),
            ("until", millis(self.until)),
        ];
        let asked: Vec<(&str, String)> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        let client = remote::connect(common)?;
        let mut found = Vec::new();
        let mut mismatches = Vec::new();
        let last = remote::block_on(async {
            let mut token: Option<String> = None;
            loop {
                let mut parameters = asked.clone();
                parameters.push(("limit", PAGE.min(limit - found.len() as u64).to_string()));
                parameters.extend(token.map(|token| ("page_token", token)));
                let page = client.search_ledger(&parameters).await.map_err(remote::failure)?;
                let LedgerPage { entries, next_page_token, indexed, size, mismatches: wrong } = page;
                found.extend(entries);
                mismatches.extend(wrong);
                if found.len() as u64 >= limit || next_page_token.is_none() {
                    return Ok((indexed, size));
                }
                token = next_page_token;
            }
        })?;
        show(common, json, &found, &mismatches, last)
    }
}

fn show(common: &Common, json: bool, found: &[FoundEntry], mismatches: &[u64], last: (u64, u64)) -> Result {
    let (indexed, size) = last;
    let mut lines = String::new();
    let mut entries = Vec::new();
    for entry in found {
        let bytes = entry.decoded().map_err(remote::failure)?;
        if json {
            let event: Value = serde_json::from_slice(&bytes).unwrap_or_default();
            entries.push(json!({"index": entry.index, "leaf": leaf_hash(&bytes), "event": event}));
        } else {
            let Facets { time, actor, act, outcome, subjects, rules, .. } = Facets::of(&bytes);
            let time = Timestamp::from_millis(time);
            let about = subjects.into_iter().chain(rules).collect::<Vec<_>>().join(" ");
            let line = format!("{:>8}  {time}  {outcome:<7}  {actor:<20}  {act:<24}  {about}", entry.index);
            lines.push_str(remote::plain(&line).trim_end());
            lines.push('\n');
        }
    }
    if json {
        output::json(&json!({
            "entries": entries, "complete": indexed >= size, "indexed": indexed, "size": size, "mismatches": mismatches,
        }))?;
    } else {
        output::data(&lines)?;
        if indexed < size {
            output::say(
                common.quiet,
                &format!("note: the server's index is being made: it holds {indexed} of {size} entries"),
            );
        }
    }
    if mismatches.is_empty() {
        return Ok(Exit::Fine);
    }
    output::say(
        false,
        &format!(
            "the index and the entries differ at {mismatches:?}: run `sealyard ledger verify`, then `sealyard ledger reindex`"
        ),
    );
    Ok(Exit::No)
}

/// RFC 3339, or so long ago.
pub(super) fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    if let Some(time) = Timestamp::from_rfc3339(text) {
        return Ok(time);
    }
    let ago = seconds(text).map_err(|_| format!("{text:?} is neither RFC 3339 nor such as 90m, 12h or 7d"))?;
    Ok(SystemClock.now().plus_seconds(-ago))
}
