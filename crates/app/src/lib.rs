//! What people and machines do: log in, upload, finalise, register, publish, deploy, load.
//!
//! This crate is the only caller of [`sealyard_gate::decide`]. It collects evidence, turns every failure on the way
//! into "not assessed" or a refusal with a rule's name, and writes each act and its ledger event in one transaction.
//! Nothing in here knows of HTTP. Functions that touch something protected take an
//! [`Authorized`](sealyard_identity::Authorized) proof, which only [`App::authorize`] can obtain.
#![forbid(unsafe_code)]

mod access;
mod account_rules;
mod artifacts;
mod authentication;
mod authorization;
mod backup_hold;
mod caller;
mod directories;
mod doctor;
mod error;
mod evaluation_datasets;
mod evidence;
mod federation;
mod figures;
mod first_start;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod gates;
mod gateway;
mod housekeeping;
mod identities;
mod import;
mod integrity;
mod keys;
mod known_callers;
mod ledger;
mod load;
mod logged_models;
mod model_files;
mod objects;
mod oidc;
mod open;
mod own_acts;
mod policy;
mod provisioning;
mod refusal_log;
mod registry;
mod saml;
mod sessions;
mod shelf;
mod tasks;
mod token_uses;
mod traces;
mod tracking;
mod vault_keys;
mod waiting;
mod webhooks;
mod workspaces;

use std::sync::Arc;

use sealyard_core::{Clock, Rng, Timestamp};
use sealyard_identity::{DummyHash, LoginThrottle, Principal, WorkspaceName};
use sealyard_ledger::{Act, Event, LedgerKey, Outcome};
use sealyard_outbound::Outbound;
use sealyard_scan_model::Scanner;
use sealyard_store::Store;
use sealyard_vault::Vault;
use tokio::sync::{Notify, OwnedSemaphorePermit, RwLock, Semaphore};

pub use access::{
    AccessExplanation, AccountDetails, AccountSummary, CommandLineToken, ConsideredRule, GrantChange, GrantFilter,
    GrantSummary, GrantTo, GroupDetails, GroupSummary, HeldPermission, KeepsAccounts, LOCKED, LogInChallenge,
    NewRolePermission, PermissionLevel, RoleChange, SECOND_FACTOR, SecondFactorSetup, SecondFactorStatus,
    SessionSummary, Shared, UserDetails,
};
pub use account_rules::{AccountRules, SecondFactorRule};
pub use artifacts::{
    ArtifactListing, ArtifactProof, Download, MOST_PARTS, NamedPart, PartedUploadBegun, Upload, Wanted,
};
pub use authentication::Credentials;
pub use caller::Caller;
pub use doctor::{Deployment, DoctorReport, Grade, Graded, Listening, Summary};
pub use error::AppError;
pub use evaluation_datasets::{
    DatasetAccess, GivenRecord, MayCreateDataset, SearchEvaluationDatasets, UpsertedRecords,
};
pub use evidence::EvidenceSummary;
pub use federation::{DeclaredRoles, ExternalIdentity, MappedIdentity};
pub use first_start::FirstAdministrator;
pub use gates::{DeployRequest, GateOutcome, PublishRequest};
pub use gateway::{
    AuthMode, DefinitionChange, EndpointChange, GatewayId, GivenModel, MayCreateInGateway, NewDefinition, NewEndpoint,
    NewSecret, ProviderConfig, ProviderField, SearchBindings, SecretValues, UsableModels, provider_config,
    supported_providers,
};
pub use housekeeping::Collected;
pub use identities::{NewToken, NewUser, TokenSummary};
pub use import::{ImportOptions, ImportReport, Refused, TableCheck};
pub use keys::ServerKeys;
pub use ledger::{FoundEntries, FoundEntry, HeadCheck, LedgerSearch, LedgerStatus, Witness, Witnesses};
pub use load::load_gate;
pub use model_files::ModelManifest;
pub use oidc::{Asked, LoginProvider};
pub use open::LOCAL_ADMINISTRATOR;
pub use policy::{LoadedPolicy, PolicyError};
pub use provisioning::{
    GroupChange, MayProvision, NewProvisionedUser, ProvisionedGroup, ProvisionedUser, SCIM, UserChange,
};
pub use registry::CreateVersion;
pub use saml::SamlAnswer;
pub use sessions::NewSession;
pub use traces::{
    AskMetrics, AssessmentUpdate, Correlation, DeleteTraces, EndTrace, GivenAggregation, GivenAssessment, GivenTrace,
    SearchTraces, StartTraceV2, TraceFile, WholeTrace,
};
pub use tracking::*;
use tracking::{PageTokens, RunPlaces};
pub use vault_keys::{VaultKey, VaultStatus, VaultWork, VaultWorkKind};
pub use webhooks::{
    DeliverySummary, NewWebhook, WebhookAction, WebhookChange, WebhookEntity, WebhookEvent, WebhookSummary, WebhookTest,
};
pub use workspaces::{MOST_WORKSPACES, WorkspaceSummary};

