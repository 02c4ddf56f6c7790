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
            // `org*` would also mean the repositories of `org-evil`.
            let ends = literal.ends_with(['/', ':', '-', '.', '_', '@']);
            let names_owner = matches!(claim.as_str(), "repository" | "repository_owner" | "sub");
            if pattern.ends_with('*') && names_owner && !ends {
                return Err(format!(
                    "{claim}: {pattern:?} also means names that only begin alike; end it before a `*` with `/` or `:`"
                ));
            }
        }
        Ok(())
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
    fn rules_that_would_let_in_strangers_are_refused() {
        assert_eq!(rule(&[("repository", "org/*")]).check(), Ok(()));
        for strange in [
            &[][..],
            &[("repository", "*")],
            &[("repository", "")],
            &[("repository", "o*g/x")],
            &[("repository", "org*")],
        ] {
            assert!(rule(strange).check().is_err(), "{strange:?}");
        }
    }
}
