//! `GET account/second-factor`: whether the caller's own account has one. `POST` begins to set one up, by the password; `POST
//! …/confirm` has it asked for from then on, by a code of it; `DELETE` ends it, by a code of it or one to recover with.

use axum::Json;
use sealyard_app::SecondFactorStatus;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Secret, SecretText, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Begin {
    password: SecretText,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Code {
    code: SecretText,
}

#[derive(Debug, Serialize)]
pub(super) struct Begun {
    secret: String,
    uri: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Confirmed {
    recovery_codes: Vec<String>,
}

pub(super) async fn status(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
) -> Answer<SecondFactorStatus> {
    Ok(Json(state.app().second_factor_status(&caller).await?))
}

pub(super) async fn begin(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Begin>,
) -> Result<Secret<Begun>, ApiError> {
    let begun = state.app().begin_second_factor(&caller, request.password.0).await?;
    Ok(Secret(Begun { secret: begun.secret.expose().clone(), uri: begun.uri.expose().clone() }))
}

pub(super) async fn confirm(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Code>,
) -> Result<Secret<Confirmed>, ApiError> {
    let recovery_codes = state.app().confirm_second_factor(&caller, &request.code.0).await?;
    Ok(Secret(Confirmed { recovery_codes }))
}

pub(super) async fn disable(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Code>,
) -> Answer<Empty> {
    state.app().disable_second_factor(&caller, &request.code.0).await?;
    Ok(Json(Empty {}))
}
