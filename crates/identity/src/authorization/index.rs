use std::collections::{BTreeSet, HashMap};

use crate::grant::{Grant, Grantee, IdPattern};
use crate::resource::{Resource, ResourceKind, WorkspaceName};

/// A grantee's place among all that have grants, in their order: comparing and finding it costs nothing.
pub(super) type GranteeNumber = u32;

/// The grants on one pattern: who for, and at which position; ordered.
type Node = Vec<(GranteeNumber, usize)>;

/// Where grants lie by id: a few look-ups find all that speak of a resource, however many there are.
#[derive(Debug, Default)]
struct ByKind {
    exact: HashMap<String, Node>,
    prefixes: HashMap<String, Node>,
    /// The lengths that prefixes have; only these are looked up.
    lengths: BTreeSet<usize>,
    /// Who has any of these grants; ordered.
    known: Vec<GranteeNumber>,
}

/// Positions of grants by what they speak of, and there by who they are for. So the id is looked up once, and not once for each
/// group and role of who asks.
#[derive(Debug, Default)]
pub(super) struct Index {
    grantees: HashMap<Grantee, GranteeNumber>,
    workspaces: HashMap<WorkspaceName, HashMap<ResourceKind, ByKind>>,
    /// Who has any grant in a workspace; ordered.
    known: HashMap<WorkspaceName, Vec<GranteeNumber>>,
}

impl Index {
    pub(super) fn new(grants: &[Grant]) -> Self {
        let mut index = Self::default();
        let all: BTreeSet<&Grantee> = grants.iter().map(|grant| &grant.grantee).collect();
        index.grantees = all.into_iter().cloned().zip(0..).collect();
        for (position, grant) in grants.iter().enumerate() {
            let Some(&number) = index.grantees.get(&grant.grantee) else { continue };
            let workspace = grant.pattern.workspace();
            index.known.entry(workspace.clone()).or_default().push(number);
            let kinds = index.workspaces.entry(workspace.clone()).or_default();
            let by_kind = kinds.entry(grant.pattern.kind()).or_default();
            by_kind.known.push(number);
            let node = match grant.pattern.id() {
                IdPattern::Exact(id) => by_kind.exact.entry(id.clone()).or_default(),
                IdPattern::Prefix(prefix) => {
                    by_kind.lengths.insert(prefix.len());
                    by_kind.prefixes.entry(prefix.clone()).or_default()
                }
            };
            node.push((number, position));
        }
        index.put_in_order();
        index
    }

    fn put_in_order(&mut self) {
        #[allow(clippy::iter_over_hash_type, reason = "each is sorted by itself")]
        for by_kind in self.workspaces.values_mut().flat_map(HashMap::values_mut) {
            for node in by_kind.exact.values_mut().chain(by_kind.prefixes.values_mut()) {
                node.sort_unstable();
            }
            by_kind.known.sort_unstable();
            by_kind.known.dedup();
        }
        #[allow(clippy::iter_over_hash_type, reason = "each is sorted by itself")]
        for known in self.known.values_mut() {
            known.sort_unstable();
            known.dedup();
        }
    }

    /// The number of `grantee`; `None` when no grant is for it.
    pub(super) fn number(&self, grantee: &Grantee) -> Option<GranteeNumber> {
        self.grantees.get(grantee).copied()
    }

    /// Whether any of `who`, which are in order, has a grant on something in `workspace`.
    pub(super) fn knows(&self, who: &[GranteeNumber], workspace: &WorkspaceName) -> bool {
        let known = self.known.get(workspace).map(Vec::as_slice).unwrap_or_default();
        who.iter().any(|number| known.binary_search(number).is_ok())
    }

    /// Whether any of `who`, which are in order, has a grant that speaks of such things of `workspace` by this kind.
    pub(super) fn knows_kind(&self, who: &[GranteeNumber], workspace: &WorkspaceName, kind: ResourceKind) -> bool {
        let by_kind = self.workspaces.get(workspace).and_then(|kinds| kinds.get(&kind));
        by_kind.is_some_and(|by_kind| who.iter().any(|number| by_kind.known.binary_search(number).is_ok()))
    }

    /// Tells `take` of each grant for one of `who`, which are in order, that speaks of `resource` of `workspace`, until it
    /// has heard enough.
    pub(super) fn find(
        &self,
        who: &[GranteeNumber],
        workspace: &WorkspaceName,
        resource: &Resource,
        take: &mut dyn FnMut(GranteeNumber, usize) -> Heard,
    ) {
        let id = resource.id();
        let kind = resource.kind();
        let everywhere = WorkspaceName::default();
        let workspace = if kind.is_in_workspace() { workspace } else { &everywhere };
        let Some(kinds) = self.workspaces.get(workspace) else { return };
        for by_kind in kind.spoken_of_by().iter().filter_map(|kind| kinds.get(kind)) {
            let prefixes = by_kind.lengths.range(..=id.len());
            let prefixes = prefixes.filter_map(|&length| by_kind.prefixes.get(id.get(..length)?));
            for node in by_kind.exact.get(id).into_iter().chain(prefixes) {
                if both(node, who, take) == Heard::Enough {
                    return;
                }
            }
        }
    }
}

/// Whether more is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    More,
    Enough,
}

/// What is in both, by going through the shorter one and leaping in the longer one.
fn both(
    mut node: &[(GranteeNumber, usize)],
    mut who: &[GranteeNumber],
    take: &mut dyn FnMut(GranteeNumber, usize) -> Heard,
) -> Heard {
    while let (Some((first, rest)), Some((wanted, others))) = (node.split_first(), who.split_first()) {
        match first.0.cmp(wanted) {
            std::cmp::Ordering::Equal => {
                if take(first.0, first.1) == Heard::Enough {
                    return Heard::Enough;
                }
                node = rest;
            }
            std::cmp::Ordering::Less => node = leap(rest, |entry| entry.0 < *wanted),
            std::cmp::Ordering::Greater => who = leap(others, |number| *number < first.0),
        }
    }
    Heard::More
}

/// What is left behind all for which `is_before`, which are in front: looked for in steps that double, so that a near one is
/// found at once and a far one in few steps.
fn leap<T>(list: &[T], is_before: impl Fn(&T) -> bool) -> &[T] {
    let mut step = 1;
    while list.get(step - 1).is_some_and(&is_before) {
        step *= 2;
    }
    let (from, to) = (step / 2, step.min(list.len()));
    let within = list.get(from..to).unwrap_or_default().partition_point(is_before);
    list.get(from + within..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against looking at each pair.
    #[test]
    fn what_is_in_both_is_found_whatever_their_lengths() {
        let lists = |seed: u32| {
            let of = |step: u32, from: u32, count: u32| (0..count).map(move |n| from + n * step);
            let node: Vec<_> = of(1 + seed % 7, seed % 5, seed * 3 % 60)
                .flat_map(|number| [(number, number as usize), (number, 1000 + number as usize)])
                .collect();
            let who: Vec<_> = of(1 + seed % 11, seed % 13, seed * 5 % 70).collect();
            (node, who)
        };
        let mut some = 0;
        for seed in 0..500 {
            let (node, who) = lists(seed);
            let expected: Vec<_> = node.iter().copied().filter(|(number, _)| who.contains(number)).collect();
            let mut found = Vec::new();
            let heard = both(&node, &who, &mut |number, position| {
                found.push((number, position));
                Heard::More
            });
            assert_eq!((&found, heard), (&expected, Heard::More), "{seed}");
            some += expected.len();
        }
        assert!(some > 1000);
    }
}
