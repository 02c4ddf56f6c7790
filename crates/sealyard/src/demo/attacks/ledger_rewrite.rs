//! Somebody at the disk rewrites an entry of the ledger: who published becomes somebody else.

use std::path::Path;

use sealyard_ledger::{VerifierKey, VerifyReport, verify};
use sealyard_server::DataDirectory;
use sealyard_store_sql::LedgerReader;

use super::{Refusal, went_through};
use crate::demo::context::Context;
use crate::exit::Result;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    // On a copy of the disk, so that the demo's own ledger stays whole.
    let original = DataDirectory::catalog_in(&demo.data_directory());
    let copy = demo.scratch("ledger-rewrite")?.join("catalog.sqlite");
    let source = rusqlite::Connection::open(&original)?;
    source.busy_timeout(std::time::Duration::from_secs(10))?;
    source.execute("VACUUM INTO ?1", [copy.to_string_lossy()])?;
    if !check(demo, &copy)?.ok {
        return Err(went_through("the ledger did not verify even before it was rewritten"));
    }
    rewrite(&copy)?;
    let report = check(demo, &copy)?;
    if report.ok {
        return Err(went_through("the rewritten ledger verified"));
    }
    Ok(Refusal {
        rules: report.problems.iter().map(|problem| problem.rule.to_owned()).collect(),
        reason: report.problems.first().map_or_else(String::new, |problem| problem.detail.clone()),
    })
}

/// What `sealyard ledger verify --data-dir` does.
fn check(demo: &Context, catalog: &Path) -> Result<VerifyReport> {
    let verifier = DataDirectory::ledger_verifier_in(&demo.data_directory());
    let key: VerifierKey = std::fs::read_to_string(verifier)?.trim().parse()?;
    let reader = LedgerReader::open(catalog)?;
    let notes: Vec<String> = reader.checkpoints()?.into_iter().map(|checkpoint| checkpoint.note).collect();
    Ok(verify(reader.entries(), notes, &key, None)?)
}

/// Somebody with the disk is not held up by triggers.
fn rewrite(catalog: &Path) -> Result<()> {
    let catalog = rusqlite::Connection::open(catalog)?;
    let triggers: Vec<String> = catalog
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'ledger_entries'")?
        .query_map([], |row| row.get(0))?
        .collect::<std::result::Result<_, _>>()?;
    for trigger in triggers {
        catalog.execute_batch(&format!("DROP TRIGGER {trigger}"))?;
    }
    let (position, event): (i64, Vec<u8>) = catalog.query_row(
        "SELECT position, event FROM ledger_entries WHERE instr(CAST(event AS TEXT), '\"act\":\"published\"') > 0 LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let rewritten = String::from_utf8(event)?.replace("\"actor\":\"admin\"", "\"actor\":\"alice\"");
    catalog.execute(
        "UPDATE ledger_entries SET event = ?1 WHERE position = ?2",
        rusqlite::params![rewritten.as_bytes(), position],
    )?;
    Ok(())
}
