use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use serde_json::Value;

use crate::Claims;

/// Which account a token of a machine stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRule {
    /// The account, which is there already.
    pub account: String,
    /// Claims that must all be there with this value; one that ends in `*` stands for all that begin so.
    pub claims: BTreeMap<String, String>,
}

/// A machine that was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// By which provider.
    pub provider: String,
    /// Its account.
    pub account: String,
    /// What the provider calls it.
    pub subject: String,
    /// When its token ends.
    pub expires: Timestamp,
    /// Whether the token was checked just now, and not a moment ago.
    pub first: bool,
}

impl MachineRule {
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.claims.is_empty() {
            return Err(format!("the rule of {:?} names no claim, so that every token would be let in", self.account));
        }
        for (claim, pattern) in &self.claims {
            let literal = pattern.strip_suffix('*').unwrap_or(pattern);
            if literal.is_empty() || literal.contains('*') {
                return Err(format!("{claim}: {pattern:?} is no text, nor a beginning and `*`"));
            }
            // `org*` would also mean what belongs to `org-evil`, and `org-*` as well: anybody can take such a name.
            let ends = literal.ends_with(['/', ':']) || claim == "ref";
            if pattern.ends_with('*') && !ends {
                return Err(format!(
                    "{claim}: {pattern:?} also means names that only begin alike; end it before a `*` with `/` or `:`"
                ));
            }
        }
        Ok(())
    }

    /// Whether the rule says whose the token must be, at an issuer that gives tokens to everybody: one of these claims in full, or
    /// a beginning that holds the owner's whole name.
    pub(crate) fn names_owner(&self, owners: &[&str]) -> bool {
        self.claims.iter().filter(|(claim, _)| owners.contains(&claim.as_str())).any(|(claim, pattern)| {
            let Some(beginning) = pattern.strip_suffix('*') else { return true };
            // `repo:OWNER/…`, `project_path:OWNER/…`, and for the others `OWNER/…`.
            let rest = if claim == "sub" { beginning.split_once(':').map(|(_, rest)| rest) } else { Some(beginning) };
            rest.and_then(|rest| rest.split_once('/'))
                .is_some_and(|(owner, _)| !owner.is_empty() && !owner.contains(':'))
        })
    }

    pub(crate) fn matches(&self, claims: &Claims) -> bool {
        !self.claims.is_empty() && self.claims.iter().all(|(path, pattern)| matches(claims.path(path), pattern))
    }
}

fn matches(found: Option<&Value>, pattern: &str) -> bool {
    let Some(Value::String(text)) = found else { return false };
    match pattern.strip_suffix('*') {
        Some(beginning) => !beginning.is_empty() && text.starts_with(beginning),
        None => text == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(claims: &[(&str, &str)]) -> MachineRule {
        let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        MachineRule { account: "ci".to_owned(), claims }
    }

    #[test]
    fn all_claims_must_match() {
        let claims = Claims::parse(
            br#"{"repository":"org/repo","ref":"refs/heads/main","n":7,"kubernetes.io":{"namespace":"ml"}}"#,
        )
        .unwrap();
        assert!(rule(&[("repository", "org/repo"), ("ref", "refs/heads/*")]).matches(&claims));
        assert!(rule(&[("repository", "org/*"), ("kubernetes.io.namespace", "ml")]).matches(&claims));
        for other in [
            &[][..],
            &[("repository", "org/repo"), ("ref", "refs/tags/*")],
            &[("repository", "org/rep")],
            &[("repository", "ORG/repo")],
            &[("repository", "org/repo2")],
            &[("actor", "ada")],
            &[("n", "7")],
            &[("kubernetes.io", "*")],
        ] {
            assert!(!rule(other).matches(&claims), "{other:?}");
        }
    }

    #[test]
    fn an_owner_is_named_in_full() {
        let owners = ["sub", "repository", "repository_owner"];
        for named in [
            ("repository", "org/repo"),
            ("repository", "org/*"),
            ("repository_owner", "org"),
            ("sub", "repo:org/repo:ref:refs/heads/main"),
            ("sub", "repo:org/*"),
        ] {
            assert!(rule(&[named]).names_owner(&owners), "{named:?}");
        }
        for stranger in [("sub", "repo:*"), ("sub", "repo:/*"), ("repository", "/*"), ("ref", "refs/heads/main")] {
            assert!(!rule(&[stranger]).names_owner(&owners), "{stranger:?}");
        }
    }

    #[test]
    fn rules_that_would_let_in_strangers_are_refused() {
        assert_eq!(rule(&[("repository", "org/*")]).check(), Ok(()));
        for strange in [
            &[][..],
            &[("repository", "*")],
            &[("repository", "")],
            &[("repository", "o*g/x")],
            &[("repository", "org*")],
            &[("repository", "org-*")],
            &[("job_workflow_ref", "org*")],
            &[("kubernetes.io.namespace", "ml*")],
        ] {
            assert!(rule(strange).check().is_err(), "{strange:?}");
        }
    }
}
