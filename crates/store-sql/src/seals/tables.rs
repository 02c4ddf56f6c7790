/// A table whose rows decide something, and are sealed for it.
#[derive(Debug)]
pub(crate) struct SealedTable {
    pub(crate) name: &'static str,
    /// What the seal is of, in this order for ever.
    pub(crate) columns: &'static [&'static str],
    /// How a row is named: so many of the columns, from the first on.
    pub(crate) key: usize,
    /// The form of the catalog from which on its rows are sealed like this.
    pub(crate) since: u32,
    /// How many of the columns the seal was of before that; 0 where it had none.
    pub(crate) before: usize,
    /// Which of its rows are sealed, where not all are.
    pub(crate) only: Option<&'static str>,
    /// Whether its rows are few, and it is known which there are; else there is one for each file.
    pub(crate) counted: bool,
    /// Whether nothing of it is taken or changed while its set is not right. Of the others that is told alone.
    pub(crate) shut: bool,
}

impl SealedTable {
    const fn new(name: &'static str, columns: &'static [&'static str], key: usize) -> Self {
        Self { name, columns, key, since: 1, before: 0, only: None, counted: true, shut: false }
    }

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

    /// The columns that name a row.
    pub(crate) fn keys(&self) -> String {
        self.columns.iter().take(self.key).copied().collect::<Vec<_>>().join(", ")
    }
}

pub(crate) static USERS: SealedTable =
    SealedTable::new("users", &["number", "name", "password", "admin", "created", "kind", "disabled"], 1);
pub(crate) static TOKENS: SealedTable =
    SealedTable::new("tokens", &["id", "\"user\"", "hash", "scopes", "created", "expires", "revoked"], 1);
pub(crate) static SESSIONS: SealedTable =
    SealedTable::new("sessions", &["id", "\"user\"", "hash", "created", "expires", "provider", "external"], 1);
pub(crate) static GRANTS: SealedTable = SealedTable::new("grants", &["grantee", "pattern", "slot", "permission"], 3);
pub(crate) static ROLES: SealedTable = SealedTable::new("roles", &["number", "workspace", "name"], 1);
pub(crate) static ROLE_PERMISSIONS: SealedTable =
    SealedTable::new("role_permissions", &["number", "role", "resource_type", "resource_pattern", "permission"], 1);
pub(crate) static ROLE_MEMBERS: SealedTable = SealedTable::new("role_members", &["number", "member", "role"], 1);
pub(crate) static GROUPS: SealedTable = SealedTable::new("groups", &["number", "source", "name"], 1);
pub(crate) static GROUP_MEMBERS: SealedTable = SealedTable::new("group_members", &["group_number", "member"], 2);
pub(crate) static GROUP_ROLES: SealedTable = SealedTable::new("group_roles", &["group_number", "role", "declared"], 3);
pub(crate) static EXTERNAL_IDENTITIES: SealedTable =
    SealedTable::new("external_identities", &["provider", "subject", "member"], 2);
pub(crate) static MODEL_VERSIONS: SealedTable = SealedTable::new(
    "model_versions",
    &[
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
    1,
);
pub(crate) static ALIASES: SealedTable = SealedTable::new("aliases", &["model", "alias", "version"], 2);
pub(crate) static EVIDENCE: SealedTable = SealedTable {
    since: 2,
    before: 6,
    ..SealedTable::new(
        "evidence",
        &["number", "digest", "subject", "predicate_type", "bundle", "added_by", "workspace"],
        1,
    )
};
/// What a model is called decides which version is given out for it. A number of a version never comes to mean another one.
pub(crate) static REGISTERED_MODELS: SealedTable = SealedTable {
    since: 2,
    ..SealedTable::new("registered_models", &["number", "key", "name", "workspace", "created_by", "last_version"], 1)
};
/// The default one is not among them: its number and its name are fixed.
pub(crate) static WORKSPACES: SealedTable =
    SealedTable { since: 2, only: Some("number <> 0"), ..SealedTable::new("workspaces", &["number", "name"], 1) };
pub(crate) static SECOND_FACTORS: SealedTable = SealedTable {
    since: 2,
    ..SealedTable::new("second_factors", &["member", "id", "secret", "confirmed", "used_step"], 1)
};
pub(crate) static RECOVERY_CODES: SealedTable =
    SealedTable { since: 2, ..SealedTable::new("recovery_codes", &["member", "hash"], 2) };
/// A key that was destroyed must not come back by its old row: it is counted, and none is taken in while the set is not right.
pub(crate) static WORKSPACE_KEYS: SealedTable =
    SealedTable { since: 3, shut: true, ..SealedTable::new("workspace_keys", &["workspace", "id", "sealed"], 1) };
/// Whose bytes are whose: without this, a row that names another object has the server decrypt that for whoever may read this.
pub(crate) static ARTIFACTS: SealedTable = SealedTable {
    since: 2,
    counted: false,
    ..SealedTable::new(
        "artifacts",
        &["owner_kind", "owner", "path", "object", "digest", "size", "verdict", "created_by"],
        3,
    )
};
pub(crate) static VERSION_FILES: SealedTable = SealedTable {
    since: 2,
    counted: false,
    ..SealedTable::new("version_files", &["version", "path", "object", "digest", "size", "executable"], 2)
};
pub(crate) static SHARED_OBJECTS: SealedTable = SealedTable {
    since: 2,
    only: Some("state = 'shared'"),
    counted: false,
    ..SealedTable::new("stored_objects", &["object", "bytes"], 1)
};

/// Every one of them.
pub(crate) static ALL_SEALED: [&SealedTable; 22] = [
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
    &REGISTERED_MODELS,
    &WORKSPACES,
    &SECOND_FACTORS,
    &RECOVERY_CODES,
    &WORKSPACE_KEYS,
    &ARTIFACTS,
    &VERSION_FILES,
    &SHARED_OBJECTS,
];