/// Passwords that are checked at the same time; each takes 19 MiB.
const PASSWORD_CHECKS: usize = 4;
/// Files or folders that are scanned at the same time.
const SCANS: usize = 4;

/// What an [`App`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The catalog.
    pub store: Arc<dyn Store>,
    /// Where bytes are kept.
    pub vault: Arc<Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Keys of the gate and of the scanner.
    pub keys: ServerKeys,
    /// Key of the ledger.
    pub ledger_key: LedgerKey,
    /// The policy of publish, deploy and protected aliases; without one, publishing and deploying are denied, and no alias
    /// is protected.
    pub policy: Option<LoadedPolicy>,
}

/// The application: everything below HTTP.
///
/// It is in one workspace, the default one to begin with: its catalog shows that workspace and no other, its authorizer asks
/// for rights in it, its events name it. For another one there is [`App::in_workspace`]. So no function in here needs to
/// remember the workspace, and none can reach another.
#[derive(Debug, Clone)]
pub struct App {
    store: Arc<dyn Store>,
    workspace: Arc<WorkspaceName>,
    workspaces: Arc<workspaces::Open>,
    vault: Arc<Vault>,
    scanner: Arc<Scanner>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    keys: Arc<ServerKeys>,
    ledger_key: Arc<LedgerKey>,
    policy: Option<Arc<LoadedPolicy>>,
    grants: Arc<authorization::Grants>,
    throttle: Arc<LoginThrottle>,
    refusal_log: Arc<refusal_log::RefusalLog>,
    told_damage: Arc<integrity::Told>,
    own_acts: Arc<own_acts::OwnActs>,
    rules: Arc<AccountRules>,
    token_uses: Arc<token_uses::TokenUses>,
    dummy: Arc<DummyHash>,
    checks: Arc<Semaphore>,
    waiting: Arc<waiting::Waiting>,
    scans: Arc<Semaphore>,
    /// Held for reading between an object and its row.
    placing: Arc<RwLock<()>>,
    sequencer: ledger::Wake,
    witnesses: Arc<Witnesses>,
    reads: Arc<artifacts::reads::Reads>,
    /// Wakes the housekeeping.
    tidy: Arc<Notify>,
    checked: Arc<authentication::CheckedPasswords>,
    known: Arc<authentication::Known>,
    directories: Arc<directories::Directories>,
    open: Arc<open::Open>,
    oidc: Option<Arc<sealyard_identity_oidc::Providers>>,
    saml: Option<Arc<saml::Saml>>,
    outgoing: Arc<webhooks::Outgoing>,
    page_tokens: Arc<PageTokens>,
    /// Of this workspace alone.
    run_places: Arc<RunPlaces>,
    external_sources: Arc<std::sync::atomic::AtomicBool>,
    deployment: Arc<Option<Deployment>>,
    vault_keys: Arc<vault_keys::Keys>,
    /// What is uploaded here is under this key; in the default workspace under the vault's own.
    part: Option<sealyard_vault::KeyId>,
}

