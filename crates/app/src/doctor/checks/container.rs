use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "process", title: "The server has no more rights than it needs", controls: &["A8"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("what the server runs as is not known", "ask the server that is running");
    };
    if deployment.root {
        findings.bad("the server runs as root", "run it as a user of its own; it needs no privilege");
    } else {
        findings.good("the server runs as an ordinary user");
    }
    findings.good("it runs no code of a model, loads no plug-in, and starts no shell");
}
