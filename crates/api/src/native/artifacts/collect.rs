//! `POST artifacts/collect`: removes stored objects that nothing refers to, or with `dry_run` only counts them.

use axum::Json;
use sealyard_app::Collected;
use sealyard_identity::{Administer, UserDirectory};
use serde::Deserialize;

use crate::http::{Answer, Identified, InWorkspace, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Answer<Collected> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(app.collect_garbage(&caller, &may, request.dry_run).await?))
}
