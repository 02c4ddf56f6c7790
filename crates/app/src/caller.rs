use std::net::IpAddr;

use sealyard_identity::Principal;

/// Who is asking, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who, proved; `None` only for the server itself.
    principal: Option<Principal>,
    /// The address the request came from.
    pub source: Option<IpAddr>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl Caller {
    pub(crate) const fn new(principal: Principal, source: Option<IpAddr>, request_id: Option<String>) -> Self {
        Self { principal: Some(principal), source, request_id }
    }

    /// The server itself, for what it does unasked. It is authorized for nothing.
    #[must_use]
    pub const fn system() -> Self {
        Self { principal: None, source: None, request_id: None }
    }

    /// The principal.
    #[must_use]
    pub const fn principal(&self) -> Option<&Principal> {
        self.principal.as_ref()
    }

    /// The name that stands in the ledger.
    #[must_use]
    pub fn actor(&self) -> &str {
        self.principal.as_ref().map_or("system", |principal| principal.name.as_str())
    }
}
