//! The listeners of a server: what each is for, and how it is reached.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use sealyard_acme::{Acme, AcmeError, AcmeSettings, Challenge, HttpChallenges};
use sealyard_api::metrics::{Certificates, MetricsState, metrics_router};
use sealyard_api::{Pages, RequestLimits, RouterConfig, Surface};
use sealyard_app::{App, Listening};
use sealyard_core::{Clock, Rng};
use sealyard_transport::{CertificateRules, Metrics, TlsSlot};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::challenges::Challenges;
use crate::door::Door;
use crate::inference::LOOK;
use crate::settings::{ListenerKind, ListenerSettings, MAIN, Settings, SettingsError, TlsSettings};
use crate::{Config, ServerError, listener, tls};

/// Connections of a listener for administration or counts: few, so that it leaves descriptors to the others.
const FEW: usize = 128;

/// Every listener, bound but not yet answering.
#[derive(Debug)]
pub(crate) struct Doors {
    opened: Vec<Opened>,
    metrics: Arc<Metrics>,
    limits: Arc<RequestLimits>,
    /// How often files are looked at.
    look: Duration,
    artifact_bytes: u64,
    acme: Option<Directory>,
}

/// Where certificates come from, and the plain listener that it may ask.
#[derive(Debug)]
struct Directory {
    acme: Acme,
    plain: Option<(TcpListener, Router)>,
}

impl Directory {
    async fn open(
        settings: AcmeSettings,
        all: &Settings,
        opened: &[Opened],
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, ServerError> {
        let Some(main) = opened.first() else { return Err(AcmeError::Settings("there is no listener".into()).into()) };
        let own = main.door.tls.as_ref().map(|slot| slot.files());
        // Those that share the server's certificate, each once.
        let mut slots: Vec<Arc<TlsSlot>> = Vec::new();
        for slot in opened.iter().filter_map(|one| one.door.tls.as_ref()) {
            if Some(slot.files()) == own && !slots.iter().any(|known| Arc::ptr_eq(known, slot)) {
                slots.push(Arc::clone(slot));
            }
        }
        let address = all.tls.acme.as_ref().and_then(|acme| acme.http_address);
        let proofs = Arc::new(HttpChallenges::default());
        let plain = match (settings.challenge, address) {
            (Challenge::TlsAlpn, None) => None,
            (Challenge::Http, None) => {
                let problem = "http-01 needs http_address, which the directory reaches at port 80";
                return Err(SettingsError::invalid("tls.acme", problem).into());
            }
            (_, Some(address)) => {
                let (listener, _) = bind(address).await?;
                let known = Challenges::new(Arc::clone(&proofs), &settings.domains, main.address);
                Some((listener, known.router()))
            }
        };
        let acme = Acme::new(settings, slots, proofs, Arc::clone(clock), Arc::clone(rng))?;
        acme.resume();
        Ok(Self { acme, plain })
    }

    fn serve(self, limits: crate::door::ConnectionLimits, stop: &watch::Receiver<bool>) -> Option<JoinHandle<()>> {
        tokio::spawn(self.acme.run());
        let (listener, router) = self.plain?;
        let connections = limits.connections.min(FEW);
        let limits = crate::door::ConnectionLimits { connections, per_address: connections.div_ceil(2), ..limits };
        let door = Door { limits, ..Door::new(None) };
        Some(tokio::spawn(listener::serve(listener, Arc::new(door), router, stop.clone())))
    }
}

#[derive(Debug)]
struct Opened {
    name: String,
    kind: ListenerKind,
    listener: TcpListener,
    address: SocketAddr,
    door: Arc<Door>,
    names: Vec<String>,
    token: Option<sealyard_core::Redacted<String>>,
}

impl Doors {
    /// Binds them all and reads their certificates. The first is the one of `--listen`.
    pub(crate) async fn open(
        config: &Config,
        keys: &Path,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, ServerError> {
        let settings = &config.settings;
        let folder = &settings.folder;
        let metrics = Arc::new(Metrics::default());
        check_rules(settings)?;
        let rules = settings.identity.certificates.rules.clone();
        let main = settings.listeners.get(MAIN).cloned().unwrap_or_default();
        if main.address.is_some() || main.kind != ListenerKind::Api || main.tls.is_some() || main.token_file.is_some() {
            let problem =
                "the main listener is told by --listen and [tls] where and how it listens, and its kind is \"api\"";
            return Err(SettingsError::invalid("listeners.main", problem).into());
        }
        if main.certificate.is_some() || main.key.is_some() {
            let problem = "the certificate of the main listener stands in [tls]";
            return Err(SettingsError::invalid("listeners.main", problem).into());
        }
        let (first, address) = bind(config.listen).await?;
        let acme = match config.tls {
            crate::TlsMode::Acme => settings.tls.acme(folder, keys),
            _ => None,
        };
        let domains = acme.as_ref().map(|acme| acme.domains.clone()).unwrap_or_default();
        let asked = [config.hosts.clone(), main.hosts.clone(), domains].concat();
        let names = tls::names(address, &asked);
        let clients = match main.clients(MAIN, folder, &settings.tls)? {
            Some(clients) => Some(clients),
            None => settings.tls.clients(folder)?,
        };
        if clients.is_some() && config.tls == crate::TlsMode::Off {
            return Err(SettingsError::invalid("tls", "without TLS no client shows a certificate").into());
        }
        main.check_proxies("listeners.main", config.tls != crate::TlsMode::Off)?;
        let own = tls::open_tls(&config.tls, keys, &names, &asked, clients)?;
        let made = Made { rules, metrics: Arc::clone(&metrics), config };
        let mut opened = vec![Opened {
            name: MAIN.to_owned(),
            kind: ListenerKind::Api,
            listener: first,
            address,
            door: made.door(MAIN, &main, own.clone(), usize::MAX),
            names: names.clone(),
            token: None,
        }];
        for (name, settings) in config.settings.listeners.iter().filter(|(name, _)| *name != MAIN) {
            opened.push(made.open(name, settings, own.as_ref(), keys, &names).await?);
        }
        let acme = match acme {
            None => None,
            Some(acme) => Some(Directory::open(acme, settings, &opened, clock, rng).await?),
        };
        let look = settings.tls.reload_seconds.map_or(LOOK, |seconds| Duration::from_secs(seconds.max(1)));
        Ok(Self {
            opened,
            metrics,
            limits: Arc::new(settings.limits.requests()),
            look,
            artifact_bytes: settings.limits.artifact_bytes,
            acme,
        })
    }

    /// The certificate of the main one.
    pub(crate) fn tls(&self) -> Option<Arc<TlsSlot>> {
        self.opened.first().and_then(|main| main.door.tls.clone())
    }

    /// Where the main one listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.opened.first().map(|main| main.address)
    }

