//! `POST deployments`: asks the deployment gate; allowed, an attestation says so. Denied, the answer is 403 with the decision.

use axum::Json;
use sealyard_app::{DeployRequest, GateOutcome};
use sealyard_identity::Deploy;

use crate::http::{Answer, Identified, InWorkspace, Strict};

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<DeployRequest>,
) -> Answer<GateOutcome> {
    let app = state.app();
    let may = app.authorize_registered_model(&caller, Deploy, &request.name).await?;
    Ok(Json(app.deploy(&caller, &may, request).await?))
}
