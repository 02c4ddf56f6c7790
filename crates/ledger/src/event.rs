use sealyard_core::{Digest, Timestamp};
use serde::{Deserialize, Serialize};

/// Something security-relevant that happened: who did what, from where, with which result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, by the server's clock.
    pub time: Timestamp,
    /// Name of the authenticated principal; `anonymous` before a log in, `system` for the server itself.
    pub actor: String,
    /// Address the request came from, if there was one. It is [kept apart](crate::personal) from the log; entries of before
    /// that have it in them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The request's id, which the response carried too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The workspace it was done in, where that is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_workspace: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// What was done, to what.
    #[serde(flatten)]
    pub act: Act,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// A gate, the authorizer or a check said no.
    Refused,
    /// It broke.
    Failed,
}

/// What was done. The tag `act` names it in the stored entry; names are never reused for something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the names are the field's own and stand in every entry")]
pub enum Act {
    ServerStarted {
        version: String,
    },
    /// From here to the next start everybody who reached the server was its administrator.
    AuthenticationDisabled {},
    LoggedIn {
        method: String,
    },
    LoginFailed {
        /// What was typed. The log has it only where an account has that name; anything else may be a password.
        #[serde(default)]
        name: String,
        reason: String,
    },
    AccessDenied {
        action: String,
        resource: String,
        rule: String,
    },
    /// Refusals beyond those that have entries of their own: `count` of one kind since `since`, all of the same actor.
    RefusalsCounted {
        /// The act of an entry of its own, such as `access-denied`.
        of: String,
        action: String,
        resource_kind: String,
        rule: String,
        count: u64,
        since: Timestamp,
    },
    UserCreated {
        name: String,
        admin: bool,
    },
    UserUpdated {
        name: String,
        change: String,
    },
    UserDeleted {
        name: String,
    },
    /// A provider's subject is this user from here on.
    IdentityLinked {
        user: String,
        provider: String,
    },
    IdentityUnlinked {
        user: String,
        provider: String,
    },
    GroupCreated {
        id: i64,
        name: String,
    },
    GroupUpdated {
        id: i64,
        change: String,
    },
    GroupDeleted {
        id: i64,
        name: String,
    },
    /// A row that decides something is not as the server wrote it. It decides nothing any more.
    CatalogDamaged {
        table: String,
        row: String,
    },
    /// The deployment was examined.
    Examined {
        pass: usize,
        fail: usize,
        not_assessed: usize,
    },
    /// What the settings say was made so at a start, and was otherwise before.
    SettingsApplied {
        what: String,
    },
    TokenCreated {
        id: String,
        owner: String,
        scopes: Vec<String>,
        expires: Option<Timestamp>,
    },
    TokenRevoked {
        id: String,
    },
    GrantSet {
        principal: String,
        resource: String,
        permission: String,
    },
    GrantRemoved {
        principal: String,
        resource: String,
    },
    ExperimentCreated {
        id: String,
        name: String,
    },
    ExperimentRenamed {
        id: String,
        name: String,
    },
    ExperimentRestored {
        id: String,
    },
    ExperimentDeleted {
        id: String,
    },
    RunCreated {
        id: String,
        experiment: String,
    },
    RunEnded {
        id: String,
        status: String,
    },
    RunRestored {
        id: String,
    },
    RunDeleted {
        id: String,
    },
    ArtifactUploaded {
        path: String,
        digest: Digest,
        size: u64,
        verdict: String,
    },
    ArtifactRefused {
        path: String,
        digest: Option<Digest>,
        rule: String,
        reason: String,
    },
    ArtifactDeleted {
        path: String,
    },
    /// The first of somebody's reads of a run, model or version within an hour.
    ArtifactRead {
        resource: String,
        path: String,
        bytes: u64,
    },
    /// Further reads within that hour.
    ArtifactReadsCounted {
        resource: String,
        reads: u64,
        bytes: u64,
        since: Timestamp,
    },
    UploadBegun {
        path: String,
        parts: u32,
    },
    UploadAborted {
        path: String,
    },
    ObjectsCollected {
        removed: u64,
        bytes: u64,
    },
    LoggedModelCreated {
        model_id: String,
        experiment: String,
    },
    LoggedModelDeleted {
        model_id: String,
    },
    /// A logged model that has no files.
    ModelFinalisedEmpty {
        model_id: String,
    },
    ModelFinalised {
        model_id: String,
        digest: Digest,
        verdict: String,
    },
    RegisteredModelCreated {
        name: String,
    },
    RegisteredModelRenamed {
        name: String,
        to: String,
    },
    RegisteredModelDeleted {
        name: String,
    },
    VersionCreated {
        name: String,
        version: u32,
        digest: Digest,
        verdict: String,
    },
    /// A version without files: a prompt, or a note of a model that is kept elsewhere.
    VersionRecorded {
        name: String,
        version: u32,
        version_source: String,
    },
    VersionRefused {
        name: String,
        version_source: String,
        rule: String,
        reason: String,
    },
    VersionUpdated {
        name: String,
        version: u32,
        change: String,
    },
    EvidenceAdded {
        subject: Digest,
        evidence: Digest,
        predicate_type: String,
    },
    GateDecided {
        stage: String,
        subject: Digest,
        resource: String,
        allowed: bool,
        refused_by: Vec<String>,
        policy: Digest,
    },
    Published {
        name: String,
        version: u32,
        digest: Digest,
        attestation: Digest,
    },
    Deployed {
        name: String,
        version: u32,
        digest: Digest,
        environment: String,
        attestation: Digest,
    },
    /// Somebody went on although a gate's rules were not content.
    GlassBroken {
        /// Always `high`.
        severity: String,
        what: String,
        resource: String,
        reason: String,
        /// The rules that were not content.
        overruled: Vec<String>,
    },
    AliasSet {
        name: String,
        alias: String,
        version: u32,
    },
    AliasDeleted {
        name: String,
        alias: String,
    },
    ArtifactUnreadable {
        path: String,
        rule: String,
    },
    WebhookCreated {
        id: String,
        name: String,
        origin: String,
        events: Vec<String>,
    },
    WebhookUpdated {
        id: String,
        change: String,
    },
    WebhookDeleted {
        id: String,
    },
    WebhookTested {
        id: String,
        event: String,
    },
    /// The vault's first key, and what protects it.
    VaultKeyCreated {
        key: String,
        master: String,
    },
    /// `key` wraps from now on.
    VaultKeyRotated {
        key: String,
        previous: String,
    },
    /// The vault's keys are protected by another master key.
    VaultMasterChanged {
        master: String,
        previous: String,
    },
    /// `what` is `rewrap` or `reencrypt`.
    VaultWorkBegun {
        what: String,
        key: String,
    },
    VaultWorkEnded {
        what: String,
        key: String,
        changed: u64,
        failed: u64,
    },
    WorkspaceKeyCreated {
        workspace: String,
        key: String,
    },
    /// What was under it can't be read any more, by nobody.
    WorkspaceKeyDestroyed {
        workspace: String,
        key: String,
    },
    /// A copy of everything begins to leave the server, encrypted to `recipients`.
    BackupBegun {
        backup: String,
        recipients: Vec<String>,
    },
    BackupMade {
        backup: String,
        objects: u64,
        missing: u64,
    },
    /// The server's state is that of a backup; `forced` when it was known to be older than another. `damaged` are the first of
    /// what it lacks because it was damaged, `damaged_count` is how many they are.
    BackupRestored {
        backup: String,
        forced: bool,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        damaged: Vec<String>,
        #[serde(default)]
        damaged_count: u64,
    },
    WorkspaceCreated {
        name: String,
    },
    WorkspaceUpdated {
        name: String,
    },
    /// `mode` is `restrict`, `cascade` or `set-default`.
    WorkspaceDeleted {
        name: String,
        mode: String,
    },
    RoleCreated {
        id: i64,
        workspace: String,
        name: String,
    },
    RoleUpdated {
        id: i64,
        change: String,
    },
    RoleDeleted {
        id: i64,
        name: String,
    },
    RoleAssigned {
        id: i64,
        user: String,
    },
    RoleUnassigned {
        id: i64,
        user: String,
    },
    SessionStarted {
        session: String,
        expires: Timestamp,
    },
    SessionEnded {
        session: String,
        reason: String,
    },
    TracesDeleted {
        experiment: String,
        traces: u64,
    },
    TracesLinked {
        run: String,
        traces: u64,
    },
    EvaluationDatasetCreated {
        dataset: String,
        name: String,
        experiments: Vec<String>,
    },
    EvaluationDatasetChanged {
        dataset: String,
        change: String,
    },
    EvaluationDatasetDeleted {
        dataset: String,
    },
    ScorerRegistered {
        experiment: String,
        name: String,
        version: u32,
    },
    ScorerDeleted {
        experiment: String,
        name: String,
        version: Option<u32>,
    },
    OnlineScoringSet {
        experiment: String,
        scorer: String,
        /// Of a million traces.
        sampled: u32,
    },
    GatewaySecretCreated {
        id: String,
        name: String,
        provider: Option<String>,
    },
    GatewaySecretUpdated {
        id: String,
        change: String,
    },
    GatewaySecretDeleted {
        id: String,
    },
    GatewayModelDefinitionCreated {
        id: String,
        name: String,
        secret: String,
    },
    GatewayModelDefinitionUpdated {
        id: String,
        change: String,
        /// The secret that it uses now, where that changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    GatewayModelDefinitionDeleted {
        id: String,
    },
    GatewayEndpointCreated {
        id: String,
        name: String,
        definitions: Vec<String>,
    },
    GatewayEndpointUpdated {
        id: String,
        change: String,
        /// The model definitions that it uses now, where they changed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        definitions: Vec<String>,
    },
    GatewayEndpointDeleted {
        id: String,
    },
    GatewayEndpointBound {
        id: String,
        resource_type: String,
        resource: String,
    },
    GatewayEndpointUnbound {
        id: String,
        resource_type: String,
        resource: String,
    },
    /// What makes the ledger quick to search was thrown away, to be made anew out of the entries.
    LedgerReindexed {},
    /// The server was started with other settings than the last time: digests of both, and the names of what differs.
    ConfigurationChanged {
        configuration: Digest,
        before: Option<Digest>,
        changed: Vec<String>,
    },
    /// One of the server's own keys signed a statement: `of` is `gate` or `scanner`, `evidence` what was signed.
    KeyUsed {
        key: String,
        of: String,
        subject: Digest,
        evidence: Digest,
        predicate_type: String,
    },
    /// From entry `next` on, entries are sent to `to`.
    LedgerExportBegun {
        export: String,
        to: String,
        next: u64,
    },
    /// Entries could not be sent on for minutes, from `next` on.
    LedgerExportStalled {
        export: String,
        next: u64,
        reason: String,
    },
    /// Entries were taken out by hand.
    LedgerExported {
        from: u64,
        to: Option<u64>,
    },
    /// What entries before `before` had of persons (of one actor, or of all) was erased: of `count` of them.
    PersonalErased {
        of: Option<String>,
        before: Timestamp,
        count: u64,
    },
    /// A witness stands at so many entries, and this log was never there.
    WitnessRefused {
        witness: String,
        stands_at: u64,
    },
    /// The server was told to go on although its log is behind the checkpoint that was kept beside the keys, or another.
    LedgerRollbackAccepted {
        kept_size: u64,
        size: u64,
    },
}

