//! People whom somebody else knows: what a directory or an identity provider says of them, and what its groups mean here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::pin::Pin;

use sealyard_core::Redacted;

/// Who somebody is at a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// What the provider never gives to somebody else.
    pub subject: String,
    /// The name there, in lower case.
    pub name: String,
    /// Groups of this server that the provider's groups stand for.
    pub groups: Vec<String>,
    /// Whether a group of theirs makes them an administrator.
    pub administrator: bool,
}

/// Why a directory let nobody in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// It says no.
    #[error("{0}")]
    Refused(String),
    /// It says nothing that can be used; nothing is known of the password.
    #[error("{0}")]
    Unavailable(String),
}

/// An answer that takes a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Somewhere that passwords can be checked.
pub trait PasswordDirectory: Debug + Send + Sync {
    /// What the operator calls it.
    fn name(&self) -> &str;

    /// Whose name and password these are.
    fn check<'a>(
        &'a self,
        name: &'a str,
        password: &'a Redacted<String>,
    ) -> Answer<'a, Result<DirectoryPerson, DirectoryError>>;

    /// Takes as long as a check of somebody unknown, and tells the directory nothing.
    fn pretend(&self) -> Answer<'_, ()>;
}

/// What a provider's groups stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupMap {
    groups: BTreeMap<String, Vec<String>>,
    administrators: BTreeSet<String>,
}

impl GroupMap {
    /// From a provider's groups to ours; and those of its groups whose members are administrators. Case does not matter in
    /// the provider's names: directories don't tell it apart.
    #[must_use]
    pub fn new(groups: BTreeMap<String, Vec<String>>, administrators: Vec<String>) -> Self {
        let mut lower: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (theirs, ours) in groups {
            lower.entry(theirs.to_lowercase()).or_default().extend(ours);
        }
        Self { groups: lower, administrators: administrators.iter().map(|name| name.to_lowercase()).collect() }
    }

    /// Whether it names any group; if not, the provider's names are ours.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Our groups for theirs, each once, and whether one makes an administrator. What a map does not name is nothing; without
    /// a map they keep their names.
    #[must_use]
    pub fn apply<'a>(&self, theirs: impl IntoIterator<Item = &'a str>) -> (Vec<String>, bool) {
        let (mut ours, mut administrator) = (BTreeSet::new(), false);
        for theirs in theirs {
            let name = theirs.to_lowercase();
            administrator |= self.administrators.contains(&name);
            if self.groups.is_empty() {
                ours.insert(theirs.to_owned());
            }
            ours.extend(self.groups.get(&name).into_iter().flatten().cloned());
        }
        (ours.into_iter().collect(), administrator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_named_is_given() {
        let groups = BTreeMap::from([
            ("ML".to_owned(), vec!["trainers".to_owned(), "readers".to_owned()]),
            ("cn=ops,dc=x".to_owned(), vec!["readers".to_owned()]),
        ]);
        let map = GroupMap::new(groups, vec!["Root".to_owned()]);
        assert_eq!(
            map.apply(["ml", "CN=ops,DC=x", "other"]),
            (vec!["readers".to_owned(), "trainers".to_owned()], false)
        );
        assert_eq!(map.apply(["root"]), (vec![], true));
        assert_eq!(map.apply([]), (vec![], false));
        assert_eq!(GroupMap::default().apply(["ML"]), (vec!["ML".to_owned()], false));
    }
}
