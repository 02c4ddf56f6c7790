use std::collections::BTreeSet;

use sealyard_identity::Grantee;
use sealyard_store::model::TokenRecord;

use super::super::facts::Facts;
use super::super::{Check, Findings};

/// More administrators than this are too many, unless they are few among all.
const ADMINISTRATORS: usize = 3;
/// A token with all rights that is older should have been replaced.
const OLD_SECONDS: i64 = 90 * 24 * 60 * 60;

pub(super) const CHECK: Check =
    Check { id: "least-privilege", title: "Everybody has what they need and no more", controls: &["A10", "C4"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let administrators: Vec<&str> = facts.administrators().map(|user| user.name.as_str()).collect();
    let text = format!("{} of {} accounts are administrators", administrators.len(), facts.users.len());
    if administrators.len() > ADMINISTRATORS && administrators.len() * 5 > facts.users.len() {
        let advice = format!("give roles instead to some of {}", administrators.join(", "));
        findings.bad(text, advice);
    } else {
        findings.good(text);
    }
    let wide: Vec<String> = facts.wide_grants().take(10).map(ToString::to_string).collect();
    if wide.is_empty() {
        findings.good("nobody may MANAGE a whole kind of things by a grant of their own");
    } else {
        let advice = "give it through a role or group, or on what they work on: `sealyard grants set`";
        findings.bad(format!("wide grants: {}", wide.join("; ")), advice);
    }
    let live = |token: &&TokenRecord| !token.revoked && token.expires.is_none_or(|ends| ends > facts.now);
    let tokens = facts.tokens.values().flatten().filter(live);
    let endless: Vec<String> = tokens
        .filter(|token| token.expires.is_none() && token.scopes.iter().any(|scope| scope == "all"))
        .filter(|token| facts.now.as_millis() - token.created.as_millis() > OLD_SECONDS * 1000)
        .map(|token| format!("{} of {}", token.id, token.owner))
        .take(20)
        .collect();
    if endless.is_empty() {
        findings.good("no token with all of its owner's rights is older than 90 days without an end");
    } else {
        let advice =
            "revoke them, and make new ones with scopes and an end: `sealyard tokens create --scope … --expires 30d`";
        findings.bad(format!("tokens with all rights and no end: {}", endless.join(", ")), advice);
    }
    let granted: BTreeSet<&str> = facts
        .grants
        .iter()
        .filter_map(|grant| match &grant.grantee {
            Grantee::Principal(id) => Some(id.as_str()),
            _ => None,
        })
        .chain(facts.members.iter().map(String::as_str))
        .collect();
    let idle: Vec<&str> = facts
        .users
        .iter()
        .filter(|user| !user.disabled && !user.admin && !granted.contains(user.principal_id().as_str()))
        .map(|user| user.name.as_str())
        .take(20)
        .collect();
    if !idle.is_empty() {
        findings.good(format!("accounts that may do nothing, and may not be needed: {}", idle.join(", ")));
    }
}