impl Event {
    /// The bytes that the log holds and hashes: one JSON object. They are stored as they are and never made again.
    ///
    /// # Errors
    /// Never with the types above; serde's error is passed on rather than hidden.
    pub fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An act's fields stand beside the event's own; a shared name would make two keys of one object.
    #[test]
    fn an_event_with_everything_reads_back() {
        let text = || "x".to_owned();
        let event = Event {
            time: Timestamp::from_millis(1),
            actor: text(),
            source: Some(text()),
            request_id: Some(text()),
            in_workspace: None,
            outcome: Outcome::Refused,
            act: Act::VersionRefused { name: text(), version_source: text(), rule: text(), reason: text() },
        };
        let bytes = event.to_bytes().unwrap();
        assert_eq!(serde_json::from_slice::<Event>(&bytes).unwrap(), event);
    }

    #[test]
    fn no_act_takes_a_name_of_the_event() {
        let own = ["time", "actor", "source", "request_id", "in_workspace", "outcome", "act"];
        let acts = include_str!("event.rs").split("pub enum Act {").nth(1).unwrap();
        let acts = acts.split("impl Event").next().unwrap();
        let fields = acts.split([',', '{', '}']).filter_map(|part| part.split_once(':')).map(|(name, _)| name.trim());
        for field in fields {
            assert!(!own.contains(&field), "an act has a field {field}");
        }
    }
}
