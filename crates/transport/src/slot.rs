use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ConfigBuilder, ServerConfig, WantsVerifier};

use crate::files::Watched;
use crate::key_pair::KeyPair;
use crate::{CertificateNames, ClientCertificateSettings, KeyPairFiles, TransportError};

/// The protocol that a directory speaks to prove that a name is ours (RFC 8737).
const CHALLENGE: &[u8] = b"acme-tls/1";

/// The certificate of a listener, and whose certificates it takes: what a handshake uses, exchanged without a connection noticing.
pub struct TlsSlot {
    clients: Option<ClientCertificateSettings>,
    state: RwLock<Arc<State>>,
    challenges: Arc<Challenges>,
    challenge_config: Arc<ServerConfig>,
}

struct State {
    /// Differs from one state to the next.
    generation: u64,
    files: KeyPairFiles,
    config: Arc<ServerConfig>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    fingerprint: String,
    pem: String,
    expires: Option<i64>,
}

impl fmt::Debug for TlsSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSlot").field("fingerprint", &self.now().fingerprint).finish_non_exhaustive()
    }
}

impl TlsSlot {
    /// Reads the files.
    ///
    /// # Errors
    /// [`TransportError`].
    pub fn open(files: KeyPairFiles, clients: Option<ClientCertificateSettings>) -> Result<Arc<Self>, TransportError> {
        let state = State::read(0, files, clients.as_ref())?;
        let challenges = Arc::new(Challenges::default());
        let mut challenge_config =
            builder()?.with_no_client_auth().with_cert_resolver(Arc::clone(&challenges) as Arc<dyn ResolvesServerCert>);
        challenge_config.alpn_protocols = vec![CHALLENGE.to_vec()];
        let challenge_config = Arc::new(challenge_config);
        Ok(Arc::new(Self { clients, state: RwLock::new(Arc::new(state)), challenges, challenge_config }))
    }

    /// What a handshake with this greeting uses, and whether it is only there to answer a challenge.
    #[must_use]
    pub fn config_for(&self, hello: &ClientHello<'_>) -> (Arc<ServerConfig>, bool) {
        let mut protocols = hello.alpn().into_iter().flatten();
        if protocols.next() == Some(CHALLENGE) && protocols.next().is_none() && !self.challenges.is_empty() {
            return (Arc::clone(&self.challenge_config), true);
        }
        (Arc::clone(&self.now().config), false)
    }

    /// What a handshake uses now.
    #[must_use]
    pub fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.now().config)
    }

    /// SHA-256 of the leaf, as people compare it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.now().fingerprint.clone()
    }

    /// The chain as PEM: what clients are told to trust when it is self-signed.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        self.now().pem.clone()
    }

    /// The second, since 1970, with which the leaf ends, if it could be read.
    #[must_use]
    pub fn expires(&self) -> Option<i64> {
        self.now().expires
    }

    /// Where the chain and the key are.
    #[must_use]
    pub fn files(&self) -> KeyPairFiles {
        self.now().files.clone()
    }

    /// Reads all files anew. Connections that are open stay open, and new ones use what was read.
    ///
    /// # Errors
    /// [`TransportError`]; then everything stays as it was.
    pub fn reload(&self) -> Result<(), TransportError> {
        self.exchange(self.files())
    }

    /// Goes over to another pair of files.
    ///
    /// # Errors
    /// [`TransportError`]; then everything stays as it was.
    pub fn exchange(&self, files: KeyPairFiles) -> Result<(), TransportError> {
        let generation = self.now().generation.wrapping_add(1);
        let state = State::read(generation, files, self.clients.as_ref())?;
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
        Ok(())
    }

    /// Answers challenges about `name` with this certificate, until [`TlsSlot::forget_challenge`].
    pub fn answer_challenge(&self, name: &str, certified: Arc<CertifiedKey>) {
        self.challenges.known().insert(name.to_ascii_lowercase(), certified);
    }

    /// Answers no more challenges about `name`.
    pub fn forget_challenge(&self, name: &str) {
        self.challenges.known().remove(&name.to_ascii_lowercase());
    }

    /// Reads the files once more, as they may have changed while the server started, and then whenever they change. What is wrong
    /// with new ones is said in the log once, and the old ones stay in use.
    pub async fn follow(self: Arc<Self>, every: Duration) {
        let mut watched = Watched::unseen(self.watched_files());
        loop {
            tokio::time::sleep(every).await;
            let slot = Arc::clone(&self);
            let looked = tokio::task::spawn_blocking(move || {
                // Others may have gone over to other files.
                watched.follow(slot.watched_files());
                if watched.changed() {
                    slot.reload_and_say();
                }
                watched
            });
            match looked.await {
                Ok(back) => watched = back,
                Err(_) => return,
            }
        }
    }

    /// [`TlsSlot::reload`], with the outcome in the log.
    pub fn reload_and_say(&self) {
        let before = self.fingerprint();
        match self.reload() {
            Ok(()) => {
                let fingerprint = self.fingerprint();
                if fingerprint == before {
                    tracing::info!("the files of TLS were read anew; the certificate is the same");
                } else {
                    tracing::info!(%fingerprint, "a new certificate is in use");
                }
            }
            Err(error) => {
                let error = sealyard_core::with_causes(&error);
                tracing::error!(%error, in_use = %before, "new files of TLS can't be used; the old ones stay in use");
            }
        }
    }

    /// Whether the certificate of a client is still good: it has not ended, and is good by the lists as they are now.
    #[must_use]
    pub fn still_good(&self, client: &ClientChain) -> bool {
        let state = self.now();
        let Some(verifier) = &state.verifier else { return false };
        let now = UnixTime::now();
        if i64::try_from(now.as_secs()).is_ok_and(|now| now >= client.names.expires()) {
            return false;
        }
        let mut checked = client.checked.lock().unwrap_or_else(PoisonError::into_inner);
        // Lists and authorities end too, without anybody writing a file.
        let old = now.as_secs().abs_diff(checked.at) >= CHECKED_SECONDS;
        if old || checked.generation != state.generation {
            let Some((leaf, others)) = client.chain.split_first() else { return false };
            let good = verifier.verify_client_cert(leaf, others, now).is_ok();
            *checked = Checked { generation: state.generation, at: now.as_secs(), good };
        }
        checked.good
    }

    fn now(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn watched_files(&self) -> Vec<PathBuf> {
        let KeyPairFiles { certificate, key } = self.files();
        let clients = self.clients.as_ref().map(ClientCertificateSettings::files).unwrap_or_default();
        [certificate, key].into_iter().chain(clients).collect()
    }
}

