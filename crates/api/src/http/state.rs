use std::sync::Arc;

use sealyard_app::App;

use super::RouterConfig;

/// What the router shares. Handlers get [`Scoped`] from it, of the workspace that a request is about.
#[derive(Debug, Clone)]
pub struct ApiState {
    server: Arc<App>,
    config: Arc<RouterConfig>,
}

impl ApiState {
    pub(super) fn new(server: Arc<App>, config: RouterConfig) -> Self {
        Self { server, config: Arc::new(config) }
    }

    /// The application in the default workspace, for what comes before a request has one.
    pub(crate) fn server(&self) -> &App {
        &self.server
    }

    pub(crate) fn config(&self) -> &RouterConfig {
        &self.config
    }

    /// Counts what was refused, where somebody counts.
    pub(crate) fn count(&self, name: &'static str, reason: &'static str) {
        if let Some(metrics) = self.config.metrics() {
            metrics.event(name, reason);
        }
    }

    /// For a request about the default workspace.
    pub(super) fn in_default(&self) -> Scoped {
        Scoped { app: Arc::clone(&self.server), config: Arc::clone(&self.config) }
    }

    /// For a request about the workspace of `app`.
    pub(super) fn within(&self, app: App) -> Scoped {
        Scoped { app: Arc::new(app), config: Arc::clone(&self.config) }
    }
}

/// What a handler has: the application as it is in the request's workspace.
#[derive(Debug, Clone)]
pub(crate) struct Scoped {
    app: Arc<App>,
    config: Arc<RouterConfig>,
}

impl Scoped {
    pub(crate) fn app(&self) -> &Arc<App> {
        &self.app
    }

    pub(crate) fn config(&self) -> &RouterConfig {
        &self.config
    }
}
