use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check = Check { id: "audit", title: "What happened can be proved", controls: &["A5"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    match &facts.foreign_schema {
        Some(what) => findings.bad(
            format!("the schema of the catalog's database was changed behind the server's back: {what}"),
            "find out who can write to the database; undo that change, or put a backup back",
        ),
        None => {
            findings.good("the database's schema is what the releases made: nothing else takes part in what is written")
        }
    }
    match &facts.ledger.report {
        Some(report) if report.ok => {
            findings.good(format!("the ledger's {} entries verify up to its root {}", report.size, report.root));
        }
        Some(report) => {
            let first = report.problems.first().map_or(String::new(), |one| format!("{}: {}", one.rule, one.detail));
            let advice = "keep a copy of the data directory, and compare with a checkpoint that was kept elsewhere";
            findings.bad(format!("the ledger does not verify ({} problems; {first})", report.problems.len()), advice);
        }
        None => findings.unknown(
            format!("the ledger has {} entries, too many to verify here", facts.ledger.size),
            "run `sealyard ledger verify`",
        ),
    }
    if let Some(newest) = facts.ledger.newest {
        findings.good(format!("its newest entry is of {}", newest.to_rfc3339()));
    }
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("where the ledger is exported to is not known", "ask the server that is running");
    };
    if deployment.exports.is_empty() && deployment.witnesses.is_empty() {
        let advice = "export it ([ledger.export.NAME]) or have it witnessed ([ledger] witnesses), or keep what \
                      `sealyard ledger checkpoint` prints where this server's administrators can't change it";
        findings.bad("nobody else keeps the ledger or its checkpoints: cutting it back would not be seen", advice);
    } else {
        let kept: Vec<&str> = deployment.exports.iter().chain(&deployment.witnesses).map(String::as_str).collect();
        findings.good(format!("kept elsewhere by {}", kept.join(", ")));
    }
}