fn builder() -> Result<ConfigBuilder<ServerConfig, WantsVerifier>, TransportError> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|error| TransportError::Tls(error.to_string()))
}

impl State {
    fn read(
        generation: u64,
        files: KeyPairFiles,
        clients: Option<&ClientCertificateSettings>,
    ) -> Result<Self, TransportError> {
        let KeyPair { certified, pem, fingerprint } = files.read()?;
        let expires = certified.cert.first().and_then(|leaf| CertificateNames::read(leaf)).map(|names| names.expires());
        let verifier = clients.map(ClientCertificateSettings::verifier).transpose()?;
        let builder = match &verifier {
            None => builder()?.with_no_client_auth(),
            Some(verifier) => builder()?.with_client_cert_verifier(Arc::clone(verifier)),
        };
        let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        if verifier.is_some() {
            // A resumed session would be believed without a look at the certificate, which may have ended or been revoked.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(Self { generation, files, config: Arc::new(config), verifier, fingerprint, pem, expires })
    }
}

/// The certificate that a client has shown, as the handshake found it good.
#[derive(Debug)]
pub struct ClientChain {
    chain: Vec<CertificateDer<'static>>,
    names: CertificateNames,
    fingerprint: String,
    checked: Mutex<Checked>,
}

/// A client whose connection stays open is compared with the lists again after this.
const CHECKED_SECONDS: u64 = 60;

/// When a certificate was last compared with the lists, which state they had, and whether it was good.
#[derive(Debug, Clone, Copy)]
struct Checked {
    generation: u64,
    at: u64,
    good: bool,
}

impl ClientChain {
    /// What a handshake ended with; `None` if the client showed none.
    #[must_use]
    pub fn new(slot: &TlsSlot, chain: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let chain: Vec<_> = chain?.iter().map(|one| one.clone().into_owned()).collect();
        let leaf = chain.first()?;
        let names = CertificateNames::read(leaf)?;
        let fingerprint = crate::fingerprint(leaf);
        // The lists may have changed since the handshake began, so it is looked at once more.
        let checked = Checked { generation: slot.now().generation.wrapping_sub(1), at: 0, good: false };
        Some(Self { chain, names, fingerprint, checked: Mutex::new(checked) })
    }

    /// The names in it.
    #[must_use]
    pub const fn names(&self) -> &CertificateNames {
        &self.names
    }

    /// SHA-256 of the leaf.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// Certificates that answer challenges, by the name that they are about.
#[derive(Debug, Default)]
struct Challenges(Mutex<HashMap<String, Arc<CertifiedKey>>>);

impl Challenges {
    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<CertifiedKey>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_empty(&self) -> bool {
        self.known().is_empty()
    }
}

impl ResolvesServerCert for Challenges {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.known().get(&hello.server_name()?.to_ascii_lowercase()).cloned()
    }
}
