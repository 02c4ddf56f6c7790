//! `GET ledger/consistency`: the proof that the log of `from` entries is a beginning of the log as it was last signed, or of the
//! checkpoint of `to` entries.

use axum::Json;
use sealyard_identity::{LedgerLog, Read};
use sealyard_ledger::ConsistencyProof;
use serde::Deserialize;

use crate::http::{Answer, ApiError, Identified, InWorkspace, Input, Integer};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    from: Integer,
    /// Of which checkpoint it is to be a beginning.
    to: Option<Integer>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Answer<ConsistencyProof> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let from = u64::try_from(request.from.0).map_err(|_| ApiError::invalid("from is not negative"))?;
    let to =
        request.to.map(|to| u64::try_from(to.0).map_err(|_| ApiError::invalid("to is not negative"))).transpose()?;
    Ok(Json(app.prove_growth(&may, from, to).await?))
}
