//! `POST tokens`: a new token of the caller's, or by an administrator of the machine's account that `user` names, shown this
//! once. `expires` is RFC 3339.

use sealyard_app::NewToken;
use sealyard_core::Timestamp;
use sealyard_identity::{PrincipalName, Scope};
use serde::{Deserialize, Serialize};

use crate::http::{ApiError, Identified, InWorkspace, Secret, Strict};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    scopes: Vec<String>,
    #[serde(default)]
    expires: Option<String>,
    #[serde(default)]
    user: Option<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Response {
    token: String,
    id: String,
    scopes: Vec<String>,
    expires: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Strict(request): Strict<Request>,
) -> Result<Secret<Response>, ApiError> {
    if request.scopes.len() > 100 {
        return Err(ApiError::invalid("a token has at most 100 scopes"));
    }
    let scopes: Result<Vec<Scope>, _> = request.scopes.iter().map(|scope| scope.parse()).collect();
    let scopes = scopes.map_err(|error| ApiError::invalid(error.to_string()))?;
    let expires = match request.expires {
        None => None,
        Some(text) => Some(
            Timestamp::from_rfc3339(&text)
                .ok_or_else(|| ApiError::invalid("'expires' is not a time: expected one like 2030-01-31T12:00:00Z"))?,
        ),
    };
    let new = NewToken { scopes, expires };
    let (token, summary) = match request.user {
        Some(user) => {
            let owner = PrincipalName::new(user).map_err(|error| ApiError::invalid(error.to_string()))?;
            state.app().create_token_for(&caller, owner, new).await?
        }
        None => state.app().create_token(&caller, new).await?,
    };
    Ok(Secret(Response {
        token: token.expose().clone(),
        id: summary.id,
        scopes: summary.scopes,
        expires: summary.expires.map(Timestamp::to_rfc3339),
    }))
}
