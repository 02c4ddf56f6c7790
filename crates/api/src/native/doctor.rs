//! `GET doctor`: how the deployment stands; administrators only.

use axum::Json;
use sealyard_app::DoctorReport;
use sealyard_identity::{Administer, UserDirectory};

use crate::http::{Answer, Identified, InWorkspace};

pub(super) async fn handler(InWorkspace(state): InWorkspace, Identified(caller): Identified) -> Answer<DoctorReport> {
    let app = state.app();
    let may = app.authorize(&caller, Administer, UserDirectory).await?;
    Ok(Json(app.examine(&caller, &may).await?))
}
