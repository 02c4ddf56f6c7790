use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "network", title: "Only those who need it can reach it", controls: &["A6"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("where the server listens is not known", "ask the server that is running");
    };
    for listener in &deployment.listeners {
        let name = format!("{} ({})", listener.address, listener.kind);
        if listener.address.ip().is_loopback() {
            findings.good(format!("{name} is on this machine alone"));
        } else if listener.allow_list {
            findings.good(format!("{name} takes only the networks that it lists"));
        } else {
            let advice =
                "list the networks that may connect ([listeners.NAME] allow), or keep others out by a firewall";
            findings.bad(format!("{name} takes connections from everywhere"), advice);
        }
    }
    if deployment.rate_limits {
        findings.good("requests are bounded for each address and account");
    } else {
        findings.bad(
            "requests are not bounded by address and account",
            "leave the [limits] of the settings as they are by default",
        );
    }
    findings
        .good("a name or password that is wrong makes the next try wait; what the server sends goes through one guard");
}
