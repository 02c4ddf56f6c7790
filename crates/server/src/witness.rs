//! A witness of other servers' ledgers, as a process of its own (C2SP tlog-witness).

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{InferenceServer, ServerError, TlsMode, open_tls, tls};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use hyper::{Method, Request, StatusCode, header};
use sealyard_core::{Clock, Digest, Rng, durable};
use sealyard_ledger::witness::{AddCheckpoint, MAX_REQUEST, Uncosigned, cosign, origin_of};
use sealyard_ledger::{Checkpoint, VerifierKey, WitnessKey};

/// What a witness is told.
#[derive(Debug, Clone)]
pub struct WitnessConfig {
    /// Where to listen.
    pub listen: SocketAddr,
    /// How to speak. What is said is signed on both sides, so that TLS keeps nothing secret here that matters; it is
    /// still off on loopback only.
    pub tls: TlsMode,
    /// Where what was cosigned is kept, and the key.
    pub state: PathBuf,
    /// The witness's name, such as a URL without its scheme.
    pub name: String,
    /// The keys of the logs that it watches.
    pub logs: Vec<VerifierKey>,
}

/// A running witness.
#[derive(Debug)]
pub struct WitnessServer {
    verifier: String,
    server: InferenceServer,
}

struct Watched {
    key: WitnessKey,
    clock: Arc<dyn Clock>,
    logs: BTreeMap<String, Mutex<Log>>,
    /// Held while it runs, so that no second process cosigns out of the same state.
    _lock: File,
}

struct Log {
    verifier: VerifierKey,
    path: PathBuf,
    last: Option<Checkpoint>,
}

impl WitnessServer {
    /// Reads what was cosigned before, and serves. A state that can't be read is an error: a witness that forgot would cosign
    /// anything.
    ///
    /// # Errors
    /// [`ServerError`].
    pub async fn start(config: WitnessConfig, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self, ServerError> {
        if config.tls == TlsMode::Off && !config.listen.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("--tls off"));
        }
        let state = &config.state;
        let file = |what, path: &Path| {
            let path = path.to_owned();
            move |source| ServerError::File { what, path, source }
        };
        durable::create_private_directory(state).map_err(file("make", state))?;
        let path = state.join("lock");
        let lock = File::create(&path).map_err(file("lock", &path))?;
        lock.try_lock().map_err(|_| ServerError::InUse(state.clone()))?;
        let key = WitnessKey::open_or_create(&state.join("witness.key"), &config.name, &*rng)
            .map_err(|error| ServerError::Key(error.to_string()))?;
        let verifier = key.verifier().to_string();
        let path = state.join("witness.pub");
        durable::write(&path, format!("{verifier}\n").as_bytes(), 0o644).map_err(file("write", &path))?;
        let mut logs = BTreeMap::new();
        for verifier in config.logs {
            let name = format!("{}.checkpoint", Digest::of(verifier.name().as_bytes()).to_hex());
            let path = state.join(name);
            let last = match std::fs::read_to_string(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(file("read", &path)(error)),
                Ok(note) => Some(Checkpoint::open(&note, &verifier).map_err(|error| {
                    ServerError::Key(format!("what was cosigned last, {}, can't be read: {error}", path.display()))
                })?),
            };
            let name = verifier.name().to_owned();
            // The other would not be watched, and both would be kept in one file.
            if logs.insert(name.clone(), Mutex::new(Log { verifier, path, last })).is_some() {
                return Err(ServerError::Key(format!("two logs to watch are called {name:?}")));
            }
        }
        let tls = open_tls(&config.tls, state, &tls::names(config.listen, &[]), &[], None)?;
        let router = Router::new().fallback(answer).with_state(Arc::new(Watched { key, clock, logs, _lock: lock }));
        let server = InferenceServer::start(config.listen, tls, router).await?;
        Ok(Self { verifier, server })
    }

    /// Its submission prefix.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// What its cosignatures are checked with.
    #[must_use]
    pub fn verifier(&self) -> &str {
        &self.verifier
    }

    /// Lets requests under way end, then stops.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

async fn answer(State(watched): State<Arc<Watched>>, request: Request<Body>) -> Response {
    if request.method() != Method::POST || !request.uri().path().ends_with("/add-checkpoint") {
        return (StatusCode::NOT_FOUND, "this is a witness: POST …/add-checkpoint\n").into_response();
    }
    let Ok(body) = to_bytes(request.into_body(), MAX_REQUEST).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the request is too large, or broke off\n").into_response();
    };
    // It waits for the disk.
    let judged = tokio::task::spawn_blocking(move || watched.judge(&body)).await;
    match judged {
        Ok(Ok(line)) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response(),
        Ok(Err(Refusal::No(Uncosigned::Conflict(size)))) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n")).into_response()
        }
        Ok(Err(Refusal::No(no))) => {
            let status = StatusCode::from_u16(no.status()).unwrap_or(StatusCode::BAD_REQUEST);
            (status, format!("{no}\n")).into_response()
        }
        Ok(Err(Refusal::Disk)) | Err(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, "what was cosigned could not be kept\n").into_response()
        }
    }
}

enum Refusal {
    No(Uncosigned),
    Disk,
}

impl Watched {
    /// The cosignature line, once the checkpoint is kept. One request of a log at a time.
    fn judge(&self, body: &[u8]) -> Result<String, Refusal> {
        let body = std::str::from_utf8(body).map_err(|_| Refusal::No(Uncosigned::Malformed))?;
        let request = AddCheckpoint::parse(body).map_err(Refusal::No)?;
        let origin = origin_of(&request.checkpoint);
        let log = self.logs.get(origin);
        let log = log.ok_or_else(|| Refusal::No(Uncosigned::UnknownOrigin(origin.chars().take(80).collect())))?;
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        let judged = cosign(&request, &log.verifier, log.last.as_ref(), &self.key, self.clock.now());
        let (checkpoint, line) = judged.map_err(|no| {
            if no.is_alarm() {
                tracing::error!(
                    origin,
                    checkpoint = request.checkpoint,
                    "A LOG SHOWS ANOTHER PAST THAN BEFORE: it is not cosigned"
                );
            }
            Refusal::No(no)
        })?;
        let note = format!("{}{line}", request.checkpoint);
        durable::write(&log.path, note.as_bytes(), 0o644).map_err(|error| {
            tracing::error!(origin, %error, "a checkpoint could not be kept, and is not cosigned");
            Refusal::Disk
        })?;
        log.last = Some(checkpoint);
        Ok(line)
    }
}
