use sealyard_store::model::UserKind;

use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "accounts", title: "Everybody proves who they are", controls: &["A2", "A3"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("how the server was started is not known", "ask the server that is running");
    };
    if deployment.no_auth {
        return findings.bad("nobody is asked who they are (--no-auth)", "start the server without --no-auth");
    }
    findings.good("every request but /health and /version needs a proof of who asks");
    let people = facts.users.iter().filter(|user| user.kind == UserKind::Person && !user.disabled);
    let with_password = people.clone().filter(|user| user.password.is_some()).count();
    let odd: Vec<&str> = facts
        .users
        .iter()
        .filter(|user| user.password.as_deref().is_some_and(|hash| !hash.starts_with("$argon2id$")))
        .map(|user| user.name.as_str())
        .collect();
    if odd.is_empty() {
        findings.good(format!("{with_password} passwords, each an argon2id hash"));
    } else {
        findings.bad(format!("hashes that are not argon2id: {}", odd.join(", ")), "give these users new passwords");
    }
    let people = people.count();
    if deployment.providers.is_empty() && people > 10 {
        let advice =
            "connect your identity provider: [identity.oidc.NAME], [identity.ldap.NAME] or [identity.saml.NAME]";
        findings.bad(format!("{people} people have passwords here, and no identity provider is connected"), advice);
    } else if !deployment.providers.is_empty() {
        findings.good(format!("identity providers: {}", deployment.providers.join(", ")));
    }
}
