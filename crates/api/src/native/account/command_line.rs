//! `POST account/command-line`: changes the code that a browser brought to a command line into its token. The verifier of the
//! challenge that the page was asked with is what is shown for it.

use axum::extract::State;
use sealyard_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::{ApiError, ApiState, Secret, SecretText, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    code: SecretText,
    verifier: SecretText,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    token: String,
    id: String,
    scopes: Vec<String>,
    expires: Option<String>,
}

pub(super) async fn redeem(
    State(state): State<ApiState>,
    Strict(request): Strict<Request>,
) -> Result<Secret<Response>, ApiError> {
    let made = state.server().redeem_command_line(&request.code.0, &request.verifier.0)?;
    Ok(Secret(Response {
        token: made.token,
        id: made.id,
        scopes: made.scopes,
        expires: made.expires.map(Timestamp::to_rfc3339),
    }))
}
