use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "access", title: "Nobody may do what nobody gave them", controls: &["A4", "C4"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    findings.good("without a grant there is no access; a denial wins over every grant");
    let damaged: Vec<String> = facts.damaged.iter().map(|row| format!("{} {}", row.table, row.row)).collect();
    if damaged.is_empty() {
        findings.good(format!(
            "{} grants and {} members of roles or groups are as they were given",
            facts.grants.len(),
            facts.members.len()
        ));
    } else {
        let shown: Vec<String> = damaged.iter().take(20).cloned().collect();
        let advice =
            "look in the ledger for what they should be, give it anew, and find out who can write to the catalog";
        findings
            .bad(format!("{} rows were changed behind the server's back: {}", damaged.len(), shown.join("; ")), advice);
    }
}
