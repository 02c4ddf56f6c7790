use std::collections::{BTreeSet, HashMap};

use crate::grant::{Grant, Grantee, IdPattern};
use crate::resource::{Resource, ResourceKind, WorkspaceName};

/// Where grants lie by id: a few look-ups find all that speak of a resource, however many there are.
#[derive(Debug, Default)]
struct ByKind {
    exact: HashMap<String, Vec<usize>>,
    prefixes: HashMap<String, Vec<usize>>,
    /// The lengths that prefixes have; only these are looked up.
    lengths: BTreeSet<usize>,
}

/// Positions of grants by who they are for and what they speak of.
#[derive(Debug, Default)]
pub(super) struct Index(HashMap<Grantee, HashMap<WorkspaceName, HashMap<ResourceKind, ByKind>>>);

impl Index {
    pub(super) fn new(grants: &[Grant]) -> Self {
        let mut index = Self::default();
        for (position, grant) in grants.iter().enumerate() {
            let workspaces = index.0.entry(grant.grantee.clone()).or_default();
            let kinds = workspaces.entry(grant.pattern.workspace().clone()).or_default();
            let by_kind = kinds.entry(grant.pattern.kind()).or_default();
            match grant.pattern.id() {
                IdPattern::Exact(id) => by_kind.exact.entry(id.clone()).or_default().push(position),
                IdPattern::Prefix(prefix) => {
                    by_kind.lengths.insert(prefix.len());
                    by_kind.prefixes.entry(prefix.clone()).or_default().push(position);
                }
            }
        }
        index
    }

    /// Whether `grantee` has any grant on something in `workspace`.
    pub(super) fn knows(&self, grantee: &Grantee, workspace: &WorkspaceName) -> bool {
        self.0.get(grantee).is_some_and(|workspaces| workspaces.contains_key(workspace))
    }

    /// Whether `grantee` has any grant that speaks of such things of `workspace` by this kind.
    pub(super) fn knows_kind(&self, grantee: &Grantee, workspace: &WorkspaceName, kind: ResourceKind) -> bool {
        let kinds = self.0.get(grantee).and_then(|workspaces| workspaces.get(workspace));
        kinds.is_some_and(|kinds| kinds.contains_key(&kind))
    }

    /// The positions of all grants for `grantee` that speak of `resource` of `workspace`.
    pub(super) fn find<'a>(
        &'a self,
        grantee: &Grantee,
        workspace: &WorkspaceName,
        resource: &'a Resource,
    ) -> impl Iterator<Item = usize> + 'a {
        let id = resource.id();
        let kind = resource.kind();
        let everywhere = WorkspaceName::default();
        let workspace = if kind.is_in_workspace() { workspace } else { &everywhere };
        let kinds = self.0.get(grantee).and_then(|workspaces| workspaces.get(workspace));
        let speaking =
            kinds.into_iter().flat_map(move |kinds| kind.spoken_of_by().iter().filter_map(|kind| kinds.get(kind)));
        speaking.flat_map(move |grants| {
            let lengths = grants.lengths.range(..=id.len());
            let prefixes = lengths.filter_map(move |&length| grants.prefixes.get(id.get(..length)?));
            grants.exact.get(id).into_iter().chain(prefixes).flatten().copied()
        })
    }
}