    /// What the doctor is told of them.
    pub(crate) fn describe(&self) -> Vec<Listening> {
        let one = |one: &Opened| Listening {
            address: one.address,
            kind: one.kind.as_str().to_owned(),
            tls: one.door.tls.is_some(),
            allow_list: !one.door.allow.is_empty(),
        };
        self.opened.iter().map(one).collect()
    }

    /// The name and URL of each of the others.
    pub(crate) fn others(&self) -> Vec<(String, String)> {
        let others = self.opened.iter().skip(1);
        others.map(|one| (one.name.clone(), crate::wiring::url(one.door.tls.is_some(), one.address))).collect()
    }

    /// Answers at each of them until `stop` says so.
    pub(crate) fn serve(
        self,
        app: &Arc<App>,
        pages: Option<Pages>,
        stop: &watch::Receiver<bool>,
    ) -> Vec<JoinHandle<()>> {
        let separate = self.opened.iter().any(|one| one.kind == ListenerKind::Admin);
        let slots =
            Slots(self.opened.iter().filter_map(|one| Some((one.name.clone(), one.door.tls.clone()?))).collect());
        let slots = Arc::new(slots);
        for slot in slots.distinct() {
            tokio::spawn(slot.follow(self.look));
        }
        tokio::spawn(reload_on_hangup(Arc::clone(&slots)));
        let mut pages = pages;
        let mut serving = Vec::new();
        let limits = self.opened.first().map(|main| main.door.limits).unwrap_or_default();
        serving.extend(self.acme.and_then(|acme| acme.serve(limits, stop)));
        for one in self.opened {
            let config = router_config(&one.names)
                .with_tls(one.door.tls.is_some() || one.door.behind_tls)
                .with_max_artifact_bytes(self.artifact_bytes)
                .with_limits(Arc::clone(&self.limits))
                .with_metrics(Arc::clone(&self.metrics));
            let router: Router = match one.kind {
                ListenerKind::Metrics => {
                    let certificates = Arc::clone(&slots) as Arc<dyn Certificates>;
                    let (app, metrics) = (Arc::clone(app), Arc::clone(&self.metrics));
                    let state = MetricsState::new(app, metrics, certificates, config, env!("CARGO_PKG_VERSION"));
                    metrics_router(match &one.token {
                        Some(token) => state.with_token(token),
                        None => state,
                    })
                }
                kind => {
                    let surface = match kind {
                        ListenerKind::Admin => Surface::Administration,
                        ListenerKind::Inference => Surface::Loading,
                        _ if separate => Surface::WithoutAdministration,
                        _ => Surface::All,
                    };
                    let mut config = config.with_surface(surface);
                    // Browsers log in where everything else is.
                    if one.name == MAIN
                        && let Some(pages) = pages.take()
                    {
                        config = config.with_pages(pages);
                    }
                    sealyard_api::router(Arc::clone(app), config)
                }
            };
            serving.push(tokio::spawn(listener::serve(one.listener, one.door, router, stop.clone())));
        }
        serving
    }
}

/// What listeners are made from.
struct Made<'a> {
    rules: CertificateRules,
    metrics: Arc<Metrics>,
    config: &'a Config,
}

