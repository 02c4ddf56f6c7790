use super::super::facts::Facts;
use super::super::{Check, Findings};

/// A backup that is older is too old.
const OLDEST_SECONDS: i64 = 7 * 24 * 60 * 60;

pub(super) const CHECK: Check = Check { id: "recovery", title: "It can be restored", controls: &["A7"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    match facts.ledger.last_backup {
        Some(at) => {
            let age = facts.now.as_millis().saturating_sub(at.as_millis()) / 1000;
            let text = format!("the last backup is of {}", at.to_rfc3339());
            if age > OLDEST_SECONDS {
                findings.bad(text, "make one at least each day: `sealyard backup`");
            } else {
                findings.good(text);
            }
        }
        None => findings.bad(
            "no backup was ever made",
            "make one, and try to restore it elsewhere: `sealyard backup`, `sealyard restore --verify-only`",
        ),
    }
}