impl App {
    /// Puts the parts together and reads the grants.
    ///
    /// # Errors
    /// [`AppError`] when the catalog can't be read.
    pub async fn new(parts: Parts) -> Result<Self, AppError> {
        let Parts { store, vault, clock, rng, keys, ledger_key, policy } = parts;
        let throttle = LoginThrottle::new(Arc::clone(&clock));
        let dummy = DummyHash::new(&*rng).map_err(|error| AppError::internal("passwords can't be hashed", error))?;
        let grants = Arc::new(authorization::Grants::new(Arc::clone(&store)));
        let page_tokens = PageTokens::open(&*store, &vault, &*rng).await?;
        let app = Self {
            store,
            workspace: Arc::default(),
            workspaces: Arc::default(),
            vault,
            scanner: Arc::new(Scanner::new()),
            clock,
            rng,
            keys: Arc::new(keys),
            ledger_key: Arc::new(ledger_key),
            policy: policy.map(Arc::new),
            grants,
            throttle,
            refusal_log: Arc::default(),
            told_damage: Arc::default(),
            own_acts: Arc::default(),
            rules: Arc::default(),
            token_uses: Arc::default(),
            dummy: Arc::new(dummy),
            checks: Arc::new(Semaphore::new(PASSWORD_CHECKS)),
            waiting: Arc::default(),
            scans: Arc::new(Semaphore::new(SCANS)),
            placing: Arc::default(),
            sequencer: ledger::Wake::default(),
            witnesses: Arc::default(),
            reads: Arc::default(),
            tidy: Arc::default(),
            checked: Arc::default(),
            known: Arc::default(),
            directories: Arc::default(),
            open: Arc::default(),
            oidc: None,
            saml: None,
            outgoing: Arc::default(),
            page_tokens: Arc::new(page_tokens),
            run_places: Arc::default(),
            external_sources: Arc::default(),
            deployment: Arc::default(),
            vault_keys: Arc::default(),
            part: None,
        };
        app.reload_grants().await?;
        Ok(app)
    }

    /// With other rules for its own accounts than the usual ones.
    #[must_use]
    pub fn with_account_rules(self, rules: AccountRules) -> Self {
        Self { rules: Arc::new(rules), ..self }
    }

    /// With another client for what webhooks make it send; without this one, that only goes to the public internet.
    #[must_use]
    pub fn with_outbound(self, client: Outbound) -> Self {
        Self { outgoing: Arc::new(webhooks::Outgoing::new(client)), ..self }
    }

    /// With what keeps the vault's keys; without it they can't be changed.
    #[must_use]
    pub fn with_key_keeper(self, keeper: Arc<dyn sealyard_vault::KeyKeeper>) -> Self {
        Self { vault_keys: Arc::new(vault_keys::Keys::new(keeper)), ..self }
    }

    /// The present moment by the server's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The server's randomness.
    #[must_use]
    pub fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    /// What makes and reads the tokens of further pages.
    pub(crate) fn page_tokens(&self) -> &PageTokens {
        &self.page_tokens
    }

    /// The catalog of its workspace, for the functions of this crate.
    pub(crate) fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// What encrypts the values of one purpose in the catalog's rows. The column goes into `SEALED_COLUMNS` of `sealyard-store`.
    pub(crate) fn sealer(&self, purpose: &'static str) -> sealyard_vault::Sealer {
        self.vault.sealer(purpose)
    }

    /// An event by `caller`, now.
    pub(crate) fn event(&self, caller: &Caller, outcome: Outcome, act: Act) -> Event {
        Event {
            time: self.now(),
            actor: caller.actor().to_owned(),
            source: caller.source.map(|address| address.to_string()),
            request_id: caller.request_id.clone(),
            in_workspace: (!self.workspace.is_default()).then(|| self.workspace.to_string()),
            outcome,
            act,
        }
    }

    /// An event by the holder of a proof, where nothing else is known of the request.
    pub(crate) fn event_by(&self, principal: &Principal, outcome: Outcome, act: Act) -> Event {
        self.event(&Caller::new(principal.clone(), None, None), outcome, act)
    }

    /// Waits until there is room for one more scan. The permit belongs to the work, not to who waits for it.
    pub(crate) async fn place_to_scan(&self) -> Result<OwnedSemaphorePermit, AppError> {
        Arc::clone(&self.scans).acquire_owned().await.map_err(|error| AppError::internal("the server stops", error))
    }

    /// Notes in the ledger that the server started.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn record_start(&self, version: &str) -> Result<(), AppError> {
        let act = Act::ServerStarted { version: version.to_owned() };
        self.record(self.event(&Caller::system(), Outcome::Done, act)).await
    }

    /// Writes an event that goes with no other change.
    pub(crate) async fn record(&self, event: Event) -> Result<(), AppError> {
        self.record_all(vec![event]).await
    }

    /// Writes events that go with no other change.
    pub(crate) async fn record_all(&self, events: Vec<Event>) -> Result<(), AppError> {
        self.store().write(move |tx| events.iter().try_for_each(|event| Ok::<_, AppError>(tx.record(event)?))).await?;
        self.sequencer.notify();
        Ok(())
    }
}
