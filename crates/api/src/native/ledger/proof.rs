//! `GET ledger/proof`: the proof that the entry `index`, or the newest one of the request `request_id`, is in the log.

use axum::Json;
use sealyard_identity::{LedgerLog, Read};
use sealyard_ledger::InclusionProof;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    index: Option<Integer>,
    request_id: Option<String>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<InclusionProof> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    match (request.index, request.request_id) {
        (Some(index), None) => {
            let index = u64::try_from(index.0).map_err(|_| ApiError::invalid("index is not negative"))?;
            Ok(Json(app.prove_entry(&may, index).await?))
        }
        (None, Some(id)) => Ok(Json(app.prove_request(&may, &id).await?)),
        _ => Err(ApiError::invalid("give either index or request_id")),
    }
}
