use sealyard_gate::{Requirement, Stage};

use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check = Check { id: "isolation", title: "Training is isolated", controls: &["C1"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(policy) = &facts.policy else {
        return findings
            .bad("there is no policy: where a model was trained is not asked", "start the server with --policy");
    };
    match policy.section(Stage::Publish).map(|section| &section.provenance) {
        Some(Requirement::Required(rule)) => {
            let builders: Vec<&str> = rule.builders.iter().map(String::as_str).collect();
            findings.good(format!("only models that were trained by {} can be published", builders.join(", ")));
        }
        Some(Requirement::NotRequired) => findings.bad(
            "the policy asks for no provenance: a model can be published that was trained anywhere",
            "ask for it in [publish] provenance, and train with `sealyard run`",
        ),
        None => findings.good("the policy has no [publish]: nothing can be published"),
    }
}
