use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check = Check { id: "updates", title: "It is kept up to date", controls: &["A9"], look };

fn look(_facts: &Facts, findings: &mut Findings) {
    findings.unknown(
        format!(
            "this is release {}; whether there is a newer one is not asked: the server calls nobody",
            env!("CARGO_PKG_VERSION")
        ),
        "compare it with the newest release, and try that on a copy of a backup first",
    );
}
