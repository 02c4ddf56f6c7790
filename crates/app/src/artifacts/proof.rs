use sealyard_identity::{Action, Administer, Authorized, ExperimentId, Principal, ServerWide};

/// That somebody may touch an owner's files.
#[derive(Debug)]
pub enum ArtifactProof<'p, A> {
    /// `A` on the experiment that the owner is in.
    Of(&'p Authorized<A, ExperimentId>),
    /// What lies loose is nobody's, and no grant speaks of it: only administrators may.
    Loose(&'p Authorized<Administer, ServerWide>),
}

impl<A> Clone for ArtifactProof<'_, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<A> Copy for ArtifactProof<'_, A> {}

impl<'p, A> From<&'p Authorized<A, ExperimentId>> for ArtifactProof<'p, A> {
    fn from(authorized: &'p Authorized<A, ExperimentId>) -> Self {
        Self::Of(authorized)
    }
}

impl<'p, A> From<&'p Authorized<Administer, ServerWide>> for ArtifactProof<'p, A> {
    fn from(authorized: &'p Authorized<Administer, ServerWide>) -> Self {
        Self::Loose(authorized)
    }
}

impl<'p, A: Action> ArtifactProof<'p, A> {
    pub(super) fn principal(self) -> &'p Principal {
        match self {
            Self::Of(authorized) => authorized.principal(),
            Self::Loose(authorized) => authorized.principal(),
        }
    }
}
