//! `POST publish`: asks the publish gate; allowed, the version is published and an attestation says so. Denied, the answer is 403 with the decision.

use axum::Json;
use sealyard_app::{GateOutcome, PublishRequest};
use sealyard_identity::Publish;

use crate::http::{Answer, Identified, InWorkspace, Strict};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<PublishRequest>,
) -> Answer<GateOutcome> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Publish, &request.name).await?;
    Ok(Json(app.publish(&caller, &may, request).await?))
}
