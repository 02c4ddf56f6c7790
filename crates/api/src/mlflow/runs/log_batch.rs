//! `POST runs/log-batch`: all or nothing.

use axum::Json;
use sealyard_app::MAX_BATCH_BYTES;
use sealyard_identity::Edit;
use sealyard_store::model::RunBatch;
use serde::Deserialize;

use super::super::view::{MetricInput, PairInput, pairs};
use super::run_id;
use crate::http::{Answer, ApiError, Empty, Identified, InWorkspace, Inputs};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Request {
    run_id: String,
    run_uuid: String,
    metrics: Vec<MetricInput>,
    params: Vec<PairInput>,
    tags: Vec<PairInput>,
}

pub(super) async fn handler(
    InWorkspace(state): InWorkspace,
    Identified(caller): Identified,
    Inputs { value: request, size }: Inputs<Request>,
) -> Answer<Empty> {
    let app = state.app();
    if size > MAX_BATCH_BYTES {
        return Err(ApiError::invalid(format!(
            "Batched logging API requests must be at most {MAX_BATCH_BYTES} bytes, got a request of size {size}."
        )));
    }
    let id = run_id(&request.run_id, &request.run_uuid)?;
    let may = app.authorize_run(&caller, Edit, id).await?;
    let batch = RunBatch {
        metrics: request
            .metrics
            .into_iter()
            .enumerate()
            .map(|(place, metric)| metric.into_metric(&format!("metrics[{place}].")))
            .collect::<Result<_, _>>()?,
        params: pairs(request.params),
        tags: pairs(request.tags),
    };
    app.log_batch(&may, id, batch).await?;
    Ok(Json(Empty {}))
}

/// A body into this request, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_body(bytes: &[u8]) {
    let _ = crate::http::fuzz_body::<Request>(bytes);
}

/// Query parameters into this request, for the fuzz targets.
#[cfg(feature = "fuzzing")]
pub(crate) fn fuzz_query(text: &str) {
    crate::http::fuzz_query::<Request>(text);
}
