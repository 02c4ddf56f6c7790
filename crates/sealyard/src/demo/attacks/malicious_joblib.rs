//! A joblib file that runs a command in whoever loads it, uploaded as a model file. Its bytes are those that a known
//! demonstration of the attack prints.

use reqwest::Method;

use super::{Refusal, refused};
use crate::demo::context::Context;
use crate::exit::Result;

const JOBLIB: &[u8] = b"\x80\x03cposix\nsystem\nq\x00X\x0e\x00\x00\x00env > pwnd.txtq\x01\x85q\x02Rq\x03.";

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let run = &demo.trained()?.run_id;
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/{}/{run}/artifacts/model/model.joblib", demo.experiment);
    let request = demo.admin.request(Method::PUT, &path).body(JOBLIB);
    refused(demo.admin.send(request).await, "the server stored a malicious model")
}
