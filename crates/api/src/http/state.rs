use std::sync::Arc;

use axum::extract::FromRef;
use sealyard_app::App;

use super::RouterConfig;

/// What handlers share.
#[derive(Debug, Clone)]
pub struct ApiState {
    app: Arc<App>,
    config: Arc<RouterConfig>,
}

impl ApiState {
    pub(super) fn new(app: Arc<App>, config: RouterConfig) -> Self {
        Self { app, config: Arc::new(config) }
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn config(&self) -> &RouterConfig {
        &self.config
    }
}

impl FromRef<ApiState> for Arc<App> {
    fn from_ref(state: &ApiState) -> Self {
        Self::clone(&state.app)
    }
}
