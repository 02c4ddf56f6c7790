use sealyard_gate::Stage;

use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "gates", title: "Nothing is deployed or loaded unverified", controls: &["C7"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(policy) = &facts.policy else {
        return findings.bad(
            "there is no policy: nothing can be published or deployed, and no alias is protected",
            "write one, and start the server with --policy",
        );
    };
    findings.good(format!("the policy's digest is {}", policy.digest()));
    for stage in [Stage::Publish, Stage::Deploy, Stage::Load] {
        if policy.section(stage).is_some() {
            findings.good(format!("[{stage}] says what must be proved"));
        } else {
            findings.good(format!("there is no [{stage}], so that nothing passes"));
        }
    }
    if policy.protected_aliases().is_empty() {
        let advice = "list them in [aliases] protected, such as champion and production";
        findings.bad("no alias is protected: it can be pointed at what was never published", advice);
    } else {
        let names: Vec<&str> = policy.protected_aliases().iter().map(String::as_str).collect();
        findings.good(format!("protected aliases: {}", names.join(", ")));
    }
}