impl Made<'_> {
    fn door(&self, name: &str, settings: &ListenerSettings, tls: Option<Arc<TlsSlot>>, most: usize) -> Arc<Door> {
        let limits = self.config.settings.limits.connection().fitting();
        let connections = limits.connections.min(most);
        let per_address = limits.per_address.min(connections.div_ceil(2));
        Arc::new(Door {
            tls,
            allow: settings.allow.clone(),
            proxies: settings.trusted_proxies.clone(),
            proxied: settings.only_proxies || settings.behind_tls,
            behind_tls: settings.behind_tls,
            rules: Arc::new(self.rules.at(name)),
            limits: crate::door::ConnectionLimits { connections, per_address, ..limits },
            metrics: Arc::clone(&self.metrics),
        })
    }

    async fn open(
        &self,
        name: &str,
        settings: &ListenerSettings,
        main: Option<&Arc<TlsSlot>>,
        keys: &Path,
        names: &[String],
    ) -> Result<Opened, ServerError> {
        let section = format!("listeners.{name}");
        let folder = &self.config.settings.folder;
        let invalid = |problem: &str| ServerError::from(SettingsError::invalid(section.clone(), problem));
        let Some(address) = settings.address else { return Err(invalid("it has no address")) };
        if settings.token_file.is_some() && settings.kind != ListenerKind::Metrics {
            return Err(invalid(
                "token_file is for kind = \"metrics\"; elsewhere people and machines have tokens of their own",
            ));
        }
        let own = settings.own(&section, folder)?;
        let named = settings.clients(&section, folder, &self.config.settings.tls)?;
        // What [tls] asks of clients holds at every listener that does not say otherwise, also with a certificate of its own.
        let clients = match (&own, named) {
            (Some(crate::TlsMode::Off) | None, named) => named,
            (Some(_), named) => {
                named.map_or_else(|| self.config.settings.tls.clients(folder), |named| Ok(Some(named)))?
            }
        };
        let off = own == Some(crate::TlsMode::Off) || (own.is_none() && main.is_none());
        if off && clients.is_some() {
            return Err(invalid("without TLS no client shows a certificate"));
        }
        if off && !address.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("a listener without TLS"));
        }
        if self.config.no_auth && !address.ip().is_loopback() {
            return Err(ServerError::LoopbackOnly("--no-auth"));
        }
        settings.check_proxies(&section, !off)?;
        let slot = match (own, clients, main) {
            (None, None, Some(main)) => Some(Arc::clone(main)),
            (None, Some(clients), Some(main)) => Some(TlsSlot::open(main.files(), Some(clients))?),
            (Some(mode), clients, _) => tls::open_tls(&mode, keys, names, &[], clients)?,
            (None, _, None) => None,
        };
        let token = settings.token_file.as_ref().map(|file| file.read(folder)).transpose()?;
        let (listener, address) = bind(address).await?;
        let most = if matches!(settings.kind, ListenerKind::Admin | ListenerKind::Metrics) { FEW } else { usize::MAX };
        let more = tls::names(address, &settings.hosts);
        Ok(Opened {
            name: name.to_owned(),
            kind: settings.kind,
            listener,
            address,
            door: self.door(name, settings, slot, most),
            names: [names, &more].concat(),
            token,
        })
    }
}

