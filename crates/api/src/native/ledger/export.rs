//! `GET ledger/export`: entries from `from` to before `to` as JSON lines, in one answer however many they are. The ledger has it
//! on record before the first is given out.

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use http::header::CONTENT_TYPE;
use sealyard_identity::{LedgerLog, Read};
use sealyard_ledger::line;
use serde::Deserialize;

use crate::http::{ApiError, Identified, InWorkspace, Input, Integer};

/// Entries that are held at a time.
const PAGE: u32 = 250;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Request {
    from: Option<Integer>,
    to: Option<Integer>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Input(request): Input<Request>,
) -> Result<Response, ApiError> {
    let app = state.app();
    let may = app.authorize(&caller, Read, LedgerLog).await?;
    let place = |given: Option<Integer>| {
        let place = given.map(|given| u64::try_from(given.0)).transpose();
        place.map_err(|_| ApiError::invalid("from and to are not negative"))
    };
    let (from, to) = (place(request.from)?.unwrap_or(0), place(request.to)?);
    app.record_export(&caller, &may, from, to).await?;
    // What comes from here on, this export's own entry too, is not part of it.
    let end = app.ledger_status(&may).await?.size.min(to.unwrap_or(u64::MAX));
    let app = (*app).clone();
    let pages = futures::stream::try_unfold((app, may, from), move |(app, may, next)| async move {
        if next >= end {
            return Ok(None);
        }
        let limit = u32::try_from(end - next).unwrap_or(PAGE).min(PAGE);
        let entries = app.ledger_entries(&may, next, limit).await.map_err(std::io::Error::other)?;
        let Some((last, _)) = entries.last() else {
            // Cut off rather than ended as if it were whole.
            return Err(std::io::Error::other("entries of the ledger are missing"));
        };
        let after = last + 1;
        let lines: String = entries.iter().map(|(index, bytes)| line(*index, bytes) + "\n").collect();
        Ok::<_, std::io::Error>(Some((Bytes::from(lines), (app, may, after))))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(pages)).into_response())
}
