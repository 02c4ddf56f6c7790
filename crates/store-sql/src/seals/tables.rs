/// A table whose rows decide something, and are sealed for it.
#[derive(Debug)]
pub(crate) struct SealedTable {
    pub(crate) name: &'static str,
    /// What the seal is of, in this order for ever.
    pub(crate) columns: &'static [&'static str],
    /// How a row is named: so many of the columns, from the first on.
    pub(crate) key: usize,
}

impl SealedTable {
    /// The sealed columns and the seal, for a statement where the table is called `alias`.
    pub(crate) fn list(&self, alias: &str) -> String {
        let of = |column: &&str| format!("{alias}.{column}");
        let columns: Vec<String> = self.columns.iter().chain(&["seal"]).map(of).collect();
        columns.join(", ")
    }

    /// How many columns [`Self::list`] has.
    pub(crate) const fn width(&self) -> usize {
        self.columns.len() + 1
    }

    /// The condition that `?1`, `?2`, … name a row.
    pub(crate) fn condition(&self) -> String {
        let named = self.columns.iter().take(self.key).enumerate();
        named.map(|(index, column)| format!("{column} = ?{}", index + 1)).collect::<Vec<_>>().join(" AND ")
    }
}

pub(crate) static USERS: SealedTable = SealedTable {
    name: "users",
    columns: &["number", "name", "password", "admin", "created", "kind", "disabled"],
    key: 1,
};
pub(crate) static TOKENS: SealedTable = SealedTable {
    name: "tokens",
    columns: &["id", "\"user\"", "hash", "scopes", "created", "expires", "revoked"],
    key: 1,
};
pub(crate) static SESSIONS: SealedTable = SealedTable {
    name: "sessions",
    columns: &["id", "\"user\"", "hash", "created", "expires", "provider", "external"],
    key: 1,
};
pub(crate) static GRANTS: SealedTable =
    SealedTable { name: "grants", columns: &["grantee", "pattern", "slot", "permission"], key: 3 };
pub(crate) static ROLES: SealedTable = SealedTable { name: "roles", columns: &["number", "workspace", "name"], key: 1 };
pub(crate) static ROLE_PERMISSIONS: SealedTable = SealedTable {
    name: "role_permissions",
    columns: &["number", "role", "resource_type", "resource_pattern", "permission"],
    key: 1,
};
pub(crate) static ROLE_MEMBERS: SealedTable =
    SealedTable { name: "role_members", columns: &["number", "member", "role"], key: 1 };
pub(crate) static GROUPS: SealedTable = SealedTable { name: "groups", columns: &["number", "source", "name"], key: 1 };
pub(crate) static GROUP_MEMBERS: SealedTable =
    SealedTable { name: "group_members", columns: &["group_number", "member"], key: 2 };
pub(crate) static GROUP_ROLES: SealedTable =
    SealedTable { name: "group_roles", columns: &["group_number", "role", "declared"], key: 3 };
pub(crate) static EXTERNAL_IDENTITIES: SealedTable =
    SealedTable { name: "external_identities", columns: &["provider", "subject", "member"], key: 2 };
pub(crate) static MODEL_VERSIONS: SealedTable = SealedTable {
    name: "model_versions",
    columns: &[
        "number",
        "model",
        "version",
        "source",
        "run_id",
        "model_id",
        "experiment",
        "status",
        "stage",
        "created_by",
        "tree",
        "verdict",
        "published",
        "location",
    ],
    key: 1,
};
pub(crate) static ALIASES: SealedTable =
    SealedTable { name: "aliases", columns: &["model", "alias", "version"], key: 2 };
pub(crate) static EVIDENCE: SealedTable = SealedTable {
    name: "evidence",
    columns: &["number", "digest", "subject", "predicate_type", "bundle", "added_by"],
    key: 1,
};

/// Every one of them.
pub(crate) static ALL_SEALED: [&SealedTable; 14] = [
    &USERS,
    &TOKENS,
    &SESSIONS,
    &GRANTS,
    &ROLES,
    &ROLE_PERMISSIONS,
    &ROLE_MEMBERS,
    &GROUPS,
    &GROUP_MEMBERS,
    &GROUP_ROLES,
    &EXTERNAL_IDENTITIES,
    &MODEL_VERSIONS,
    &ALIASES,
    &EVIDENCE,
];