/// Refuses rules for client certificates that do not say whose word counts: where two listeners believe different authorities, a
/// rule for both would let each of them name the other's people.
fn check_rules(settings: &Settings) -> Result<(), SettingsError> {
    let invalid = |problem: String| Err(SettingsError::invalid("identity", problem));
    let rules = &settings.identity.certificates.rules;
    let known = |name: &str| name == MAIN || settings.listeners.contains_key(name);
    if let Some(name) = rules.listeners().flatten().find(|name| !known(name)) {
        return invalid(format!("a rule names the listener {name}, and there is none"));
    }
    let general = settings.tls.client_ca_file.as_ref();
    let others = settings.listeners.values().filter_map(|listener| listener.client_ca_file.as_ref());
    let mut authorities: Vec<_> =
        general.into_iter().chain(others).map(|path| path.resolve(&settings.folder)).collect();
    authorities.sort();
    authorities.dedup();
    if authorities.len() > 1 && rules.listeners().any(|name| name.is_none()) {
        let problem = "listeners have different client_ca_files: each rule must name the listener that it is for";
        return invalid(problem.to_owned());
    }
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServerError> {
    let failed = |source| ServerError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Names a client may use in its `Host` header; another one is an attempt at DNS rebinding.
fn router_config(names: &[String]) -> RouterConfig {
    // In a `Host` header an IPv6 address stands in brackets.
    let shown = |name: &String| if name.contains(':') { format!("[{name}]") } else { name.clone() };
    names.iter().map(shown).fold(RouterConfig::loopback(), |config, name| config.with_host(&name))
}

/// The certificates of the listeners.
#[derive(Debug)]
struct Slots(Vec<(String, Arc<TlsSlot>)>);

impl Slots {
    /// Each once, as listeners share them.
    fn distinct(&self) -> Vec<Arc<TlsSlot>> {
        let mut distinct: Vec<Arc<TlsSlot>> = Vec::new();
        for (_, slot) in &self.0 {
            if !distinct.iter().any(|known| Arc::ptr_eq(known, slot)) {
                distinct.push(Arc::clone(slot));
            }
        }
        distinct
    }
}

impl Certificates for Slots {
    fn expiries(&self) -> Vec<(String, i64)> {
        self.0.iter().filter_map(|(name, slot)| Some((name.clone(), slot.expires()?))).collect()
    }
}

/// Who does not want to wait until the files are looked at sends SIGHUP.
async fn reload_on_hangup(slots: Arc<Slots>) {
    let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
    while hangups.recv().await.is_some() {
        let slots = slots.distinct();
        let read = tokio::task::spawn_blocking(move || slots.iter().for_each(|slot| slot.reload_and_say()));
        let _ = read.await;
    }
}

impl ListenerSettings {
    fn own(&self, section: &str, folder: &Path) -> Result<Option<crate::TlsMode>, SettingsError> {
        crate::settings::own_certificate(section, self.tls, self.certificate.as_ref(), self.key.as_ref(), folder)
    }

    /// Refuses words about proxies where none is named.
    fn check_proxies(&self, section: &str, tls: bool) -> Result<(), SettingsError> {
        let named = self.trusted_proxies != sealyard_transport::Proxies::default();
        let problem = match self {
            Self { only_proxies: true, .. } if !named => "only_proxies needs trusted_proxies",
            Self { behind_tls: true, .. } if !named => "behind_tls needs trusted_proxies: the proxy that has the TLS",
            Self { behind_tls: true, .. } if tls => "behind_tls is for a listener without TLS of its own",
            _ => return Ok(()),
        };
        Err(SettingsError::invalid(section, problem))
    }

    /// With what `[tls]` says where this section is silent: of `client_auth`, and of the lists of the same authorities.
    fn clients(
        &self,
        section: &str,
        folder: &Path,
        general: &TlsSettings,
    ) -> Result<Option<sealyard_transport::ClientCertificateSettings>, SettingsError> {
        let authorities = self.client_ca_file.as_ref();
        let same = authorities.is_some_and(|ours| {
            general.client_ca_file.as_ref().is_some_and(|theirs| theirs.resolve(folder) == ours.resolve(folder))
        });
        let revoked = self.client_crl_file.as_ref().or(general.client_crl_file.as_ref().filter(|_| same));
        let asked = self.client_auth.or(general.client_auth.filter(|_| authorities.is_some()));
        crate::settings::client_certificates(section, asked, authorities, revoked, folder)
    }
}
